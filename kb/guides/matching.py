"""From a pasted text to guides: the judge of kb.diagnosis, fed with the stored signatures."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from django.db import DatabaseError
from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone

from kb.diagnosis.signature import Answer, Matcher
from kb.diagnosis.signature import Signature as PureSignature
from kb.diagnosis.text import Redacted, fingerprint, normal_form
from kb.guides.models import Guide, Revision, Signature, Tool, UnmatchedError
from kb.guides.naming import NoSuch, no_such
from kb.guides.similar import Near, known, near

CATALOGUE_LIMIT = 5_000  # unmatched errors kept; the oldest go first


@dataclass(frozen=True)
class Judged:
    """A pasted text after redaction, with what it was recognised as."""

    redacted: Redacted
    fingerprint: str
    ruleset: str
    answer: Answer
    guides: dict[str, Guide]  # by `name_of`
    edition: object

    @property
    def unsaid(self) -> list[Guide]:
        """Where nothing fits: guides that would, if the text said that it is from their tool."""
        return [self.guides[name] for name in self.answer.unsaid if name in self.guides]

    @property
    def headline(self) -> str:
        """Where nothing fits: so, or what would fit on the condition that it is from its tool."""
        count = len(self.unsaid)
        if not count:
            return "Nothing we know fits"
        guides = "One guide fits" if count == 1 else f"{count} guides fit"
        return f"{guides}, if this comes from {self.unsaid[0].tool.name}"

    @cached_property
    def similar(self) -> list[Near]:
        """Where nothing fits: what comes near, never a match."""
        return [] if self.answer.matches else near(self.redacted.text, self.edition, published)

    @cached_property
    def unknown_names(self) -> list[NoSuch]:
        """Names of errors that the text gives to a tool and that no release of it has."""
        return no_such(self.redacted.text)


def name_of(guide: Guide) -> str:
    """What a match calls its guide: two tools may have guides of one slug."""
    return f"{guide.tool.slug}/{guide.slug}"


@lru_cache(maxsize=2)
def matcher(edition: object) -> Matcher:
    """All published signatures, compiled; one edition of the content is compiled once."""
    return Matcher(*published())


def published() -> tuple[list[PureSignature], dict[str, list[str]]]:
    """The signatures of published guides, and the marks of tools."""
    signatures = Signature.objects.filter(guide__retired=None)
    rows = signatures.annotate(tool=F("guide__tool__slug"), slug=F("guide__slug"))
    marks = {tool.slug: tool.marks for tool in Tool.objects.all()}
    return [row.pure(f"{row.tool}/{row.slug}", row.tool) for row in rows], marks


class NotLoaded(Exception):
    """There are no guides in the database yet; the message says what to do."""


def require_guides() -> None:
    """For commands: raises NotLoaded where an answer would only mean that nothing is loaded."""
    require_tables()
    if not Guide.objects.published().exists():
        raise NotLoaded("There are no guides yet: run manage.py load_content first.")


def require_tables() -> None:
    """For commands: raises NotLoaded where the database doesn't have this version's tables of guides."""
    try:
        Guide.objects.first()
    except DatabaseError as error:
        raise NotLoaded("Run manage.py migrate, then manage.py load_content, first.") from error


def edition() -> object:
    """Changes whenever a guide is loaded, edited or retired, or a tool's marks are others.

    Of two who publish at once, the later may carry the earlier time or key: so texts are counted too. What
    makes the same words anew, such as a release that was read, changes all digests of a tool: two of them
    tell. It is looked up many times a second: three small queries.
    """
    here = Q(retired=None)
    digests = {"least": Min("digest", filter=here), "most": Max("digest", filter=here)}
    of_tools = Guide.objects.order_by("tool_id").values_list("tool_id")
    guides = tuple(of_tools.annotate(Max("updated"), Max("retired"), **digests))
    texts = Revision.objects.aggregate(newest=Max("pk"), count=Count("pk"))
    marks = json.dumps(list(Tool.objects.order_by("pk").values_list("slug", "marks")))
    return (guides, texts["newest"], texts["count"], marks)


def prepare() -> None:
    """Compiles and gathers ahead what the first text of a process would wait for."""
    now = edition()
    matcher(now)
    known(now, published)


def judge(redacted: Redacted) -> Judged:
    """Says which guides fit a text that was made readable and redacted."""
    now = edition()
    judging = matcher(now)
    answer = judging.match(redacted.text)
    names = (*(match.guide for match in answer.matches), *answer.unsaid)
    slugs = {name.partition("/")[2] for name in names}
    guides = Guide.objects.filter(slug__in=slugs).select_related("tool")
    named = {name_of(guide): guide for guide in guides}
    return Judged(redacted, fingerprint(redacted.text), judging.ruleset, answer, named, now)


def as_object(judged: Judged) -> dict[str, Any]:
    """The match object, the same for the page, the API and the command."""
    return {
        "ruleset": judged.ruleset,
        "fingerprint": judged.fingerprint,
        "verdict": judged.answer.verdict,
        "redacted": judged.redacted.counts,
        "matches": [
            match_object(match, judged.guides[match.guide])
            for match in judged.answer.matches
            if match.guide in judged.guides
        ],
        "unsaid": [
            {"tool": one.tool.slug, "slug": one.slug, "title": one.title, "url": one.get_absolute_url()}
            for one in judged.unsaid
        ],
        "similar": [one.as_object() for one in judged.similar],
        "unknown_names": [one.as_object() for one in judged.unknown_names],
    }


def match_object(match: Any, guide: Guide) -> dict[str, Any]:
    """One match with the guide that it leads to."""
    return {
        "tool": guide.tool.slug,
        "slug": guide.slug,
        "title": guide.title,
        "category": guide.category,
        "hop": guide.hop,
        "url": guide.get_absolute_url(),
        "confidence": match.confidence,
        "spoken_by": match.spoken_by,
        "matched": [{"literal": span.literal, "start": span.start, "end": span.end} for span in match.spans],
        "values": match.values,
        "lost_because": match.lost_because,
        "quoted": match.quoted,
    }


def remember_unmatched(judged: Judged) -> None:
    """Counts a text that nothing fits, in its masked form, for the editors."""
    now = timezone.now()
    form = normal_form(judged.redacted.text)
    if not form.strip():
        return
    row, made = UnmatchedError.objects.get_or_create(
        fingerprint=judged.fingerprint, defaults={"normal_form": form}
    )
    if not made:
        UnmatchedError.objects.filter(pk=row.pk).update(count=F("count") + 1, last_seen=now)
    elif UnmatchedError.objects.count() > CATALOGUE_LIMIT:
        drop(UnmatchedError.objects.order_by("last_seen").values_list("pk", flat=True)[:100])


def drop(keys: Iterable[int]) -> None:
    """Deletes unmatched errors by their keys."""
    UnmatchedError.objects.filter(pk__in=list(keys)).delete()
