"""How much of what a tool's releases can say is answered here: by release and area, counted beforehand."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from kb.guides.models import Coverage, Guide, Tool
from kb.web.pages import page, public

PAGE = 100
PROVIDERS = "llms/"
COUNTS = ("area", "errors", "answered", "general", "version")


@require_safe
@public
def coverage(request: HttpRequest, tool: str) -> HttpResponse:
    """The counts of one release by area, or one of its areas with what nothing recognises."""
    found = get_object_or_404(Tool, slug=tool)
    counted = set(found.coverage.order_by().values_list("version", flat=True).distinct())
    order = found.releases.order_by("-position").values_list("version", flat=True)
    versions = [version for version in order if version in counted]
    version = request.GET.get("version") or (versions[0] if versions else "")
    if version and version not in versions:
        raise Http404(f"No release {version} of {found} was read.")
    context: dict[str, Any] = {"tool": found, "versions": versions, "version": version}
    area = request.GET.get("area", "").replace("\0", " ")
    if area:
        return page(request, "guides/coverage_area.html", context | of_area(request, found, version, area))
    return page(request, "guides/coverage.html", context | of_release(found, version))


def of_release(tool: Tool, version: str) -> dict[str, Any]:
    """The areas of a release with their counts; providers apart, since they are many."""
    rows = list(tool.coverage.filter(version=version).only(*COUNTS))
    return {
        "areas": [row for row in rows if not row.area.startswith(PROVIDERS)],
        "providers": [row for row in rows if row.area.startswith(PROVIDERS)],
        "total": total(rows),
        "total_of_providers": total([row for row in rows if row.area.startswith(PROVIDERS)]),
    }


def total(rows: list[Coverage]) -> Coverage:
    """The sum of rows, as a row that is stored nowhere."""
    sums = {name: sum(getattr(row, name) for row in rows) for name in ("errors", "answered", "general")}
    return Coverage(area="all", **sums)


def of_area(request: HttpRequest, tool: Tool, version: str, area: str) -> dict[str, Any]:
    """One area: its guides, and page by page the texts that nothing recognises."""
    row = get_object_or_404(Coverage, tool=tool, version=version, area=area)
    guides = Guide.objects.published().filter(tool=tool, slug__in=row.guides).only("slug", "title", "tool")
    named = [(guide, row.guides[guide.slug]) for guide in guides.select_related("tool")]
    kept = request.GET.copy()
    kept.pop("page", None)
    return {
        "row": row,
        "guides": sorted(named, key=lambda pair: (-pair[1], pair[0].title)),
        "page": Paginator(row.texts, PAGE).get_page(request.GET.get("page")),
        "kept": kept.urlencode(),
    }
