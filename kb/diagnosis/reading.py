"""One text, read once for a whole match, lives here with its facts; it knows no signature."""

from functools import cached_property

from kb.diagnosis.canonical import Canonical, canonical
from kb.diagnosis.text_facts import TextFacts, text_facts


class Reading:
    """What the matcher asks of a text again and again, worked out at most once.

    `low` has exactly the offsets of `text`, the canonical text.
    """

    def __init__(self, source: str) -> None:
        self.canonical: Canonical = canonical(source)
        self._found: dict[str, int] = {}

    @property
    def text(self) -> str:
        """The canonical text."""
        return self.canonical.text

    @cached_property
    def low(self) -> str:
        """The canonical text in lower case."""
        return lowered(self.text)

    @property
    def scanned(self) -> bytes:
        """What the anchors are sought in: lower case, UTF-8, any runs of ASCII white space.

        White space is folded for the few texts that have a candidate. One that isn't ASCII may
        hold spaces that the anchors don't know, so it is folded first.
        """
        unwrapped = self.canonical.unwrapped
        low = unwrapped.lower() if unwrapped.isascii() else self.low
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


def lowered(text: str) -> str:
    """Lower case, character for character: U+0130 alone would become two."""
    low = text.lower()
    return low if len(low) == len(text) else text.replace("\u0130", "i").lower()
