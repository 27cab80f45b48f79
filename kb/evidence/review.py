"""Moderation: the queue, one report with all that decides on it, and the decisions. For reviewers alone."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from kb.diagnosis.text import readable, redact
from kb.evidence.contradictions import guides_due
from kb.evidence.models import Decision, EvidenceReport, ReportQuerySet, State
from kb.evidence.moderation import (
    LONGEST_REASON,
    SAYS_WHY,
    WAYS,
    JustDecided,
    Refused,
    decide,
    decide_many,
    move,
    remove_words,
)
from kb.evidence.review_forms import ALL, BulkForm, DecisionForm, MoveForm, QueueForm, WordsForm, cleaned
from kb.guides.matching import judge
from kb.web.turned_away import answers_strangers, unread

PAGE = 25
OPENING = 280  # characters of a report that the queue shows
TYPED = ("after", "reason")  # fields of a decision that outlive a session
ALIKE = 8  # reports of the same text that a report's page lists
# What a reviewer does, by the state that it leads to.
DEEDS = {
    State.ACCEPTED: "Accept",
    State.REJECTED: "Reject",
    State.SUPERSEDED: "Supersede",
    State.PENDING: "Take back to pending",
}


def for_reviewers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Shows the view to reviewers alone; its pages are kept and indexed by nobody."""

    @answers_strangers
    @never_cache
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            refused = unread(request) if request.method == "POST" else None
            return refused or redirect_to_login(way_back(request))
        if not request.user.has_perm("evidence.decide"):
            raise PermissionDenied
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex"
        return response

    return answer


def way_back(request: HttpRequest) -> str:
    """The page to come to after signing in, with the decision that was typed while the session ended."""
    query = request.GET.copy()
    for name in TYPED:
        if request.POST.get(name):
            query[name] = cleaned(request.POST[name])[:LONGEST_REASON]
    return f"{request.path}?{query.urlencode()}" if query else request.path


def filters(request: HttpRequest) -> str:
    """The queue's filters as they stand in the URL, for links and forms that keep them."""
    query = request.GET.copy()
    for name in set(query) - set(QueueForm.base_fields):
        del query[name]
    return query.urlencode()


@for_reviewers
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest) -> HttpResponse:
    """The queue; posted, one decision on all rows that are ticked."""
    if request.method != "POST":
        return queue(request)
    form = BulkForm(request.POST)
    if not form.is_valid():
        return queue(request, status=422, bulk=form)
    given = form.cleaned_data
    handled = decide_many(given["report"], State(given["after"]), given["reason"], reviewer(request))
    if handled.refused:
        return queue(request, status=409, bulk=form, handled=handled)
    count = len(handled.decided)
    reports = "1 report is" if count == 1 else f"{count} reports are"
    messages.success(request, f"{reports} {State(given['after']).label} now.")
    return redirect(request.get_full_path())


