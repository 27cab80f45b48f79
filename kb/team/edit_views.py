"""The editor: a guide's source as a form, with its page, its checks and its signatures tried beside it.

Its views check the form's token themselves, so that who was signed out meanwhile gets their words back.
"""

from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from kb.diagnosis import drafting
from kb.diagnosis.text import harmless, redact
from kb.guides.models import Guide, Tool, UnmatchedError
from kb.team import editing, panels, parts
from kb.team.access import member, only
from kb.team.checking import reading_problems, skeleton
from kb.team.comparing import differences
from kb.team.edit_forms import EditForm
from kb.team.editing import Clashing, Late, NotReady, Refused, TooLarge, Unexplained
from kb.team.models import OPEN, Draft, Stage
from kb.team.roles import ADMINISTER, WRITE
from kb.web.turned_away import given_back, trusted, unread

METHODS = ["GET", "HEAD", "POST"]
PANELS = {"preview": panels.preview, "check": panels.check, "try": panels.trial, "try_all": panels.trial}


@dataclass(slots=True)
class Desk:
    """Somebody at work on a guide: the draft may not be saved yet, the guide not be there yet."""

    request: HttpRequest
    draft: Draft
    form: EditForm
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def guide(self) -> Guide | None:
        return self.draft.guide

    @property
    def by(self) -> User:
        return member(self.request)

    @property
    def path(self) -> str:
        """Where this draft is edited."""
        if self.draft.guide:
            return reverse("guide_edit", args=[self.draft.tool.slug, self.draft.slug])
        return reverse("draft_edit", args=[self.draft.pk])


@login_not_required  # in private mode too: `kept_back` must give signed-out people their words
@csrf_exempt  # checked by `trusted`
@never_cache
@sensitive_post_parameters()
@require_http_methods(METHODS)
def guide_edit(request: HttpRequest, tool: str, slug: str) -> HttpResponse:
    """Edits a published guide, in one's own draft."""
    refused = refusal(request)
    if refused:
        return refused
    guide = get_object_or_404(Guide.objects.select_related("tool"), tool__slug=tool, slug=slug)
    draft = editing.open_draft(guide, member(request))
    return at_work(request, draft or fresh(request, guide))


@login_not_required
@csrf_exempt
@never_cache
@sensitive_post_parameters()
@require_http_methods(METHODS)
def draft_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edits one's own draft of a guide that isn't there yet."""
    refused = refusal(request)
    if refused:
        return refused
    drafts = Draft.objects.select_related("tool", "guide__tool", "by", "reader")
    draft = get_object_or_404(drafts, pk=pk)
    if draft.by_id != member(request).pk:
        if draft.stage == Stage.REVIEW:
            raise PermissionDenied
        raise Http404
    if request.method != "POST" and draft.stage not in OPEN:
        return redirect("guide_draft", pk)
    if request.method != "POST" and draft.guide:
        return redirect("guide_edit", draft.tool.slug, draft.slug)
    return at_work(request, draft)


def refusal(request: HttpRequest) -> HttpResponse | None:
    """The answer to who may not edit, or whose form isn't trusted; words that were sent come back."""
    may = request.user.is_authenticated and request.user.has_perm(WRITE)
    if request.method == "POST":
        return None if may and trusted(request) else kept_back(request)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if not may:
        raise PermissionDenied
    return None


@sensitive_variables()
def kept_back(request: HttpRequest) -> HttpResponse:
    """403 with what was typed, to be sent again or copied; nothing is saved."""
    if request.headers.get("X-Autosave") or request.headers.get("HX-Request"):
        words = "You are not signed in any more. Sign in in another tab; your words are still here."
        return JsonResponse({"words": words}, status=403)
    refused = unread(request)
    if refused:
        return refused
    form = EditForm.posted(request.POST)
    text = editing.clean(form.text, known_text(request)).text
    said = {"signed_in": request.user.is_authenticated, "may": request.user.has_perm(WRITE)}
    form.why = editing.clean(form.why).text
    whole = parts.shape([parts.Piece(parts.AREA, parts.ALL, "")])
    context = said | {"form": form, "text": text, "whole_shape": whole}
    return render(request, "team/edit_kept.html", context, status=403)


