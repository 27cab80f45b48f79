"""The library's pages: each is a page, and a fragment of it when htmx asks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Case, F, IntegerField, Value, When
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from kb.guides import matching
from kb.guides.contents import chain
from kb.guides.excerpt import Piece, excerpt, telling_line
from kb.guides.forms import BrowseForm, MatchForm
from kb.guides.models import Guide, GuideQuerySet, QuickFix, Tool
from kb.guides.naming import no_such
from kb.guides.search import Hit, find, query_words, search, unheard
from kb.guides.spelling import Meant, meant
from kb.guides.vocabulary import Category, Hop
from kb.guides.wilson import in_order
from kb.web.middleware import AWAY
from kb.web.pages import for_programs, page, public, wants_json
from kb.web.throttle import may_come_back, throttle

PAGE = 40
# What a guide's page is made of: its one row holds all the rest.
SHOWN = ("slug", "title", "summary", "retired", "page_html", "tool__slug", "tool__name")
# What people who are signed in see of their team's note on it, in the same query.
OURS = tuple(
    f"note__{name}"
    for name in (
        "words", "words_html", "runbook", "proxies", "next_review", "owner__username",
        "owner__first_name", "owner__last_name", "owner__is_active",
    )
)  # fmt: skip
SHEET = '<div class="sheet">'  # the part of a guide's page before which the note stands
SUGGESTIONS = 5
MOST = 20  # guides that a search lists
WRITE = "guides.write"  # the right to write guides
NOT_JSON = 'Post the error as JSON, {"text": "…"}, or as the form field text.'
PER_MINUTE = 120  # texts that one address may paste


@require_safe
@public
def home(request: HttpRequest) -> HttpResponse:
    """The paste box, the search, what is new and what is met most."""
    cards = Guide.objects.published().cards()
    context = {
        "form": MatchForm(),
        "newest": cards.order_by("-updated", "title")[:6],
        "most_met": cards.filter(met__gt=0).order_by("-met", "title")[:6],
        "categories": Category,
        "count": Guide.objects.published().count(),
        "hops_met": set(Guide.objects.published().values_list("hop", flat=True)),
    }
    return page(request, "guides/home.html", context)


@require_safe
@public
def browse(request: HttpRequest) -> HttpResponse:
    """All guides, filtered by what stands in the URL."""
    form = BrowseForm(request.GET)
    valid = form.is_valid()
    words = form.cleaned_data.get("q", "")
    instead = meant(words, typing=True)
    guides = filtered(form.cleaned_data, instead) if valid else Guide.objects.none()
    counted = Tool.objects.filter(coverage__isnull=False).distinct()
    context = listing(request, guides) | {
        "form": form,
        "counted": counted,
        "query": words,
        "instead": instead,
        "wordless": bool(words) and not query_words(words),
    }
    return page(request, "guides/browse.html", context, status=200 if valid else 400)


def filtered(filters: dict[str, str], instead: Meant | None) -> GuideQuerySet:
    """Published guides that pass every filter that is set; in order of relevance if there is a text.

    `instead` is what the text was meant to say; one without a word to search by filters nothing.
    """
    guides = Guide.objects.published().cards()
    fields = {
        "tool": "tool__slug",
        "category": "category",
        "hop": "hop",
        "version": "releases__version",
    }
    for name, field in fields.items():
        if filters.get(name):
            guides = guides.filter(**{field: filters[name]})
    text = instead.query if instead else filters.get("q", "")
    if query_words(text):
        keys = find(text, limit=200, typing=True)
        order = {key: place for place, key in enumerate(keys)}
        guides = guides.filter(pk__in=keys).order_by(by_place(order))
    return guides.distinct() if filters.get("version") else guides


def by_place(order: dict[int, int]) -> Any:
    """An ordering expression that keeps the order of the search."""
    cases = [When(pk=key, then=Value(place)) for key, place in order.items()]
    return Case(*cases, default=Value(len(order)), output_field=IntegerField())


def listing(request: HttpRequest, guides: GuideQuerySet) -> dict[str, Any]:
    """One page of a list, with the filters that the links to the next page must keep."""
    kept = request.GET.copy()
    kept.pop("page", None)
    shown = Paginator(guides, PAGE).get_page(request.GET.get("page"))
    return {"page": shown, "kept": kept.urlencode()}


@require_safe
@public
def category(request: HttpRequest, slug: str) -> HttpResponse:
    """The guides of one category."""
    found = next((word for word in Category if word.slug == slug), None)
    if found is None:
        raise Http404(f"There is no category {slug}.")
    guides = Guide.objects.published().cards().filter(category=found)
    return page(request, "guides/category.html", listing(request, guides) | {"category": found})


@require_safe
def of_tool(request: HttpRequest, tool: str) -> HttpResponse:
    """What stands above the addresses of a tool's guides: the list, with the tool as its filter."""
    found = get_object_or_404(Tool, slug=tool)
    return redirect(f"{reverse('browse')}?tool={found.slug}")


