"""Line breaks that a terminal put in, at its width and inside of words, are found and taken out here."""

import re
from itertools import accumulate

_NARROWEST = 40  # columns of a terminal
_TERMINALS = frozenset({72, 78, 79, 80, 100, 120, 132, 160})
_HALF_KEY = re.compile(r"sk-[\w-]{1,200}\n(?=([A-Za-z0-9]{6,200}))")
_KEY_LETTERS = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"))


def terminal_breaks(lines: list[str]) -> tuple[int, ...]:
    """Offsets of the line breaks that end the widest lines, if their width looks like that of a terminal.

    It does if two lines have it, which reach as far as the terminal does, or if many terminals have it.
    Lines that were broken between words, so that no shorter one has room for what comes next, are none.
    """
    widths = [len(line) for line in lines]
    widest = max(widths)
    if widest < _NARROWEST or (widths.count(widest) < 2 and widest not in _TERMINALS):
        return ()
    short = [place for place, width in enumerate(widths[:-1]) if width < widest]
    if short and not any(widths[place] + len(_first_word(lines[place + 1])) < widest for place in short):
        return ()
    ends = accumulate(width + 1 for width in widths[:-1])
    return tuple(end - 1 for end, width in zip(ends, widths, strict=False) if width == widest)


def key_breaks(text: str) -> tuple[int, ...]:
    """Offsets of the line breaks inside of a key, whatever the width of the lines.

    There a line of some length ends in what begins like a key, and the next one goes on with small and
    capital letters and digits, as no word of an error does.
    """
    return tuple(
        found.end() - 1
        for found in _HALF_KEY.finditer(text)
        if found.end() - text.rfind("\n", 0, found.start()) > _NARROWEST
        and all(letters.search(found[1]) for letters in _KEY_LETTERS)
    )


def _first_word(line: str) -> str:
    return line.partition(" ")[0]


def without(text: str, breaks: tuple[int, ...]) -> str:
    """The text without its characters at those offsets."""
    edges = zip((0, *(place + 1 for place in breaks)), (*breaks, len(text)), strict=True)
    return "".join(text[start:end] for start, end in edges) if breaks else text
