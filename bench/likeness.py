"""Likeness: what comes near a text of 20 KB that no signature knows, of all that a release can print."""

import json
import re
from itertools import cycle
from pathlib import Path

from bench.measure import goal, medians, table
from bench.words import Writer
from kb.diagnosis.likeness import Known, Likeness
from kb.diagnosis.text import readable, redact
from kb.guides.releases import table as releases
from kb.guides.rendered.values import HOLE

ROOT = Path(__file__).resolve().parents[1]
GOAL_SECONDS = 20e-3
KB20 = 20_000


def messages() -> list[Known]:
    """All texts of the newest scanned release."""
    scanned = releases.read(ROOT / "content" / "litellm")
    return [Known(row.text, row.text) for row in scanned.rows(scanned.newest) if row.text]


def kinds(known: list[Known]) -> dict[str, list[str]]:
    """Logs of made-up words, labelled real texts one after another, and the messages themselves."""
    rows = (ROOT / "tests" / "corpus" / "labelled.jsonl").read_text().splitlines()
    real = "\n".join(json.loads(row)["text"] for row in rows)
    own = "\n".join(HOLE.sub("x", one.text) for one in known if re.search(r"\w+ \w+ \w+ \w+", one.text))
    texts = {
        "logs of made-up words": [Writer(300 + place).log(KB20) for place in range(4)],
        "real errors, one after another": [
            real[start : start + KB20] for start in (0, 10_000, 20_000, 30_000)
        ],
        "messages, one after another": [
            own[start : start + KB20] for start in (0, 100_000, 200_000, 300_000)
        ],
    }
    return {name: [redact(readable(text)).text for text in those] for name, those in texts.items()}


def main() -> bool:
    """Prints the table; tells whether the goal was met."""
    known = messages()
    likeness = Likeness(known)
    turns = {name: cycle(those) for name, those in kinds(known).items()}
    cases = {name: lambda turn=turn: likeness.rank(next(turn)) for name, turn in turns.items()}
    taken = medians({"index all messages": lambda: Likeness(known)} | cases, rounds=5)
    table(("20 KB", "takes"), [[name, f"{seconds * 1e3:,.1f} ms"] for name, seconds in taken.items()])
    print()
    slowest = max(taken["logs of made-up words"], taken["real errors, one after another"])
    return goal(
        f"20 KB against {len(known):,} messages in {slowest * 1e3:.1f} ms, at most {GOAL_SECONDS * 1e3:.0f}",
        slowest <= GOAL_SECONDS,
    )
