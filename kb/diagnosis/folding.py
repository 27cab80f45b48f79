"""White space is folded here, and offsets led back over it; what the words say doesn't matter."""

from functools import cached_property

_SPACES = tuple(letter for letter in map(chr, range(0x3001)) if letter.isspace())
_ASCII_SPACES = tuple(filter(str.isascii, _SPACES))


class Folded:
    """A text with each run of white space made one space: `text`, which is `source` if it had none."""

    def __init__(self, source: str) -> None:
        """Fold `source`, any str; takes time linear in its length."""
        self.source = source
        done = " ".join(source.split())
        if source[:1].isspace():
            done = f" {done}"
        if source[-1:].isspace() and len(done) > 1:
            done = f"{done} "
        self.text = source if done == source else done

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Give the offsets in `source` of `text[start:end]`, whole runs of white space included."""
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"Span {start}:{end} is outside the text of {len(self.text)}.")
        if self.text is self.source:
            return start, end
        if start == end:
            at = self._run(start)[0] if start < len(self.text) else len(self.source)
            return at, at
        return self._only_place(start, end) or (self._run(start)[0], self._run(end - 1)[1] + 1)

    def _only_place(self, start: int, end: int) -> tuple[int, int] | None:
        """The quick way, for what occurs once and has no run in it."""
        found = self.text[start:end]
        if found[0].isspace() or found[-1].isspace() or self.text.count(found) != 1:
            return None
        first = self.source.find(found)
        return (first, first + len(found)) if first >= 0 else None

    def _run(self, index: int) -> tuple[int, int]:
        """The first and the last character in `source` of one character of `text`."""
        letters = index - self.text.count(" ", 0, index)
        if self.text[index] != " ":
            place = _nth_letter(self._spaced, letters)
            return place, place
        first = _nth_letter(self._spaced, letters - 1) + 1 if letters else 0
        rest = self._spaced[first:]
        return first, first + len(rest) - len(rest.lstrip(" ")) - 1

    @cached_property
    def _spaced(self) -> str:
        """`source` with each character of white space made a space of its own."""
        spaced = self.source
        for space in _ASCII_SPACES if spaced.isascii() else _SPACES:
            spaced = spaced.replace(space, " ")
        return spaced


def _nth_letter(spaced: str, count: int) -> int:
    """Where the letter, of those that aren't spaces, stands that has `count` before it."""
    first, last = 0, len(spaced)
    while last - first > 1:
        middle = (first + last) // 2
        letters = middle - first - spaced.count(" ", first, middle)
        if count < letters:
            last = middle
        else:
            first, count = middle, count - letters
    return first
