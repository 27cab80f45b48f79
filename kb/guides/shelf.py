"""The library as the database has it, in the form of content files: to be checked, edited and exported."""

from functools import lru_cache
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
    source = facts_of(tool)
    for guide in Guide.objects.published().filter(tool=tool).only("slug", "text"):
        try:
            source.guides[guide.slug] = source_of(guide.text, guide.slug, path_of(tool, guide.slug))
        except ContentError as error:
            source.problems += error.problems
    return source


def facts_of(tool: Tool) -> ToolSource:
    """One tool without its guides."""
    return ToolSource(
        slug=tool.slug,
        folder=Path(settings.CONTENT_DIR) / tool.slug,
        name=tool.name,
        summary=tool.summary,
        homepage=tool.homepage,
        source=tool.source,
        versions=[release.version for release in tool.releases.order_by("position")],
        marks=tool.marks,
    )


def path_of(tool: Tool, slug: str) -> str:
    """How problems name a guide: as its file is named."""
    return f"{tool.slug}/{slug}.md"


@lru_cache(maxsize=500)
def source_of(text: str, slug: str, path: str) -> GuideSource:
    """A source as plain values, read once as long as nothing in it changes: nobody may change the values.

    Raises ContentError.
    """
    return parse(text, slug, path)