def known_text(request: HttpRequest) -> str:
    """The guide that the person may read anyway: made-up keys in it aren't taken out of what they typed."""
    where = request.resolver_match.kwargs if request.resolver_match else {}
    if "slug" not in where or (settings.CULPRIT_PRIVATE and not request.user.is_authenticated):
        return ""
    found = Guide.objects.filter(tool__slug=where["tool"], slug=where["slug"]).only("text").first()
    return found.text if found else ""


def fresh(request: HttpRequest, guide: Guide) -> Draft:
    """A draft to be, based on the text that the form was opened with; not saved yet."""
    base = guide.text
    if request.method == "POST":
        began = EditForm.posted(request.POST).began
        known = guide.revisions.filter(pk=began).first()
        base = known.text if known else ""
    return Draft(
        tool=guide.tool, guide=guide, slug=guide.slug, by=member(request), text=guide.text, base=base
    )


def newest_revision(guide: Guide | None) -> int:
    """The key of the text that is served now."""
    return guide.revisions.values_list("pk", flat=True).first() or 0 if guide else 0


def at_work(request: HttpRequest, draft: Draft) -> HttpResponse:
    """The form, or what was sent with it."""
    if request.method != "POST":
        began = newest_revision(draft.guide)
        desk = Desk(request, draft, EditForm.of(draft.text, draft.why, draft.revision, began))
        if not begun(draft):
            desk.form.told(reading_problems(draft.tool, draft.slug, draft.text))
        return shown(desk)
    form = EditForm.posted(request.POST)
    known = (draft.base, draft.text, draft.guide.text if draft.guide else "")
    cleaned = editing.clean(form.text, *known)
    if cleaned.text != form.text:
        form = form.again(cleaned.text)
    form.trial = editing.clean(form.trial).text
    form.why = editing.clean(form.why).text
    desk = Desk(request, draft, form, {"removed": cleaned.removed})
    return answered(desk, request.POST.get("deed", "save"))


def begun(draft: Draft) -> bool:
    """Whether it is a new guide of which nothing was written yet: its gaps are no news to anybody."""
    return draft.guide is None and draft.revision <= 1


def answered(desk: Desk, deed: str) -> HttpResponse:
    """Does what a button says."""
    if deed in PANELS:
        return panel(desk, deed)
    try:
        return done(desk, deed)
    except TooLarge as error:
        return shown(desk, 413, trouble=str(error))
    except Refused as error:
        desk.form.seen = desk.draft.revision
        return shown(desk, 422, trouble=str(error), unexplained=isinstance(error, Unexplained))
    except NotReady as error:
        desk.form.told(error.found)
        return shown(desk, 422, trouble=str(error), found=error.found)
    except Clashing as error:
        return shown(desk, 409, trouble=str(error), clashes=error.merged.clashes)
    except Late as late:
        return too_late(desk, late.draft)


def panel(desk: Desk, deed: str) -> HttpResponse:
    """One panel for htmx, or the page with it."""
    refused = panels.throttled(desk.request)
    if refused:
        return refused
    try:
        editing.fits(desk.form.text)
        context = PANELS[deed](desk.draft, desk.form, everything=deed == "try_all")
    except Refused as error:
        context = {"panel_trouble": str(error)}
    name = "try" if deed == "try_all" else deed
    if desk.request.headers.get("HX-Request") == "true":
        context |= {"form": desk.form, "draft": desk.draft}
        return render(desk.request, f"team/_edit_{name}.html", context)
    return shown(desk, panel=name, **context)


def done(desk: Desk, deed: str) -> HttpResponse:
    """Saves, and goes on from there. Raises what `editing` raises."""
    by, draft = desk.by, desk.draft
    if deed == "withdraw":
        editing.withdraw(draft, by, desk.form.seen)
        return redirect(desk.path)
    desk.draft = draft = editing.save(draft, desk.form.text, desk.form.why, desk.form.seen)
    desk.form.seen = draft.revision
    if deed == "ask":
        editing.ask(draft, by, draft.revision)
        messages.success(desk.request, "It waits for a second reader now.")
        return redirect("guide_draft", draft.pk)
    if deed == "publish":
        served = draft.guide.text if draft.guide else ""
        guide = editing.publish(draft, by, draft.revision, served)
        return redirect(guide)
    if deed == "discard":
        editing.discard(draft, by, draft.revision)
        messages.success(desk.request, "The draft is discarded. Its words stay on this page.")
        return redirect("guide_draft", draft.pk)
    if deed in ("rebase_ours", "rebase_theirs"):
        editing.rebase(draft, draft.revision, deed.removeprefix("rebase_"))
        messages.success(desk.request, "The draft has now what changed in the guide.")
        return redirect(desk.path)
    return saved(desk)


