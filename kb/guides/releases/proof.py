"""Whether words were ever said by a release: in a text of its code, with values in the holes of it.

A value is a number, or made of words that the releases use themselves: in a text, or as a name of a class, a
function, a file or a type. What else stands in a hole proves nothing, since anything could stand there.
Words are compared as the matcher compares them: wrappings undone, letter case and white space aside.
"""

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate

from kb.diagnosis.canonical import canonical
from kb.diagnosis.reading import lowered
from kb.guides.releases.row import Row
from kb.guides.releases.table import Table
from kb.guides.releases.wording import HOLE

VALUE = re.compile(r"[^\s\"'{}\[\]]{0,40}")  # what may stand in a hole in the midst of the words
WORD = re.compile(r"\w+")
LETTER = re.compile(r"[^\W\d_]")
TOKEN = re.compile(r"exception|error|[^\W_]{3,}?(?=exception|error|[\W_]|$)")
LEAST = 6  # letters of fixed words by which a text is known
SHARE = 0.4  # of all letters that must be fixed words
GAP = "\x00"  # stands for a hole
END = "\x01"  # stands between two texts
FIRST = 4  # words of which the text that words begin in has one
DEEP = 3  # texts within each other's holes

ALL, NONE = -1, 0  # releases are the bits of a number here


def plain(text: str) -> str:
    """Words as the matcher compares them."""
    return lowered(canonical(text).text)


def letters(words: str) -> int:
    """How much of fixed words there is."""
    return len(LETTER.findall(words))


def printed(row: Row) -> Iterator[str]:
    """The forms in which Python prints what a row says: as it is, and in a traceback."""
    yield row.text
    if row.kind == "class" and not row.text:
        module = row.path.removesuffix(".py").replace("/", ".")
        for name in (row.raised, f"litellm.{row.raised}", f"{module}.{row.raised}"):
            yield f"{name}: {{message}}"
        yield f"{row.raised}('{{message}}')"
    elif row.kind == "raise":
        yield f"{row.raised}: {row.text}"
        yield f"in {row.function.rpartition('.')[2]} raise {row.raised}("


def overlaps(piece: str, words: str) -> Iterator[int]:
    """By how many letters a piece may end as words begin, the most first."""
    at = piece.find(words[:1], max(0, len(piece) - len(words)))
    while words and at >= 0:
        if words.startswith(piece[at:]):
            yield len(piece) - at
        at = piece.find(words[:1], at + 1)


