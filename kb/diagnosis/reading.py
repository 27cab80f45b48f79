"""One text, read once for a whole match, lives here with its facts; it knows no signature.

A long text is read by passages: what lies further apart is not of one error.
"""

import re
from collections.abc import Iterator
from functools import cached_property

from kb.diagnosis.canonical import Canonical, terminal_breaks
from kb.diagnosis.folding import Folded
from kb.diagnosis.text_facts import TextFacts, text_facts

PASSAGE = 4_000  # characters in which an anchor is sought at a time
REACH = 4_000  # characters before and behind them that are read with them
_LONGEST_ANCHOR = 600  # characters of an anchor that begins in one passage and ends in the next
_GAP = re.compile(r"\n(?:[^\S\n]*\n){2,}")  # two blank lines; a single one stands within errors, too


class Passage:
    """What the matcher asks of a passage again and again, worked out at most once.

    `low` has exactly the offsets of `text`: the canonical text of the passage and what lies
    within REACH of it.
    """

    def __init__(self, canonical: Canonical, begin: int, end: int) -> None:
        self.canonical = canonical
        self._core = canonical.unwrapped[begin : end + _LONGEST_ANCHOR]
        self._begin = max(0, begin - REACH)
        self._end = end + REACH
        self._found: dict[str, int] = {}

    @cached_property
    def _folded(self) -> Folded:
        return Folded(self.canonical.unwrapped[self._begin : self._end])

    @property
    def text(self) -> str:
        """The canonical text."""
        return self._folded.text

    @cached_property
    def low(self) -> str:
        """The canonical text in lower case."""
        return lowered(self.text)

    @property
    def scanned(self) -> bytes:
        """What the anchors are sought in: lower case, UTF-8, any runs of ASCII white space.

        White space is folded for the few passages that have a candidate. One that isn't ASCII may
        hold spaces that the anchors don't know, so it is folded first.
        """
        low = self._core.lower() if self._core.isascii() else lowered(Folded(self._core).text)
        return low.encode("utf-8", "replace")

    @cached_property
    def facts(self) -> TextFacts:
        """The facts that the text states."""
        return text_facts(self.text)

    def has(self, literal: str) -> bool:
        """Tell whether a lower-case literal occurs."""
        at = self._found.get(literal)
        if at is None:
            at = self._found[literal] = self.low.find(literal)
        return at >= 0

    def last(self, literal: str) -> int:
        """Where the last occurrence of a literal begins, or -1."""
        return self.low.rfind(literal)

    def nearest(self, literal: str, to: int) -> int:
        """Where the occurrence of a literal that is nearest to offset `to` begins, or -1."""
        after = self.low.find(literal, to)
        before = self.low.rfind(literal, 0, to + len(literal) - 1) if to else -1
        if after < 0 or before < 0:
            return max(after, before)
        return after if after - to <= to - before else before

    def between_gaps(self, start: int, end: int) -> tuple[int, int]:
        """Give the offsets of what stands between the gaps around `text[start:end]`: one error's own."""
        source = self._folded.source
        first, last = self._folded.source_span(start, end)
        before = [gap.end() for gap in _GAP.finditer(source, 0, first)]
        after = _GAP.search(source, last)
        begin = start - len(Folded(source[before[-1] : first]).text) if before else 0
        return begin, end + len(Folded(source[last : after.start()]).text) if after else len(self.text)

    def unwrapped_span(self, start: int, end: int) -> tuple[int, int]:
        """Give the offsets in the unwrapped text, which all passages share, of `text[start:end]`."""
        first, last = self._folded.source_span(start, end)
        return self._begin + first, self._begin + last


def readings(text: str) -> Iterator[Iterator[Passage]]:
    """The ways to read a text, the likelier first: where a terminal broke its lines, without these breaks."""
    breaks = terminal_breaks(text)
    if breaks:
        yield passages(text, breaks)
    yield passages(text)


def passages(text: str, breaks: tuple[int, ...] = ()) -> Iterator[Passage]:
    """The passages of a text, the last first; a text of ordinary length is a single one."""
    canonical = Canonical(text, breaks, cut=True)
    length = len(canonical.unwrapped)
    if length <= PASSAGE + 2 * REACH:
        yield Passage(canonical, 0, length)
        return
    for begin in reversed(range(0, length, PASSAGE)):
        yield Passage(canonical, begin, begin + PASSAGE)


def lowered(text: str) -> str:
    """Lower case, character for character: U+0130 alone would become two."""
    low = text.lower()
    return low if len(low) == len(text) else text.replace("\u0130", "i").lower()
