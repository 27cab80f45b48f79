"""A guide's history: every text that was served, two of them compared, and edits held against the file."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from kb.guides.models import Guide, Revision
from kb.team import keeping
from kb.team.access import member, only
from kb.team.comparing import differences
from kb.team.draft_views import mark
from kb.team.edit_forms import number
from kb.team.editing import Late, NotReady, Refused
from kb.team.models import Draft
from kb.team.roles import ADMINISTER, WRITE

MOST = 200  # revisions that are listed
SETTLED = {
    "theirs": "The guide has the words of its file now.",
    "ours": "The words that are served stay; the file's changes are left aside.",
}


@only(WRITE)
@require_http_methods(["GET", "HEAD", "POST"])
def guide_history(request: HttpRequest, tool: str, slug: str) -> HttpResponse:
    """The list with one comparison; posted, an old text comes back as a draft, or a conflict is settled."""
    guide = get_object_or_404(Guide.objects.select_related("tool"), tool__slug=tool, slug=slug)
    if request.method != "POST":
        return shown(request, guide)
    try:
        draft = done(request, guide)
    except Refused as error:
        return shown(request, guide, 422, trouble=str(error))
    except NotReady as error:
        return shown(request, guide, 422, trouble=str(error), found=error.found)
    except Late:
        return shown(request, guide, 409, trouble="You have a draft of this guide already.")
    if draft is None:
        return redirect("guide_history", tool, slug)
    messages.success(request, "Here it is as your draft. Nothing is published yet.")
    return redirect("guide_edit", tool, slug)


def done(request: HttpRequest, guide: Guide) -> Draft | None:
    """Does what was pressed; gives the draft that came of it, if one did."""
    deed = request.POST.get("deed", "")
    if deed == "bring_back":
        revision = get_object_or_404(guide.revisions, pk=number(request.POST, "revision"))
        return keeping.bring_back(guide, revision, member(request))
    if deed in ("theirs", "ours", "merge"):
        if mark(guide.theirs) != request.POST.get("theirs"):
            raise Refused("The file changed again, or somebody has settled it: look at it as it is now.")
        draft = keeping.settle(guide, guide.theirs, deed, member(request))
        if draft is None:
            messages.success(request, SETTLED[deed])
        return draft
    raise Refused("Choose what to do.")


def shown(request: HttpRequest, guide: Guide, status: int = 200, **more: Any) -> HttpResponse:
    """The page; without a choice the newest text is compared with the one before."""
    rows = list(guide.revisions.select_related("by", "draft__reader").defer("text")[:MOST])
    keys = [row.pk for row in rows]
    after = number(request.GET, "after") or (keys[0] if keys else 0)
    before = number(request.GET, "before") or (keys[1] if len(keys) > 1 else after)
    context = {
        "guide": guide,
        "rows": [(row, *told(row)) for row in rows],
        "before": before,
        "after": after,
        "sections": differences(text_of(guide, before), text_of(guide, after)) if rows else [],
        "may_retire": not guide.base and request.user.has_perm(ADMINISTER),
    }
    if guide.theirs:
        context |= {
            "file_changed": differences(guide.base, guide.theirs),
            "against_ours": differences(guide.theirs, guide.text),
            "theirs": mark(guide.theirs),
        }
    return render(request, "team/history.html", context | more, status=status)


def told(revision: Revision) -> tuple[str, str]:
    """Where a text came from, and who read it before it was published."""
    draft: Draft | None = getattr(revision, "draft", None)
    if draft:
        reader = draft.reader.get_username() if draft.reader else ""
        return "browser", f"read by {reader}" if reader else "without a second reader"
    return ("browser" if revision.by_id or revision.why else "file"), ""


def text_of(guide: Guide, key: int) -> str:
    """One text of the guide; 404 for another guide's."""
    return get_object_or_404(guide.revisions, pk=key).text


@only(ADMINISTER)
@require_http_methods(["GET", "HEAD", "POST"])
def guide_retire(request: HttpRequest, tool: str, slug: str) -> HttpResponse:
    """Asks whether a guide that was made here is to be retired, or brought back; posted, does it."""
    guide = get_object_or_404(Guide.objects.select_related("tool"), tool__slug=tool, slug=slug)
    trouble, found = "", []
    if request.method == "POST":
        try:
            change = keeping.revive if guide.retired else keeping.retire
            change(guide, member(request))
            return redirect(guide)
        except Refused as error:
            trouble = str(error)
        except NotReady as error:
            trouble, found = str(error), error.found
    context = {"guide": guide, "trouble": trouble, "found": found}
    return render(request, "team/edit_retire.html", context, status=422 if trouble else 200)