def queue(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    """The list that the filters in the URL ask for, with what is said of a bulk decision in `more`."""
    form = QueueForm(request.GET)
    found = form.reports()
    valid = form.is_valid()
    state = form.state_asked if valid else State.PENDING
    page = Paginator(listed(found, state), PAGE).get_page(request.GET.get("page"))
    typed = {name: request.GET[name] for name in TYPED if name in request.GET}
    context = {
        "form": form,
        "bulk": BulkForm(initial=typed),
        "page": page,
        "rows": rows(page.object_list),
        "kept": filters(request),
        "tabs": tabs(request, found, state),
        "state": state,
        "filtered": any(request.GET.get(name) for name in ("tool", "guide", "fingerprint")),
        "ticked": request.POST.getlist("report"),
        "due": guides_due(),
        "bulk_ways": [(way.value, DEEDS[way]) for way in (State.ACCEPTED, State.REJECTED)],
        **more,
    }
    return render(request, "evidence/review.html", context, status=status if valid else 400)


def listed(reports: ReportQuerySet, state: str) -> ReportQuerySet:
    """What waits, the oldest first; of what was decided, the newest. Without the long texts."""
    if state == State.PENDING:
        ordered = reports.filter(state=state).order_by("created", "pk")
    else:
        ordered = (reports if state == ALL else reports.filter(state=state)).order_by("-created", "pk")
    short = {"story_start": Left("story", OPENING), "text_start": Left("text", OPENING)}
    return ordered.select_related("guide__tool", "tool", "by").defer("story", "text").annotate(**short)


def rows(reports: Any) -> list[dict[str, Any]]:
    """Each report with the tick that stands for it as it is now, and how many others have its text."""
    prints = {report.fingerprint for report in reports} - {""}
    alike = EvidenceReport.objects.filter(fingerprint__in=prints).order_by().values_list("fingerprint")
    counts = dict(alike.annotate(Count("pk")))
    return [
        {
            "report": report,
            "tick": f"{report.pk}:{report.revision}",
            "alike": counts.get(report.fingerprint, 1) - 1,
        }
        for report in reports
    ]


def tabs(request: HttpRequest, reports: ReportQuerySet, state: str) -> list[dict[str, Any]]:
    """A link for each state, with how many reports pass the other filters."""
    counts = dict(reports.order_by().values_list("state").annotate(Count("pk")))
    names = [*State.choices, (ALL, "all")]
    links = []
    for word, name in names:
        query = QueryDict(filters(request), mutable=True)
        query["state"] = word
        count = sum(counts.values()) if word == ALL else counts.get(word, 0)
        links.append({"name": name, "count": count, "query": query.urlencode(), "here": word == state})
    return links


@for_reviewers
@sensitive_post_parameters("words")
@require_http_methods(["GET", "HEAD", "POST"])
def review_report(request: HttpRequest, id: str) -> HttpResponse:
    """One report; posted, a decision on it, words to remove from it, or the guide that it belongs to."""
    report = get_object_or_404(EvidenceReport.objects.select_related("guide__tool", "tool", "by"), pk=id)
    if request.method != "POST":
        return shown(request, report)
    try:
        if "guide" in request.POST:
            return moved(request, report)
        return removed(request, report) if "words" in request.POST else decided(request, report)
    except EvidenceReport.DoesNotExist as gone:
        raise Http404("The report was deleted.") from gone


def decided(request: HttpRequest, report: EvidenceReport) -> HttpResponse:
    """On to the next report, or back to the form that says why not, with what was typed kept."""
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return shown(request, report, 422, form=form)
    given = form.cleaned_data
    try:
        made = decide(report, State(given["after"]), given["reason"], reviewer(request), given["seen"])
    except JustDecided as late:
        return shown(request, late.report, 409, form=form, since=given["seen"])
    except Refused as why:
        form.add_error("after", str(why))
        return shown(request, report, 422, form=form)
    return go_on(request, made)


@sensitive_variables()
def removed(request: HttpRequest, report: EvidenceReport) -> HttpResponse:
    """The same page without the words; what was typed is not shown back, since it may be a secret."""
    form = WordsForm(request.POST)
    if not form.is_valid():
        return shown(request, report, 422, words=form)
    given = form.cleaned_data
    try:
        made = remove_words(report, given["words"], reviewer(request), given["seen"])
    except JustDecided as late:
        return shown(request, late.report, 409, since=given["seen"])
    except Refused as why:
        form.add_error("words", str(why))
        return shown(request, report, 422, words=form)
    messages.success(request, made.reason)
    return redirect(address(request, report))


def moved(request: HttpRequest, report: EvidenceReport) -> HttpResponse:
    """The same report, on another guide, still to be decided."""
    form = MoveForm(request.POST)
    if not form.is_valid():
        return shown(request, report, 422, moving=form)
    try:
        made = move(report, form.chosen, reviewer(request), form.cleaned_data["seen"])
    except JustDecided as late:
        return shown(request, late.report, 409, moving=form, since=form.cleaned_data["seen"])
    except Refused as why:
        form.add_error("guide", str(why))
        return shown(request, report, 422, moving=form)
    messages.success(request, made.reason)
    return redirect(address(request, report))


def go_on(request: HttpRequest, made: Decision) -> HttpResponse:
    """To the next report that waits among those of the filters, else to the queue."""
    word = "pending again" if made.after == State.PENDING else made.get_after_display()
    said = 'The report on “{}” is {}. <a href="{}">Look at it again</a>'
    about = made.report.guide.title if made.report.guide else "something unknown"
    messages.success(request, format_html(said, about, word, address(request, made.report)))
    following = neighbours(request, made.report)[1]
    if following:
        return redirect(address(request, following))
    return redirect(f"{reverse('review')}?{filters(request)}")


def reviewer(request: HttpRequest) -> Any:
    """Who decides: `for_reviewers` lets nobody else come here."""
    return request.user


def address(request: HttpRequest, report: EvidenceReport) -> str:
    """The report's page for reviewers, with the queue's filters kept."""
    query = filters(request)
    return reverse("review_report", args=[report.pk]) + (f"?{query}" if query else "")


def shown(
    request: HttpRequest,
    report: EvidenceReport,
    status: int = 200,
    *,
    form: DecisionForm | None = None,
    words: WordsForm | None = None,
    moving: MoveForm | None = None,
    since: int | None = None,
) -> HttpResponse:
    """A report's page; `since` is the revision that the reviewer had seen before somebody else decided."""
    decisions = list(report.decisions.select_related("by"))
    guide = report.guide
    before, after = neighbours(request, report)
    context = {
        "report": report,
        "linked": report.link.startswith(("https://", "http://")),
        "causes": guide.causes.all() if guide else (),
        "fix": guide.fixes.filter(key=report.fix).first() if guide and report.fix else None,
        "alike": alike(report),
        "decisions": decisions,
        "meanwhile": [row for row in decisions if since is not None and row.revision > since],
        "form": form or DecisionForm(initial={name: request.GET.get(name, "") for name in TYPED}),
        "ways": [(way.value, DEEDS[way], way in SAYS_WHY) for way in WAYS[report.state]],
        "words": words or WordsForm(),
        "moving": moving or MoveForm(initial={"guide": recognised(report)}),
        "previous": address(request, before) if before else "",
        "following": address(request, after) if after else "",
        "waiting": EvidenceReport.objects.pending().count(),
        "kept": filters(request),
    }
    return render(request, "evidence/review_report.html", context, status=status)


def recognised(report: EvidenceReport) -> str:
    """The guide whose signature fits a pending report's text, if it is another one than the report's."""
    if report.state != State.PENDING or not report.text:
        return ""
    matches = judge(redact(readable(report.text))).answer.matches
    own = f"{report.guide.tool.slug}/{report.guide.slug}" if report.guide else ""
    return matches[0].guide if matches and matches[0].guide != own else ""


def alike(report: EvidenceReport) -> ReportQuerySet:
    """Other reports with the same text, the newest first."""
    if not report.fingerprint:
        return EvidenceReport.objects.none()
    others = EvidenceReport.objects.filter(fingerprint=report.fingerprint).exclude(pk=report.pk)
    return others.select_related("guide__tool", "tool").defer("text", "story").order_by("-created")[:ALIKE]


def neighbours(
    request: HttpRequest, report: EvidenceReport
) -> tuple[EvidenceReport | None, EvidenceReport | None]:
    """The reports that wait before and after this one; past the newest, the oldest comes next."""
    form = QueueForm(request.GET)
    found = form.reports() if form.is_valid() else EvidenceReport.objects.all()
    waiting = found.pending().exclude(pk=report.pk).only("pk", "created")
    sooner = Q(created__lt=report.created) | Q(created=report.created, pk__lt=report.pk)
    before = waiting.filter(sooner).order_by("-created", "-pk").first()
    after = waiting.exclude(sooner).order_by("created", "pk").first() or waiting.first()
    return before, after
