"""Errors of other software: real texts, each with its origin, of which no guide may recognise any."""

import json
from collections import Counter
from pathlib import Path

from tests.contracts.test_content import found

UNRELATED = Path(__file__).resolve().parents[1] / "corpus" / "unrelated.jsonl"


def cases() -> list[dict[str, str]]:
    """Every case: id, software, origin (a command that prints it, or an address), text."""
    return [json.loads(line) for line in UNRELATED.read_text().splitlines()]


def test_no_error_of_other_software_is_recognised() -> None:
    assert [(case["id"], found(case["text"])) for case in cases() if found(case["text"])] == []


def test_the_errors_of_other_software_are_many_and_say_where_they_come_from() -> None:
    rows = cases()
    assert len({case["text"] for case in rows}) == len({case["id"] for case in rows}) == len(rows) >= 500
    assert len({case["software"] for case in rows}) >= 100
    assert [case["id"] for case in rows if not case["origin"].startswith(("run: ", "https://"))] == []
    assert Counter(case["software"] for case in rows).most_common(1)[0][1] < len(rows) / 5
