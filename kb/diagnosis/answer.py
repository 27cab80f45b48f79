"""Answers live here: their shape and the order of matches; they search no text."""

from dataclasses import dataclass
from typing import Literal

from kb.diagnosis.reading import Passage

MOST_MATCHES = 5
MOST_UNSAID = 3
# Fixed text that differs by less than a word tells two errors apart by accident only.
CLOSE_CHARACTERS = 2
_MOST_RANKED = 64

Verdict = Literal["match", "ambiguous", "none"]
Confidence = Literal["known_shape", "consistent", "undecided"]


@dataclass(frozen=True, slots=True)
class Span:
    """Where a literal, or what a pattern found, stands in the text: offsets in code points."""

    literal: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Match:
    """A signature found in a text, with what it captured and why it is not first.

    `quoted` tells that the first match's error holds this one, as a health list does.
    """

    guide: str
    signature: str
    spans: tuple[Span, ...]
    values: dict[str, str]
    confidence: Confidence
    spoken_by: str
    lost_because: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of a text: at most five matches, one for each guide, best first.

    `unsaid` are names of guides, best first: where nothing matches, those that would if the text said which
    tool it is from.
    """

    verdict: Verdict
    matches: tuple[Match, ...]
    unsaid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A signature that holds in a passage, before it is ranked.

    Offsets of `spans` count in the unwrapped text; `place`, the first of them, and `groups` in the passage's.
    """

    guide: str
    signature: str
    general: bool
    quotes: bool
    weight: int
    literals: tuple[str, ...]
    spans: tuple[Span, ...]
    spoken_by: str
    groups: dict[str, Span]
    passage: Passage
    place: tuple[int, int]

    @property
    def position(self) -> int:
        """Where its last deciding piece ends: of two exceptions the later one was thrown."""
        return max(span.end for span in self.spans)


def ranked(hits: list[Hit]) -> list[Hit]:
    """Order hits, one for each guide, best first.

    Not general before general; then a hit before each one that it reads more of (see
    `reads_more`); then more fixed text; then later in the text; then the guide's slug.
    """
    if len(hits) == 1:
        return hits
    left = list(_best_of_guides(sorted(hits, key=_order)[:_MOST_RANKED]))
    done: list[Hit] = []
    while left:
        best = next((hit for hit in left if not any(reads_more(other, hit) for other in left)), left[0])
        left.remove(best)
        done.append(best)
    return done


def _best_of_guides(hits: list[Hit]) -> tuple[Hit, ...]:
    """The first of each guide, or the one that reads more than that."""
    best: dict[str, Hit] = {}
    for hit in hits:
        known = best.setdefault(hit.guide, hit)
        if reads_more(hit, known):
            best[hit.guide] = hit
    return tuple(sorted(best.values(), key=_order))


def _order(hit: Hit) -> tuple[bool, int, int, str, str]:
    return (hit.general, -hit.weight, -hit.position, hit.guide, hit.signature)


def reads_more(one: Hit, other: Hit) -> bool:
    """Tell whether `one` is the more specific whatever the lengths.

    It is where it quotes `other`, where one of its literals contains the longest literal of `other`, or
    where it reads the `…Exception - ` through which the words of `other` came from a gateway further on.
    """
    if one.general != other.general:
        return other.general
    if one.quotes != other.quotes:
        return quotes(one, other)
    return _contains(one, other) or _reads_wrapper(one, other)


def quotes(one: Hit, other: Hit) -> bool:
    """Tell whether the error of `one` quotes others, and `other` stands in a passage with it."""
    return one.quotes and not other.quotes and all(map(other.passage.has, one.literals))


def _contains(one: Hit, other: Hit) -> bool:
    longest = max(other.literals, key=len)
    return any(longest in literal and longest != literal for literal in one.literals)


def _reads_wrapper(one: Hit, other: Hit) -> bool:
    if other.spoken_by != "upstream_gateway":
        return False
    start = other.spans[0].start
    return any(span.start < start <= span.end for span in one.spans)


def undecidable(best: Hit, second: Hit) -> bool:
    """Tell whether their order is a guess: nothing but place and name sets them apart."""
    if best.general != second.general or reads_more(best, second):
        return False
    return abs(best.weight - second.weight) <= CLOSE_CHARACTERS


def why_lost(hit: Hit, best: Hit) -> str:
    """One plain sentence on why `hit` comes after `best`."""
    if hit.general and not best.general:
        return "It is a general signature, and a more exact one fits."
    if quotes(best, hit):
        return "The first guide's error quotes others, and this is one of them."
    if _contains(best, hit):
        return "The first signature contains its fixed text and more."
    if _reads_wrapper(best, hit):
        return "Its words came from a gateway behind this one, as the first guide says."
    if undecidable(best, hit):
        return "Nothing but its place in the text sets it apart from the first guide."
    return f"Its signature is less specific: {hit.weight} characters of fixed text against {best.weight}."