class Said:
    """What the releases of a table say, to look words up in."""

    def __init__(self, table: Table) -> None:
        self.bits = {version: 1 << place for place, version in enumerate(table.versions)}
        self.names: defaultdict[str, int] = defaultdict(int)
        self.vocabulary: set[str] = set()
        having: defaultdict[str, int] = defaultdict(int)
        for row, versions in table.entries:
            bits = self.bits_of(versions)
            for name in (row.error_type, row.path, row.path.rpartition("/")[2], *row.function.split(".")):
                self.names[name.lower()] |= bits
            said = f"{row.path} {row.function} {row.raised} {row.error_type} {row.text}"
            self.vocabulary.update(WORD.findall(said.lower()))
            for text in printed(row):
                having[text] |= bits
        folded: defaultdict[str, int] = defaultdict(int)
        for text, bits in having.items():
            folded[GAP.join(plain(part) for part in HOLE.split(text))] |= bits
        self.texts = sorted(folded)
        self.versions = [folded[text] for text in self.texts]
        self.whole = END + END.join(self.texts) + END
        self.starts = list(accumulate((len(text) + 1 for text in self.texts), initial=1))
        self.pieces = [text.split(GAP) for text in self.texts]
        self.opened: dict[tuple[str, int], int] = {}
        self.known: dict[str, int] = {}
        self.holed: dict[str, int] = {}
        self.index()

    def index(self) -> None:
        """By which words the texts with holes are found."""
        self.by_token: defaultdict[str, list[int]] = defaultdict(list)
        self.by_opening: defaultdict[str, list[int]] = defaultdict(list)
        for index, pieces in enumerate(self.pieces):
            if len(pieces) > 1:
                self.by_opening[pieces[0]].append(index)
                for token in set(TOKEN.findall(self.texts[index])):
                    self.by_token[token].append(index)

    def value(self, words: str) -> bool:
        """Whether each of the words is a number or one that releases use."""
        return all(word.isdigit() or word in self.vocabulary for word in WORD.findall(words))

    def values(self, words: str, piece: str) -> Iterator[str]:
        """What may stand in a hole at the beginning of words, if a piece goes on behind it."""
        found = VALUE.match(words)
        longest = len(found[0]) if found else 0
        at = words.find(piece[:1], 0, longest + 1)
        while at >= 0:
            if self.value(words[:at]):
                yield words[:at]
            at = words.find(piece[:1], at + 1, longest + 1)

    def bits_of(self, versions: Iterable[str]) -> int:
        """Releases as a number; those that were never read are none."""
        return sum(self.bits.get(version, 0) for version in versions)

    def by(self, words: str, wanted: int = ALL) -> int:
        """The releases that say `words`, which are `plain`.

        What is said through holes only is looked for where no wanted release says them as they are.
        """
        known = self.as_they_are(words)
        if known & wanted:
            return known
        if words not in self.holed:
            self.holed[words] = self.through_holes(GAP.join(HOLE.split(words)))
        return known | self.holed[words]

    def as_they_are(self, words: str) -> int:
        """The releases in which words stand as they are, or are a name."""
        if words not in self.known:
            found = self.names.get(words.strip(), 0)
            for index in self.where(GAP.join(HOLE.split(words))):
                found |= self.versions[index]
            self.known[words] = found
        return self.known[words]

    def where(self, words: str) -> Iterator[int]:
        """The texts in which words stand as they are."""
        at = self.whole.find(words)
        while at >= 0:
            index = bisect_right(self.starts, at) - 1
            yield index
            at = self.whole.find(words, self.starts[index + 1])

    def through_holes(self, words: str) -> int:
        """The releases that say words of which a part fills holes: values, or another of their texts."""
        found = 0
        first = TOKEN.findall(words)[:FIRST]
        likely = {index for token in first for index in self.by_token.get(token, ())}
        least = max(LEAST, letters(words) * SHARE)
        for index in likely:
            if self.versions[index] & ~found:
                found |= self.versions[index] & self.aligned(self.pieces[index], words, least)
        return found

    def aligned(self, pieces: list[str], words: str, least: float) -> int:
        """The releases in which words are a part of a text with holes, wherever in it they begin."""
        for index, piece in enumerate(pieces):
            if index < len(pieces) - 1:
                for length in overlaps(piece, words):
                    left = least - letters(words[:length])
                    found = self.goes_on(pieces, index + 1, words[length:], left, DEEP)
                    if found:
                        return found
            if index and piece:
                for value in self.values(words, piece):
                    found = self.fits(pieces, index, words[len(value) :], least, DEEP)
                    if found:
                        return found
        return NONE

    def goes_on(self, pieces: list[str], index: int, words: str, least: float, deep: int) -> int:
        """In a hole before a piece: a value and that piece, or another text."""
        if not words.strip() or (VALUE.fullmatch(words) and self.value(words)):
            return ALL if least <= 0 else NONE
        piece = pieces[index]
        if not piece and index < len(pieces) - 1:
            return self.goes_on(pieces, index + 1, words, least, deep)
        for value in self.values(words, piece) if piece else ():
            found = self.fits(pieces, index, words[len(value) :], least, deep)
            if found:
                return found
        return self.opens(words, deep - 1) if deep else NONE

    def fits(self, pieces: list[str], index: int, words: str, least: float, deep: int) -> int:
        """Words that begin where a piece begins."""
        piece = pieces[index]
        if piece.startswith(words):
            return ALL if least <= letters(words) else NONE
        if index < len(pieces) - 1 and words.startswith(piece):
            return self.goes_on(pieces, index + 1, words[len(piece) :], least - letters(piece), deep)
        return NONE

    def opens(self, words: str, deep: int) -> int:
        """The releases that have a text which begins with the words."""
        key = (words, deep)
        if key not in self.opened:
            self.opened[key] = self.looked_up(words, deep)
        return self.opened[key]

    def looked_up(self, words: str, deep: int) -> int:
        """As `opens`, found out."""
        found = 0
        at = bisect_left(self.texts, words)
        while at < len(self.texts) and self.texts[at].startswith(words):
            found |= self.versions[at]
            at += 1
        for length in range(len(words), 2, -1):
            opening = words[:length]
            if opening in self.by_opening and letters(opening) >= 3:
                for index in self.by_opening[opening]:
                    found |= self.versions[index] & self.goes_on(
                        self.pieces[index], 1, words[length:], 0, deep
                    )
        return found