@require_safe
@public
def guide(request: HttpRequest, tool: str, slug: str) -> HttpResponse:
    """A guide. Everything on it was rendered when it was loaded."""
    guides = Guide.objects.select_related("tool").only(*SHOWN)
    if not signed_in(request):
        found = get_object_or_404(guides, tool__slug=tool, slug=slug)
        return render(request, "guides/guide.html", {"guide": found})
    guides = guides.select_related("tool", "note__owner").only(*SHOWN, *OURS)
    found = get_object_or_404(guides, tool__slug=tool, slug=slug)
    before, sheet, rest = found.page_html.partition(SHEET)
    ours = {"before_html": before, "after_html": sheet + rest}
    return render(request, "guides/guide.html", {"guide": found, "ours": ours})


def signed_in(request: HttpRequest) -> bool:
    """Whether somebody is; without a cookie of a session that costs nothing."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated


@csrf_exempt  # it acts on nobody's behalf, and so its pages need no cookie
@for_programs("GET", "HEAD", "POST")
@require_http_methods(["GET", "HEAD", "POST"])
def match(request: HttpRequest) -> HttpResponse:
    """From a pasted text to its guide."""
    if request.method != "POST":
        return page(request, "guides/match.html", {"form": MatchForm()})
    refused = throttle(request, "match", per_minute=PER_MINUTE)
    if refused and not may_come_back(request, "match", PER_MINUTE):
        return refused
    try:
        form = MatchForm(posted(request))
    except (ValueError, RecursionError):
        return JsonResponse({"error": NOT_JSON}, status=400)
    if refused:
        return too_many(request, form, refused["Retry-After"])
    if not form.is_valid():
        status = 413 if form.has_error("text", "too_large") else 422
        return answered(request, {"form": form}, status=status)
    try:
        found = verdict(matching.judge(form.redacted))
    except AWAY:
        form.add_error("text", "The library can't be reached. Your text is kept: send it again in a moment.")
        return answered(request, {"form": form}, status=503)
    if not found["candidates"]:
        found |= {"writer": signed_in(request) and request.user.has_perm(WRITE), "tools": Tool.objects.all()}
        found["llm"] = settings.CULPRIT_LLM
    return answered(request, {"form": form, **found})


def posted(request: HttpRequest) -> Mapping[str, Any]:
    """What a form sent, or a script as a JSON object with a text.

    Raises ValueError where it sent anything else, RecursionError where that is nested too deeply.
    """
    if request.content_type != "application/json":
        return request.POST
    sent = json.loads(request.body)
    if not isinstance(sent, dict) or not isinstance(sent.get("text"), str):
        raise ValueError("no object with a text")
    return sent


def answered(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The result's page; to a program that asks for JSON the match object, or what is wrong with the text."""
    response: HttpResponse
    if not wants_json(request):
        response = page(request, "guides/match.html", context, status=status)
    elif status == 200:
        response = JsonResponse(context["answer"])
    else:
        response = JsonResponse({"error": " ".join(context["form"].errors["text"])}, status=status)
    patch_vary_headers(response, ["Accept"])
    return response


