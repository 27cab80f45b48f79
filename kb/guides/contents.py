"""The sections of a guide's page in their order, and its table of contents."""

from typing import Any

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


def contents(parts: dict[str, list[Any]]) -> list[list[Any]]:
    """The table of contents: [level, id, title] for each section and each entry in it."""
    rows: list[list[Any]] = [[2, "message", "Exact message"]]
    for anchor, title, name in SECTIONS:
        rows.append([2, anchor, title])
        rows += [[3, entry.key, entry.title] for entry in parts.get(name or "", [])]
    return [*rows, [2, "sources", "Sources checked"], [2, "reports", "What readers reported"]]