def saved(desk: Desk) -> HttpResponse:
    """The answer to a plain saving; to the script as JSON."""
    draft = desk.draft
    taken = panels.taken_out(desk.more.get("removed", {}))
    words = f"Saved at {timezone.localtime(draft.saved):%H:%M:%S} UTC.{taken}"
    if desk.request.headers.get("X-Autosave"):
        return JsonResponse({"revision": draft.revision, "words": words})
    messages.success(desk.request, words)
    return redirect(desk.path)


def too_late(desk: Desk, now: Draft) -> HttpResponse:
    """409: both texts, and a form that saves over the other one if it is sent again."""
    typed = desk.form.text
    desk.draft = now
    desk.form.seen = now.revision
    theirs = {"other": now, "other_differs": differences(now.text, typed)}
    return shown(desk, 409, trouble="Not saved: this draft was saved in another tab or window.", **theirs)


def shown(desk: Desk, status: int = 200, **more: Any) -> HttpResponse:
    """The editor's page."""
    if desk.request.headers.get("X-Autosave"):
        return JsonResponse({"words": more.get("trouble", "Not saved.")}, status=status)
    draft, guide = desk.draft, desk.guide
    moved = bool(guide and draft.pk and draft.base != guide.text)
    context = {
        "draft": draft,
        "guide": guide,
        "form": desk.form,
        "here": desk.path,
        "waits": draft.stage == Stage.REVIEW,
        "begun": begun(draft),
        "moved": differences(draft.base, guide.text) if guide and moved else [],
        "alone": desk.by.has_perm(ADMINISTER),
        "taken_out": panels.taken_out(desk.more.get("removed", {})),
        "clashes": editing.clashes(draft) if moved else (),
    }
    return render(desk.request, "team/edit.html", context | more, status=status)


@sensitive_variables()
def new_back(request: HttpRequest) -> HttpResponse | None:
    """The name and the text that somebody typed who may not begin a guide, or not any more."""
    refused = unread(request)
    if refused:
        return refused
    slug = editing.clean(request.POST.get("slug", "")).text[:200]
    fields = {"slug": slug, "text": unrecognised(request)}
    return given_back(request, fields, {"slug": "Name", "text": "Text"}) if any(fields.values()) else None


@sensitive_post_parameters()
@only(WRITE, new_back)
@require_http_methods(METHODS)
def guide_new(request: HttpRequest, tool: str) -> HttpResponse:
    """Asks once for the name of a new guide, then leads to its draft, begun from a text that nothing fits."""
    of_tool = get_object_or_404(Tool, slug=tool)
    slug, trouble, begun_from = request.POST.get("slug", ""), "", unrecognised(request)
    if "slug" in request.POST:
        try:
            text = skeleton(of_tool, timezone.localdate(), begun_from)
            draft = editing.new(of_tool, slug, member(request), text)
            return redirect("draft_edit", draft.pk)
        except Refused as error:
            trouble = str(error)
    context = {
        "tool": of_tool,
        "slug": editing.clean(slug).text[:200],
        "trouble": trouble,
        "text": begun_from,
        "literals": drafting.literals(begun_from),
    }
    return render(request, "team/edit_new.html", context, status=422 if trouble else 200)


@sensitive_variables()
def unrecognised(request: HttpRequest) -> str:
    """The text that a new guide is to be about, without secrets: a posted one, or one of the list by name."""
    if "text" in request.POST:
        return drafting.sample(redact(harmless(request.POST["text"])).text)
    name = harmless(request.GET.get("unmatched", ""))
    row = UnmatchedError.objects.filter(fingerprint=name).first()
    return row.normal_form if row else ""
