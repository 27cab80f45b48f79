"""The judge of `make live`, and that expected.json and the scenarios name the same failures."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.live.lab.scenarios import ALONE, SCENARIOS
from tests.live.verdict import judge

EXPECTED = json.loads((Path(__file__).parent / "expected.json").read_text())
STALE = {
    "status": "fault",
    "category": "quota_rate",
    "hop": "budget",
    "blocks": "key",
    "stale": True,
    "slug": "budget-exceeded-key-stale-spend",
}


def answer(blocks: str | None = "key", settles: str = "", **verdict: Any) -> dict[str, Any]:
    """A diagnosis of a stale key, but for what is given."""
    base = {"status": "fault", "cause": "stale-spend-counter", "slug": "budget-exceeded-key-stale-spend"}
    base |= {"category": "quota_rate", "hop": "budget", "confidence": "proved", "sentence": "Stale."}
    budgets = [{"scope": scope, "blocks": scope == blocks} for scope in ("key", "team")]
    return {
        "verdict": {"stale": True, **base, **verdict},
        "budgets": budgets,
        "findings": [{"cause": "stale-spend-counter", "state": "undecided", "would_settle": settles}],
        "fixes": [{"who": "proxy_admin"}],
    }


def test_every_scenario_has_a_verdict_and_the_reverse() -> None:
    assert set(SCENARIOS) == {name for name in EXPECTED if name != "_"}
    assert set(SCENARIOS) >= ALONE


def test_right() -> None:
    assert judge(STALE, answer(), 1).word == "right"
    healthy = answer(blocks=None, status="healthy", cause="", slug="", category="", hop="", stale=None)
    assert judge({"status": "healthy"}, healthy, 0).word == "right"


@pytest.mark.parametrize(
    "said",
    [
        answer(confidence="undecided", settles="the admin key"),
        answer(stale=None, settles="the admin key"),
        answer(blocks=None, settles="the admin key"),
        answer(status="unrecognised", cause="", slug="", category="", hop="", settles="the error"),
        answer(confidence="undecided", slug="budget-exceeded-key", stale=None, settles="/key/info"),
    ],
)
def test_undecided(said: dict[str, Any]) -> None:
    assert judge(STALE, said, 1).word == "undecided"


@pytest.mark.parametrize(
    ("said", "exit_status", "why"),
    [
        (answer(blocks="team"), 1, "blocked by team, not key"),
        (answer(stale=False), 1, "stale False, not True"),
        (answer(slug="budget-exceeded-key"), 1, "slug budget-exceeded-key, not"),
        (answer(confidence="undecided", slug="budget-exceeded-team", settles="x"), 1, "budget-exceeded-team"),
        (answer(hop="limit"), 1, "hop limit, not budget"),
        (answer(status="healthy"), 0, "status healthy, not fault"),
        (answer(), 0, "fault with exit status 0"),
        (answer(cause=""), 1, "without a cause"),
        (answer() | {"fixes": []}, 1, "without a fix"),
        (answer(stale=None), 1, "nothing says what would settle it"),
    ],
)
def test_wrong(said: dict[str, Any], exit_status: int, why: str) -> None:
    judgement = judge(STALE, said, exit_status)
    assert judgement.word == "wrong"
    assert why in judgement.why


def test_a_second_finding_is_expected_or_wrong() -> None:
    said = answer()
    said["findings"].append({"cause": "redis-connection-error", "state": "supported", "would_settle": ""})
    assert judge(STALE, said, 1).why == "accuses redis-connection-error as well"
    assert judge(STALE | {"also": ["redis-connection-error"]}, said, 1).word == "right"


def test_a_fault_elsewhere_is_not_blamed_on_a_budget() -> None:
    expected = {"status": "fault", "category": "account_auth", "hop": "key"}
    said = answer(category="account_auth", hop="key", stale=None)
    assert judge(expected, said, 1).why == "blocked by key, not a budget"
