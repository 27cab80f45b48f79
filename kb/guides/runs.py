"""Which words of two lines differ. Pure: the templates escape what they show."""

import re
from difflib import SequenceMatcher
from itertools import groupby

LONGEST = 2_000  # characters of a line in which single words are still compared
WORD = re.compile(r"\w+|\s+|[^\w\s]")

# (words, do they differ)
Run = tuple[str, bool]


def words(before: str, after: str) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Both lines as runs of words; lines with little in common differ as a whole."""
    if max(len(before), len(after)) > LONGEST:
        return ends(before, after)
    a, b = WORD.findall(before), WORD.findall(after)
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < 0.3:
        return ((before, True),), ((after, True),)
    old: list[Run] = []
    new: list[Run] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        old.append(("".join(a[i:j]), tag != "equal"))
        new.append(("".join(b[k:m]), tag != "equal"))
    return joined(old), joined(new)


def ends(before: str, after: str) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Long lines: what they begin and end with in common is kept, all between differs."""
    most = min(len(before), len(after))
    start = next((n for n in range(most) if before[n] != after[n]), most)
    rest = most - start
    end = next((n for n in range(rest) if before[-1 - n] != after[-1 - n]), rest)

    def cut(text: str) -> tuple[Run, ...]:
        middle = len(text) - end
        return joined([(text[:start], False), (text[start:middle], True), (text[middle:], False)])

    return cut(before), cut(after)


def joined(runs: list[Run]) -> tuple[Run, ...]:
    """Runs without empty ones, neighbours of one kind as one."""
    full = [run for run in runs if run[0]]
    around = zip([("", False), *full], full, [*full[1:], ("", False)], strict=False)
    # White space between two words that differ belongs to them.
    whole = [(text, marked or (not text.strip() and a[1] and b[1])) for a, (text, marked), b in around]
    groups = groupby(whole, key=lambda run: run[1])
    return tuple(("".join(text for text, _ in group), marked) for marked, group in groups)
