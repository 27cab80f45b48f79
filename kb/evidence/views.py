"""What readers fill in: the report form, its drafts, and the receipt.

The views act on nobody's behalf and ask for the form's own signed stamp, so they need no cookie, and a lost
session costs nothing that was typed. A form that can't be taken is answered with that form, filled in.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from kb.diagnosis.text import readable, redact
from kb.evidence import puzzle, stamp
from kb.evidence.forms import SHORT, ReportForm, cleaned
from kb.evidence.models import Draft, EvidenceReport, when_drafts_expire
from kb.evidence.receiving import Known, of_form, receive, values
from kb.evidence.stamp import Stamp
from kb.guides.matching import judge
from kb.guides.models import Guide, Tool
from kb.web.middleware import AWAY
from kb.web.throttle import HOUR, MINUTE, address, may_come_back, seconds_to_wait, throttle
from kb.web.turned_away import answers_strangers, given_back, unread

SENT, KEPT = "send", "keep"
FILL, ELSE = "fill", "else"  # on to a guide's form, filled in; it is something else than the guides offered
PERSON = ((settings.CULPRIT_REPORTS, MINUTE), (5 * settings.CULPRIT_REPORTS, HOUR))  # reports, as many drafts
EVERYONE = 10 * settings.CULPRIT_REPORTS  # a minute
POSTS = 20 * settings.CULPRIT_REPORTS  # a minute from one address, of whatever kind
DRAFT = re.compile(r"[\w-]{1,40}", re.ASCII)  # what a draft may be called
MOST_OFFERED = 3  # guides beside a report on something unknown
TRAP = "subject"  # a field that no person sees
TRAPPED = "A field that people don't see was filled in, as robots do. Nothing was stored; send it again."
FORGED = "This form is not from this site, or it is torn. Nothing is lost: read it over, then send it again."
GONE = "The library can't be reached. What you typed is kept here: send it again in a moment."
SHOWN = {"text": "The error text", "story": "In your words", "link": "A public link"}
CHANGED = (
    "This form was sent already, and you have changed it since. The change is not in that report."
    " Send it again to make a second one."
)

View = Callable[..., HttpResponseBase]


class Redirect(HttpResponseRedirect):
    """See other: what was posted is done, the answer stands elsewhere."""

    status_code = 303


def unlisted(view: View) -> View:
    """What only who has the address should see: not kept by any cache, in no search engine."""

    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        return response

    return answer


def forms(view: View) -> View:
    """A view that takes the report form, and gives it back while the database is away.

    On a site that is its team's alone, reporting takes the right to.
    """

    @answers_strangers
    @unlisted
    @csrf_exempt
    @sensitive_post_parameters()
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not may_report(request):
            return not_theirs(request)
        try:
            return view(request, *args, **kwargs)
        except AWAY:
            if request.method != "POST":
                raise
            return away(request)

    return answer


def may_report(request: HttpRequest) -> bool:
    """Everybody on a public site; on a private one, who has the right to."""
    return not settings.CULPRIT_PRIVATE or request.user.has_perm("evidence.add_evidencereport")


def not_theirs(request: HttpRequest) -> HttpResponse:
    """What somebody typed who may not report on a private site, such as after their session ended."""
    if request.method == "POST":
        refused = unread(request)
        if refused:
            return refused
        fields = typed(request)
        if fields:
            return given_back(request, fields, SHOWN)
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    raise PermissionDenied


def typed(request: HttpRequest) -> dict[str, str]:
    """All that was sent of the form, without secrets."""
    own = {name: request.POST[name][:400] for name in ("stamp", "draft") if name in request.POST}
    return cleaned(request.POST) | own


def away(request: HttpRequest) -> HttpResponse:
    """All that was typed, in a page that needs no database and sends it again."""
    response = render(
        request, "evidence/report_away.html", {"fields": typed(request), "trouble": GONE}, status=503
    )
    response["Retry-After"] = "10"
    return response


@forms
def report(request: HttpRequest, tool: str, slug: str) -> HttpResponseBase:
    """The form about a guide."""
    found = get_object_or_404(Guide.objects.select_related("tool"), tool__slug=tool, slug=slug)
    return answered(request, found)


@forms
def report_unknown(request: HttpRequest) -> HttpResponseBase:
    """The form about something that no guide describes."""
    if not Tool.objects.exists():
        raise Http404("There is no tool yet that a report could be about.")
    return answered(request, None)


def answered(request: HttpRequest, guide: Guide | None) -> HttpResponseBase:
    """The empty form, the form as another page filled it in, or what became of the form that was sent."""
    if request.method != "POST":
        given = {name: request.GET[name] for name in SHORT if name in request.GET}
        return shown(request, ReportForm.filled(given, guide), stamp.new())
    refused = throttle(request, "report form", per_minute=POSTS)
    if refused and not may_come_back(request, "report form", POSTS):
        return refused
    if refused:
        mark = stamp.read(request.POST.get("stamp", "")) or stamp.new()
        return too_many(request, ReportForm(request.POST, guide), mark, int(refused["Retry-After"]))
    if "stamp" not in request.POST or request.POST.get("do") == FILL:
        return shown(request, ReportForm.filled(request.POST, guide), stamp.new())
    form = ReportForm(request.POST, guide)
    read = stamp.read(request.POST["stamp"])
    if read is None:
        return again(request, form, stamp.new(), FORGED)
    if request.POST.get(TRAP):
        return again(request, form, read, TRAPPED)
    if request.POST.get("do") == KEPT:
        return kept(request, form, read)
    return sent(request, form, read)


def shown(
    request: HttpRequest,
    form: ReportForm,
    mark: Stamp,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The form's page. `more` says what is wrong (`trouble`), or which draft this is."""
    context = {
        "form": form,
        "guide": form.guide,
        "action": address_of(form.guide),
        "stamp": mark.signed(),
        "puzzle": puzzle.challenge(mark),
        "trap": TRAP,
        "draft_id": draft_named(request),
    }
    return render(request, "evidence/report.html", context | more, status=status)


