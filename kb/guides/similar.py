"""What comes near a text that no signature knows: guides, and messages that a scanned release can print."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from django.conf import settings

from kb.diagnosis.likeness import Known, Likeness, Shared
from kb.diagnosis.signature import Signature as PureSignature
from kb.guides.models import Guide, Message, Sample, Tool
from kb.guides.releases import table
from kb.guides.releases.row import Row
from kb.guides.rendered.owning import Owners

FRAMES = ('File "', "Traceback (", "raise ", "at ", "await ", "return ")  # how lines of a stack begin
LONGEST = 600  # characters of a sample's line that is compared
GATHERING = Lock()
Signatures = Callable[[], tuple[list[PureSignature], dict[str, list[str]]]]


@dataclass(frozen=True, slots=True)
class Printed:
    """A message that a release can print and that no guide describes."""

    tool: Tool
    version: str
    row: Row

    @property
    def url(self) -> str:
        """Where the file can be read that prints it; empty where the tool doesn't say."""
        return self.tool.source.replace("{version}", self.version).replace("{path}", self.row.path)


@dataclass(frozen=True, slots=True)
class Near:
    """Something that shares wording with a text: a guide, or a message without one. Never a match."""

    guide: Guide | None
    printed: Printed | None
    message: str
    score: float
    shared: tuple[Shared, ...]

    @property
    def phrases(self) -> list[str]:
        """The shared wording, longest first."""
        return sorted({one.phrase for one in self.shared}, key=lambda phrase: (-len(phrase), phrase))

    def as_object(self) -> dict[str, Any]:
        """As the match object has it under `similar`."""
        return {
            "tool": self.guide.tool.slug if self.guide else self.printed.tool.slug if self.printed else "",
            "slug": self.guide.slug if self.guide else None,
            "title": self.guide.title if self.guide else None,
            "url": self.guide.get_absolute_url() if self.guide else None,
            "message": self.message,
            "score": self.score,
            "shared": [{"phrase": one.phrase, "start": one.start, "end": one.end} for one in self.shared],
        }


@dataclass(frozen=True, slots=True)
class Messages:
    """All that is compared, with the messages that no guide describes by their names."""

    likeness: Likeness
    printed: dict[str, Printed]


def near(text: str, edition: object, signatures: Signatures) -> list[Near]:
    """What comes near a redacted text, best first; `edition` changes when guides or signatures do."""
    messages = known(edition, signatures)
    found = messages.likeness.rank(text)
    slugs = [one.name.partition("/")[2] for one in found]
    guides = Guide.objects.published().select_related("tool").filter(slug__in=slugs)
    named = {f"{guide.tool.slug}/{guide.slug}": guide for guide in guides}
    alike = [
        Near(named.get(one.name), messages.printed.get(one.name), one.text, one.score, one.shared)
        for one in found
        if one.name in named or one.name in messages.printed
    ]
    # One error is often printed in two ways: of messages that share the same words the best is enough.
    once = {(one.guide, one.shared): one for one in reversed(alike)}
    return [one for one in alike if once[one.guide, one.shared] is one]


def known(edition: object, signatures: Signatures) -> Messages:
    """Gathered once for an edition, which takes a second: all who ask meanwhile wait for the first."""
    with GATHERING:
        return gathered(edition, signatures)


@lru_cache(maxsize=2)
def gathered(edition: object, signatures: Signatures) -> Messages:
    """The guides' messages, their samples' telling lines, and what releases print."""
    published, _ = signatures()
    owners = Owners(published)
    printed: dict[str, Printed] = {}
    messages = [*of_guides(), *samples(published), *of_releases(owners, printed)]
    return Messages(Likeness(messages), printed)


def of_guides() -> Iterator[Known]:
    """The exact messages that guides are about."""
    rows = Message.objects.filter(guide__retired=None).order_by("pk")
    for tool, slug, text in rows.values_list("guide__tool__slug", "guide__slug", "text"):
        yield Known(f"{tool}/{slug}", text)


def samples(published: Iterable[PureSignature]) -> Iterator[Known]:
    """Lines of real texts that hold a literal of their guide: the others are the same in every traceback."""
    literals: dict[str, list[str]] = {}
    for one in published:
        literals.setdefault(one.guide, []).extend(text.lower() for text in (*one.all_of, *one.any_of))
    rows = Sample.objects.filter(guide__retired=None, near_miss=False).order_by("pk")
    for tool, slug, text in rows.values_list("guide__tool__slug", "guide__slug", "text"):
        name = f"{tool}/{slug}"
        for line in text.splitlines():
            told = not line.lstrip().startswith(FRAMES)
            if told and any(literal in line.lower() for literal in literals.get(name, ())):
                yield Known(name, line[:LONGEST])


def of_releases(owners: Owners, printed: dict[str, Printed]) -> Iterator[Known]:
    """What the newest scanned release of a tool prints: under its guide's name, or its own in `printed`."""
    for tool in Tool.objects.all():
        messages = table.read(Path(settings.CONTENT_DIR) / tool.slug)
        for row in messages.rows(messages.newest):
            if row.kind == "type" or not row.text:
                continue
            claims = owners.of(row.text, row.status, row.error_type)
            name = claims[0].guide if claims else f"{tool.slug}: {row.text}"
            if not claims:
                printed.setdefault(name, Printed(tool, messages.newest, row))
            yield Known(name, row.text)