def too_many(request: HttpRequest, form: MatchForm, wait: str) -> HttpResponse:
    """429, with the text as it was typed; nothing has looked for it in the guides."""
    words = f"Your address has asked for more than its share in this minute: send it again in {wait} seconds."
    form.add_error("text", words)
    response = answered(request, {"form": form}, status=429)
    response["Retry-After"] = wait
    return response


@dataclass(frozen=True, slots=True)
class Candidate:
    """A guide that fits, with the match that says why."""

    guide: Guide
    match: dict[str, Any]


def verdict(judged: matching.Judged) -> dict[str, Any]:
    """What the result shows: the verdict, the marked text, the first fix, or what the search found."""
    answer = matching.as_object(judged)
    candidates = [Candidate(judged.guides[f"{row['tool']}/{row['slug']}"], row) for row in answer["matches"]]
    context: dict[str, Any] = {
        "answer": answer,
        "candidates": candidates,
        "removed": {kind: count for kind, count in answer["redacted"].items() if count},
        "pieces": pieces(judged, candidates),
    }
    if candidates:
        best = candidates[0]
        Guide.objects.filter(pk=best.guide.pk).update(met=F("met") + 1)
        fixes = QuickFix.objects.filter(guide=best.guide).order_by("position")
        tried = in_order(list(fixes), best.guide.reports.accepted().outcomes())
        fix, outcome = tried[0] if tried else (None, None)
        related = best.guide.related.filter(retired=None).cards()[:4]
        return context | {
            "best": best,
            "quoted": [other for other in candidates[1:] if other.match["quoted"]],
            "others": [other for other in candidates[1:] if not other.match["quoted"]],
            "fix": fix,
            "outcome": outcome,
            "related": related,
            "chain": chain(Hop(best.guide.hop)),
        }
    matching.remember_unmatched(judged)
    hits: list[Hit] = search(telling_line(judged.redacted.text), limit=SUGGESTIONS)
    similar = [near for near in judged.similar if near.guide not in judged.unsaid]
    shown = {*judged.unsaid, *(near.guide for near in similar)}
    return context | {
        "headline": judged.headline,
        "unsaid": judged.unsaid,
        "similar": similar,
        "hits": [hit for hit in hits if hit.guide not in shown],
    }


def pieces(judged: matching.Judged, candidates: list[Candidate]) -> list[Piece]:
    """The reader's redacted text, cut where the winner's deciding parts begin and end."""
    spans = candidates[0].match["matched"] if candidates else []
    return excerpt(judged.redacted.text, [(span["start"], span["end"]) for span in spans])


@for_programs("GET", "HEAD")
@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """Guides for a query; while somebody types, htmx asks for the list alone."""
    query = request.GET.get("q", "").replace("\0", " ").strip()
    typing = request.headers.get("HX-Request") == "true"
    instead = meant(query, typing)
    hits = search(instead.query if instead else query, MOST, typing)
    context = {
        "query": query,
        "instead": instead,
        "hits": hits,
        "wordless": not hits and not unheard(query_words(query)),
        "most": MOST,
        "names": [] if typing else [one.as_object() for one in no_such(query)],
    }
    return page(request, "guides/search.html", context)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404 with the guides whose slug or words come near what was asked for; few words to a program."""
    if wants_json(request):
        return JsonResponse(
            {"error": "There is no such page."}, status=404, headers={"Cache-Control": "no-store"}
        )
    asked = request.path.rstrip("/").rsplit("/", 1)[-1][:120]
    slugs = Guide.objects.published().values_list("slug", flat=True)
    near = get_close_matches(asked, sorted(set(slugs)), n=SUGGESTIONS, cutoff=0.5)
    guides = Guide.objects.published().cards().filter(slug__in=near)
    suggestions = sorted(guides, key=lambda found: near.index(found.slug)) or [
        hit.guide for hit in search(asked, SUGGESTIONS)
    ]
    response = page(request, "404.html", {"suggestions": suggestions}, status=404)
    response["Cache-Control"] = "no-store"
    return response