def draft_named(request: HttpRequest) -> str:
    """The draft that the form was opened from; empty where it names none."""
    said = request.POST.get("draft", "")
    return said if DRAFT.fullmatch(said) else ""


def address_of(guide: Guide | None) -> str:
    """Where the form is sent."""
    return reverse("report", args=[guide.tool.slug, guide.slug]) if guide else reverse("report_unknown")


def again(
    request: HttpRequest, form: ReportForm, mark: Stamp, trouble: str = "", status: int = 422
) -> HttpResponse:
    """The form with everything that was typed in it, and what is wrong."""
    form.is_valid()
    return shown(request, form, mark, status, trouble=trouble)


def sent(request: HttpRequest, form: ReportForm, mark: Stamp) -> HttpResponseBase:
    """What becomes of a form that was sent: a report and its receipt, or the form with what is wrong."""
    before = of_form(mark.form)
    if not form.is_valid():
        return again(request, form, mark)
    offered = [] if form.guide or before or request.POST.get("do") == ELSE else known_by(form)
    if offered:
        return shown(request, form, mark, offered=offered)
    if before:
        return sent_before(request, form, before)
    if mark.trouble:
        return again(request, form, mark.again(), mark.trouble)
    if not puzzle.solved(mark, request.POST.get("altcha", "")):
        return again(request, form, mark, puzzle.WRONG)
    wait = seconds(request, "report")
    if wait:
        return too_many(request, form, mark, wait)
    try:
        made = receive(form, mark.form, request.user)
    except Known as known:
        return already_there(request, form, known.report)
    except AWAY:
        return again(request, form, mark, GONE, 503)
    Draft.objects.filter(pk=draft_named(request)).delete()
    return Redirect(made.get_absolute_url())


