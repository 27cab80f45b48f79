"""The one type of page."""

from typing import Any

from django.http import HttpRequest
from wagtail.blocks import CharBlock, RichTextBlock, TextBlock
from wagtail.fields import RichTextField, StreamField
from wagtail.models import Page, Site


class GuidePage(Page):
    """A guide as Wagtail holds it: a rich text and a stream of blocks."""

    summary = RichTextField(blank=True)
    body = StreamField(
        [("heading", CharBlock()), ("text", RichTextBlock()), ("code", TextBlock())], blank=True
    )

    template = "peer/page.html"

    class Meta:
        app_label = "peer"

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Adds what the template's menu and breadcrumbs show."""
        root = Site.find_for_request(request).root_page
        return super().get_context(request, *args, **kwargs) | {
            "menu": root.get_children().live().in_menu(),
            "breadcrumbs": self.get_ancestors().filter(depth__gt=1),
        }
