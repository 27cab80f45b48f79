"""What search engines are told: the guides, with the day of their last change, and what leads to them.

https://www.sitemaps.org/protocol.html
"""

from datetime import datetime

from django.contrib.sitemaps import Sitemap, views
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from kb.guides.models import Guide, Tool
from kb.guides.vocabulary import Category
from kb.web.pages import public


class Guides(Sitemap[Guide]):
    """Every published guide of every tool."""

    def items(self) -> QuerySet[Guide]:
        guides = Guide.objects.published().select_related("tool")
        return guides.only("slug", "updated", "tool__slug").order_by("tool__slug", "slug")

    def lastmod(self, item: Guide) -> datetime:
        return item.updated


class Lists(Sitemap[str]):
    """Home, the list of all, the categories and what of each tool is covered."""

    def items(self) -> list[str]:
        categories = [reverse("category", args=[one.slug]) for one in Category]
        coverage = [reverse("coverage", args=[tool.slug]) for tool in Tool.objects.order_by("slug")]
        return [reverse("home"), reverse("browse"), *categories, *coverage]

    def location(self, item: str) -> str:
        return item


@require_safe
@public
def sitemap(request: HttpRequest) -> HttpResponse:
    """The map, as XML."""
    return views.sitemap(request, {"lists": Lists, "guides": Guides})


@require_safe
@public
def robots(request: HttpRequest) -> HttpResponse:
    """Where the map is. Which pages aren't to be listed they say themselves."""
    where = request.build_absolute_uri(reverse("sitemap"))
    return HttpResponse(f"User-agent: *\nDisallow:\n\nSitemap: {where}\n", content_type="text/plain")
