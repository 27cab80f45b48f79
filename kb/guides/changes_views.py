"""What changed between two releases of a tool: which errors are new, gone or reworded, and their guides."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from kb.guides import changes
from kb.guides.answering import Answer
from kb.guides.changes import Change
from kb.guides.forms import ChangesForm
from kb.guides.models import Guide, Recognised, Tool
from kb.guides.releases import table
from kb.guides.releases.table import Table
from kb.web.pages import page, public

PAGE = 50
FIRST = 10  # of each list, where all are shown


@dataclass(frozen=True, slots=True)
class Told:
    """A change with the guide about it, if there is one, and how that knows it."""

    change: Change
    guide: Guide | None
    general: bool
    only_before: bool


@dataclass(frozen=True, slots=True)
class Section:
    """One list: how long it is, of how many a guide is about, and the part of it that is shown."""

    kind: str
    count: int
    with_guide: int
    told: list[Told]
    page: "Page[Change] | None" = None


@require_safe
@public
def changed(request: HttpRequest, tool: str) -> HttpResponse:
    """The changes from one release to another: counts by area, then lists; or one of the lists, paged."""
    found = get_object_or_404(Tool, slug=tool)
    releases = table.read(Path(settings.CONTENT_DIR) / found.slug)
    context: dict[str, Any] = {"tool": found}
    if len(releases.versions) < 2:
        return page(request, "guides/changes.html", context)
    form = ChangesForm(request.GET.dict(), releases.versions, changes.areas_of(releases))
    context["form"] = form
    if not form.is_valid():
        return page(request, "guides/changes.html", context, status=400)
    return page(request, "guides/changes.html", context | compared(request, found, releases, form))


def compared(request: HttpRequest, tool: Tool, releases: Table, form: ChangesForm) -> dict[str, Any]:
    """What is shown of two releases."""
    asked = form.cleaned_data
    filters = changes.Filters(asked["area"], asked["q"], asked["printed"] == "logs")
    between = changes.changes(releases, asked["from"], asked["to"])
    passed = [one for one in between if filters.passes(one)]
    rows = changes.counted(passed)
    providers = [row for row in rows if row.of_provider]
    kept = request.GET.copy()
    kept.pop("page", None)
    return {
        "old": asked["from"], "new": asked["to"], "kind": asked["show"], "filters": filters,
        "count": len(passed), "total": changes.total(rows),
        "areas": [row for row in rows if not row.of_provider], "providers": providers,
        "total_of_providers": changes.total(providers),
        "kept": kept.urlencode(),
        "sections": sections(request, tool, passed, asked["show"]),
    }  # fmt: skip


def sections(request: HttpRequest, tool: Tool, passed: Sequence[Change], kind: str) -> list[Section]:
    """The lists: the first rows of each, or one page of the one that was asked for."""
    known = known_of(tool)
    lists = changes.listed(passed, known)
    shown: dict[str, list[Change] | Page[Change]] = {name: rows[:FIRST] for name, rows in lists.items()}
    if kind:
        shown = {kind: Paginator(lists[kind], PAGE).get_page(request.GET.get("page"))}
    slugs = {changes.guide_of(one, known)[0] for rows in shown.values() for one in rows}
    named = Guide.objects.published().filter(tool=tool, slug__in=slugs - {""}).only("slug", "title", "tool")
    guides = {guide.slug: guide for guide in named.select_related("tool")}
    return [
        Section(
            kind=name,
            count=len(lists[name]),
            with_guide=sum(changes.rank(one, known) == 0 for one in lists[name]),
            told=[told(one, known, guides) for one in rows],
            page=rows if isinstance(rows, Page) else None,
        )
        for name, rows in shown.items()
    ]


def known_of(tool: Tool) -> dict[str, Answer]:
    """Which guide answers what, as it was counted when the content was loaded; empty if it never was."""
    counted = Recognised.objects.filter(tool=tool).first()
    return counted.texts if counted else {}


def told(one: Change, known: dict[str, Answer], guides: dict[str, Guide]) -> Told:
    """A change with its guide."""
    slug, general = changes.guide_of(one, known)
    return Told(one, guides.get(slug), general, changes.only_before(one, known))