def known_by(form: ReportForm) -> list[Guide]:
    """The tool's guides that recognise the text of a report on something unknown, the best first."""
    text = str(form.cleaned_data.get("text", ""))
    judged = judge(redact(readable(text)))
    names = dict.fromkeys(match.guide for match in judged.answer.matches)
    found = [judged.guides[name] for name in names if name in judged.guides]
    own = [guide for guide in found if guide.retired is None and guide.tool == form.of_tool]
    return own[:MOST_OFFERED]


def already_there(request: HttpRequest, form: ReportForm, known: EvidenceReport) -> HttpResponse:
    """That the same account is there, and a way back to the form; not where the other's receipt is."""
    context = {"guide": form.guide, "known": known, "action": address_of(form.guide), "fields": form.data}
    return render(request, "evidence/report_known.html", context)


def sent_before(request: HttpRequest, form: ReportForm, before: EvidenceReport) -> HttpResponseBase:
    """The receipt of the report that this form has made; if it was changed since, the form anew."""
    if all(getattr(before, name) == value for name, value in values(form).items()):
        return Redirect(before.get_absolute_url())
    return shown(request, form, stamp.new(), 409, trouble=CHANGED, before=before)


def seconds(request: HttpRequest, what: str) -> int:
    """How long this reader must wait before another report or draft; 0 if they needn't."""
    people = [address(request)]
    if request.user.is_authenticated:
        people.append(f"user {request.user.pk}")
    for who in people:
        for most, window in PERSON:
            wait = seconds_to_wait(what, who, most, window)
            if wait:
                return wait
    return seconds_to_wait(what, "everyone", EVERYONE)


def too_many(request: HttpRequest, form: ReportForm, mark: Stamp, wait: int) -> HttpResponse:
    """429, with the form as it was typed."""
    when = f"{wait} second{'s' if wait != 1 else ''}" if wait < 2 * MINUTE else f"{round(wait / 60)} minutes"
    trouble = (
        f"Too many were sent, from your address or to this site. Nothing is lost: send it again in {when}."
    )
    response = again(request, form, mark, trouble, 429)
    response["Retry-After"] = str(wait)
    return response


def kept(request: HttpRequest, form: ReportForm, mark: Stamp) -> HttpResponseBase:
    """The form as a draft: a new one, or the one that it was opened from."""
    fields = form.kept
    if fields is None:
        return again(request, form, mark)
    wait = seconds(request, "draft")
    if wait:
        return too_many(request, form, mark, wait)
    Draft.objects.filter(expires__lte=timezone.now()).delete()
    known = Draft.objects.filter(pk=draft_named(request), guide=form.guide).first()
    draft = known or Draft(guide=form.guide)
    draft.fields, draft.expires = fields, when_drafts_expire()
    draft.save()
    return Redirect(reverse("draft", args=[draft.pk]))


@unlisted
@require_safe
def draft(request: HttpRequest, id: str) -> HttpResponseBase:
    """A form that was kept, for whoever has its address and may send it."""
    if not may_report(request):
        return not_theirs(request)
    drafts = Draft.objects.select_related("guide__tool").filter(expires__gt=timezone.now())
    found = get_object_or_404(drafts, pk=id)
    return shown(
        request, ReportForm.filled(found.fields, found.guide), stamp.new(), draft=found, draft_id=found.pk
    )


@unlisted
@require_safe
def receipt(request: HttpRequest, id: str) -> HttpResponse:
    """What was received, what was taken out of it, and where it stands; for whoever has its address."""
    found = get_object_or_404(EvidenceReport.objects.select_related("guide__tool", "tool"), pk=id)
    fix = found.guide.fixes.filter(key=found.fix).first() if found.guide and found.fix else None
    context = {
        "report": found,
        "fix": fix,
        "decisions": list(found.decisions.all()),
        "action": address_of(found.guide),
    }
    return render(request, "evidence/receipt.html", context)
