"""Words in Markdown as paragraphs and lists, each with its code."""

import re
from dataclasses import dataclass

FENCE = re.compile(r"^ *(```|~~~)")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or a list of the words, with the code blocks that belong to it."""

    line: int
    text: str


def blocks(lines: list[str], first_line: int) -> list[Block]:
    """Splits words into paragraphs, lists and tables; code blocks belong to what stands before them."""
    found: list[Block] = []
    current: list[str] = []
    start, fenced, is_list = first_line, False, False
    for number, line in enumerate(lines, first_line):
        if FENCE.match(line):
            fenced = not fenced
        goes_on = fenced or FENCE.match(line) or not line.strip() or line.startswith((" ", "\t"))
        item = bool(re.match(r"([-*+]|\d+[.)]) ", line))
        blank_before = not current or not current[-1].strip()
        if not goes_on and blank_before and current and not (item and is_list):
            found.append(Block(start, "\n".join(current).strip()))
            current = []
        if not current:
            if not line.strip():
                continue
            start, is_list = number, item
        current.append(line)
    if any(line.strip() for line in current):
        found.append(Block(start, "\n".join(current).strip()))
    return found
