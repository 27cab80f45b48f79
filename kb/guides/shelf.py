"""The library as the database has it, in the form of content files: to be checked, edited and exported."""

from pathlib import Path

from django.conf import settings

from kb.guides.library import ToolSource
from kb.guides.models import Guide, Tool
from kb.guides.source import ContentError, GuideSource, parse


def tools() -> list[ToolSource]:
    """Every tool with the sources of its published guides."""
    return [tool_source(tool) for tool in Tool.objects.all()]


def tool_source(tool: Tool) -> ToolSource:
    """One tool; a guide whose source breaks a rule of today stands among its `problems`."""
    source = ToolSource(
        slug=tool.slug,
        folder=Path(settings.CONTENT_DIR) / tool.slug,
        name=tool.name,
        summary=tool.summary,
        homepage=tool.homepage,
        source=tool.source,
        versions=[release.version for release in tool.releases.order_by("position")],
        marks=tool.marks,
    )
    for guide in Guide.objects.published().filter(tool=tool).only("slug", "text"):
        try:
            source.guides[guide.slug] = guide_source(guide)
        except ContentError as error:
            source.problems += error.problems
    return source


def guide_source(guide: Guide) -> GuideSource:
    """A guide's source as plain values. Raises ContentError."""
    return parse(guide.text, guide.slug, f"{guide.slug}.md")
