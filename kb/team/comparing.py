"""Two texts held against each other, and three brought together. Pure: lines and words, no HTML.

The templates escape what they show; this only says which words differ.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kb.guides.runs import Run, words
from kb.team.parts import split

CONTEXT = 2  # unchanged lines that are shown around changed ones
MOST_LINES = 400  # of a changed stretch: a larger one is shown as it was and as it is
KEPT, OLD, NEW, GAP = "kept", "old", "new", "gap"
NAMES = {
    "title": "Title", "summary": "Summary", "category": "Category", "hop": "Hop", "verified": "Verified",
    "synonyms": "Synonyms", "related": "Related", "review": "Second reader", "message": "Messages",
    "signature": "Signatures", "sample": "Samples", "source": "Sources", "fix": "Facts of fixes",
    "means": "What it means", "why": "Why it happens", "causes": "Causes", "fixes": "Quick fixes",
    "checks": "Platform checks", "steps": "Step by step", "prevention": "Prevention", "faq": "FAQ",
    "all_facts": "Facts", "all_words": "Words", "all": "The whole text",
    "between": "Between the parts",
}  # fmt: skip

WHOLE = {"all", "all_facts", "all_words"}
SELF_EVIDENT = re.compile(r"\+\+\+|[\w-]+ *= *|## .*")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a comparison: kept, old, new, or a gap where unchanged lines are left out."""

    kind: str
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the guide that differs."""

    name: str
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Clash:
    """A stretch that was changed on both sides, differently."""

    title: str
    base: str
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Three texts brought together; where there are clashes, `text` has the preferred side in them."""

    text: str
    clashes: tuple[Clash, ...]


def title_of(name: str) -> str:
    """A part's name as people read it; the second run of a table has a number."""
    word, _, number = name.rpartition("_")
    if number.isdigit():
        return f"{NAMES.get(word, word)} ({number})"
    return NAMES.get(name, name)


def differences(before: str, after: str) -> list[Section]:
    """The parts that differ, in the order of the later text; all as one where they are cut differently."""
    old, new = by_part(before), by_part(after)
    if before and after and (old.keys() ^ new.keys()) & WHOLE:
        old, new = {"all": before}, {"all": after}
    names = [*new, *(name for name in old if name not in new)]
    found = []
    for name in names:
        lines = compared(old.get(name, ""), new.get(name, ""))
        if lines:
            found.append(Section(name, title_of(name), tuple(lines)))
    return found


def by_part(text: str) -> dict[str, str]:
    """Name -> what a part says; what stands between parts, such as comments, is one more."""
    pieces = split(text) if text else []
    found = {piece.name: piece.shown for piece in pieces if piece.name}
    glue = "".join(piece.text for piece in pieces if not piece.name)
    kept = [line for line in glue.split("\n") if line.strip() and not SELF_EVIDENT.fullmatch(line)]
    return found | {"between": "\n".join(kept)}


def compared(before: str, after: str) -> list[Line]:
    """The lines of two texts; empty where they are the same."""
    if before == after:
        return []
    old, new = before.split("\n") if before else [], after.split("\n") if after else []
    steps = SequenceMatcher(None, old, new).get_grouped_opcodes(CONTEXT)
    lines: list[Line] = []
    for group in steps:
        if lines or group[0][1]:
            lines.append(Line(GAP))
        for tag, a, b, c, d in group:
            if tag == "equal":
                lines += [Line(KEPT, ((line, False),)) for line in old[a:b]]
            else:
                lines += replaced(old[a:b], new[c:d])
    return lines


def replaced(old: Sequence[str], new: Sequence[str]) -> list[Line]:
    """Lines that give way to others: pair by pair with the words marked that differ, then the rest."""
    pairs = min(len(old), len(new)) if max(len(old), len(new)) <= MOST_LINES else 0
    found: list[Line] = []
    for a, b in zip(old[:pairs], new[:pairs], strict=True):
        before, after = words(a, b)
        found += [Line(OLD, before), Line(NEW, after)]
    found += [Line(OLD, ((line, True),)) for line in old[pairs:]]
    return found + [Line(NEW, ((line, True),)) for line in new[pairs:]]


def merge(base: str, theirs: str, ours: str, prefer: str = "ours") -> Merged:
    """What both sides made of `base`; `prefer` says whose words stand where both changed the same lines."""
    was, left, right = (text.splitlines(keepends=True) for text in (base, theirs, ours))
    made: list[str] = []
    clashes: list[Clash] = []
    a = b = c = 0
    for start, theirs_at, ours_at, size in common(was, left, right):
        for line, old, one, two in paired(a, was[a:start], left[b:theirs_at], right[c:ours_at]):
            if two == old or one == two:
                made += one
            elif one == old:
                made += two
            else:
                made += two if prefer == "ours" else one
                place = title_of(part_at(base, line + 1))
                clashes.append(Clash(place, "".join(old), "".join(one), "".join(two)))
        made += was[start : start + size]
        a, b, c = start + size, theirs_at + size, ours_at + size
    return Merged("".join(made), tuple(clashes))


Lines = list[str]


def paired(at: int, old: Lines, one: Lines, two: Lines) -> Iterator[tuple[int, Lines, Lines, Lines]]:
    """A changed stretch line by line where each side has as many lines as before, else as a whole."""
    if len(old) == len(one) == len(two):
        for n in range(len(old)):
            yield at + n, old[n : n + 1], one[n : n + 1], two[n : n + 1]
    else:
        yield at, old, one, two


def part_at(text: str, line: int) -> str:
    """The part in which a line stands."""
    name = ""
    for piece in split(text):
        if piece.line > line:
            break
        name = piece.name or name
    return name


def common(was: Lines, left: Lines, right: Lines) -> Iterator[tuple[int, int, int, int]]:
    """(start in base, in the one, in the other, how many) of the lines that all three have; then the end."""
    one = SequenceMatcher(None, was, left).get_matching_blocks()
    two = SequenceMatcher(None, was, right).get_matching_blocks()
    i = j = 0
    while i < len(one) and j < len(two):
        a, b, size = one[i]
        c, d, other = two[j]
        start, end = max(a, c), min(a + size, c + other)
        if start < end:
            yield start, b + start - a, d + start - c, end - start
        if a + size < c + other:
            i += 1
        else:
            j += 1
    yield len(was), len(left), len(right), 0
