"""What a guide's page is put together from: its sections in order, its contents, the way of a call."""

from dataclasses import dataclass
from typing import Any

from kb.guides.vocabulary import Hop

SECTIONS = (
    ("means", "What it means", None),
    ("why", "Why it happens", None),
    ("causes", "Causes", "causes"),
    ("fixes", "Quick fixes", "fixes"),
    ("checks", "Platform checks", "checks"),
    ("steps", "Step by step", "steps"),
    ("prevention", "Prevention", "preventions"),
    ("faq", "FAQ", "faqs"),
)
ENTRIES = tuple(name for _, _, name in SECTIONS if name)


def contents(parts: dict[str, list[Any]]) -> list[list[Any]]:
    """The table of contents: [level, id, title] for each section and each entry in it."""
    rows: list[list[Any]] = [[2, "message", "Exact message"]]
    for anchor, title, name in SECTIONS:
        rows.append([2, anchor, title])
        rows += [[3, entry.key, entry.title] for entry in parts.get(name or "", [])]
    return [*rows, [2, "sources", "Sources checked"], [2, "reported", "What readers reported"]]


@dataclass(frozen=True, slots=True)
class Link:
    """A hop in the drawing of a call's way: passed, broken or not_reached."""

    hop: Hop
    state: str


def chain(broken: Hop) -> list[Link]:
    """The way of a call with the place where it breaks."""
    place = list(Hop).index(broken)
    states = ["passed"] * place + ["broken"] + ["not_reached"] * (len(Hop) - place - 1)
    return [Link(hop, state) for hop, state in zip(Hop, states, strict=True)]
