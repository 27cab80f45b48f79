"""What stands beside the editor's form: the page as it would be, the checks, and the signatures tried."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse

from kb.diagnosis.text import MAX_BYTES, fingerprint
from kb.team import checking
from kb.team.checking import NoPreview
from kb.team.edit_forms import EditForm
from kb.team.models import Draft
from kb.web.templatetags.words import removed
from kb.web.throttle import throttle

PER_MINUTE = 120


def throttled(request: HttpRequest) -> HttpResponse | None:
    """Previews and checks cost up to half a second each."""
    return throttle(request, f"editor {request.user.pk}", per_minute=PER_MINUTE)


def taken_out(counts: Mapping[str, int]) -> str:
    """A sentence on secrets that were removed; empty if there were none."""
    if not counts:
        return ""
    kinds = ", ".join(removed(kind, count) for kind, count in counts.items())
    return f" Taken out before anything was kept: {kinds}."


def preview(draft: Draft, form: EditForm, everything: bool) -> dict[str, Any]:
    """The page that the form's text makes."""
    try:
        html = checking.page_of(draft.tool, draft.slug, form.text, draft.guide)
    except NoPreview as error:
        return {"preview_html": "", "unseen": error.found}
    return {"preview_html": html}


def check(draft: Draft, form: EditForm, everything: bool) -> dict[str, Any]:
    """All problems of the form's text, and what else there is to know of it."""
    found = checking.problems_of(draft.tool, draft.slug, form.text)
    form.told(found)
    remarks = checking.remarks_of(draft.tool, draft.slug, form.text, draft.guide)
    return {"checked": True, "found": found, "remarks": remarks}


def trial(draft: Draft, form: EditForm, everything: bool) -> dict[str, Any]:
    """Who wins the pasted text, and everything that is stored if that was asked for."""
    if len(form.trial.encode()) > MAX_BYTES:
        return {"panel_trouble": f"Paste less: {MAX_BYTES:,} bytes are the most."}
    try:
        both = checking.trial(draft.tool, draft.slug, form.text)
    except NoPreview as error:
        return {"unseen": error.found, "tried": True}
    context: dict[str, Any] = {"tried": True, "name": both.name}
    if form.trial.strip():
        context |= {
            "pasted": form.trial,
            "mark": fingerprint(form.trial),
            "before": both.winner(both.now, form.trial),
            "after": both.winner(both.then, form.trial),
        }
    if everything:
        context["stored"] = both.on_stored(draft.tool)
    return context
