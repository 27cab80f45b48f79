"""Cuts a pasted text for showing: the deciding parts marked, the rest of a long text left out."""

from collections.abc import Iterable
from dataclasses import dataclass

NEAR = 1_500  # characters shown around each deciding part
SHORT = 8_000  # a text up to this length is shown whole


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text: plain, marked, or left out (then `text` is empty and `skipped` counts)."""

    text: str
    marked: bool = False
    skipped: int = 0


def excerpt(text: str, spans: Iterable[tuple[int, int]]) -> list[Piece]:
    """`text` as pieces; `spans` are (start, end) of the deciding parts, overlapping or not, in any order."""
    merged = merge(spans)
    found: list[Piece] = []
    end = 0
    for start, stop in merged:
        found += plain(text[end:start], opens=bool(found), closes=True)
        found.append(Piece(text[start:stop], marked=True))
        end = stop
    return found + plain(text[end:], opens=bool(found), closes=False)


def merge(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same stretches without overlaps, in order."""
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        elif stop > start:
            merged.append((start, stop))
    return merged


def plain(text: str, opens: bool, closes: bool) -> list[Piece]:
    """A stretch between marks: whole if it is short, else its ends that touch a mark."""
    if len(text) <= SHORT:
        return [Piece(text)] if text else []
    head = text[:NEAR] if opens or not closes else ""
    tail = text[-NEAR:] if closes or not opens else ""
    left_out = Piece("", skipped=len(text) - len(head) - len(tail))
    return [piece for piece in (Piece(head), left_out, Piece(tail)) if piece.text or piece.skipped]


def telling_line(text: str) -> str:
    """The line to search by when nothing fits: the last that speaks of an error, else the last."""
    lines = [line.strip() for line in text[-100_000:].splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or "exception" in line.lower()]
    return (errors or lines or [""])[-1]
