"""Error names that circulate and that no release has: said so, with the real ones that come near."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from kb.diagnosis.names import names_in, nearest, unknown_names
from kb.guides.models import Guide, Tool
from kb.guides.releases import table
from kb.guides.releases.row import PROVIDERS


@dataclass(frozen=True, slots=True)
class Real:
    """A name that releases have, with the guide that speaks of it most, if any."""

    name: str
    guide: Guide | None


@dataclass(frozen=True, slots=True)
class NoSuch:
    """A name that a text gives to an error of a tool, and that none of its releases has."""

    name: str
    tool: str
    versions: tuple[str, ...]
    nearest: tuple[Real, ...]

    def as_object(self) -> dict[str, Any]:
        """As the match object has it."""
        near = [
            {"name": one.name, "url": one.guide.get_absolute_url() if one.guide else None}
            for one in self.nearest
        ]
        return {"name": self.name, "tool": self.tool, "versions": list(self.versions), "nearest": near}


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of a tool's names."""

    known: frozenset[str]  # in lower case, wherever a release says them
    classes: frozenset[str]  # those that users meet
    providers: frozenset[str]


@lru_cache(maxsize=4)
def names_of(releases: table.Table) -> Names:
    """The names in a table of releases, gathered once."""
    said = set(releases.classes)
    providers = set()
    for row, _ in releases.entries:
        said |= names_in(f"{row.text} {row.raised} {row.function}")
        if row.path.startswith(PROVIDERS):
            providers.add(row.path.removeprefix(PROVIDERS).split("/")[0].removesuffix(".py"))
    met = {
        row.raised
        for row, _ in releases.entries
        if row.kind == "class" and not row.path.startswith(PROVIDERS) and not row.raised.startswith("_")
    }
    return Names(frozenset(map(str.lower, said)), frozenset(met), frozenset(providers))


def no_such(text: str, tools: Iterable[Tool] | None = None) -> list[NoSuch]:
    """The names in a text that no release of their tool has; who asks for many texts hands in the tools."""
    found = []
    for tool in Tool.objects.order_by("slug") if tools is None else tools:
        if tool.slug not in text.lower():
            continue
        releases = table.read(Path(settings.CONTENT_DIR) / tool.slug)
        if releases.versions:
            names = names_of(releases)
            for name in unknown_names(text, tool.slug, names.known, names.providers):
                near = tuple(real(tool, one) for one in nearest(name, names.classes))
                found.append(NoSuch(name, tool.name, releases.versions, near))
    return found


def real(tool: Tool, name: str) -> Real:
    """A real name with the guide whose source has it most often."""
    guides = (
        Guide.objects.published().filter(tool=tool, text__contains=name).only("slug", "title", "text", "tool")
    )
    best = max(
        guides.select_related("tool"), key=lambda guide: (guide.text.count(name), guide.slug), default=None
    )
    return Real(name, best)
