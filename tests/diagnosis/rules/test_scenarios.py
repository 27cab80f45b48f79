"""Each scenario that a real proxy was put through is judged as it should be, on both versions."""

from typing import Any

import pytest

from kb.diagnosis.diagnose import as_object, diagnose
from tests.diagnosis.captures import CASES, EXPECTED, asked, capture, replies

# expected.json names no version here, yet 1.108.7 sets the counter at reset_spend and admits the call.
HEALED = ("1.108.7", "stale_key_without_redis")
REFUSED = [case for case in CASES if case != HEALED]


def judged(version: str, name: str, *, admin: bool) -> dict[str, Any]:
    recorded = capture(version, name)
    return as_object(diagnose(replies(version, name, admin=admin), asked(recorded, admin=admin)))


def blocking(found: dict[str, Any]) -> list[str]:
    return [row["scope"] for row in found["budgets"] if row["blocks"]]


@pytest.mark.parametrize(("version", "name"), REFUSED)
def test_with_the_admin_key_each_scenario_is_decided(version: str, name: str) -> None:
    found, wanted = judged(version, name, admin=True), EXPECTED[name]
    verdict = found["verdict"]
    for field in ("status", "category", "hop", "slug", "stale"):
        if field in wanted:
            assert verdict[field] == wanted[field], verdict["sentence"]
    assert blocking(found) == ([wanted["blocks"]] if "blocks" in wanted else [])


@pytest.mark.parametrize(("version", "name"), REFUSED)
def test_with_the_key_alone_nothing_else_is_blamed(version: str, name: str) -> None:
    found, wanted = judged(version, name, admin=False), EXPECTED[name]
    verdict = found["verdict"]
    assert verdict["status"] == wanted["status"]
    assert wanted.get("category") in (verdict["category"], None)
    assert verdict["hop"] == wanted.get("hop", "answer")
    assert verdict["slug"] in ("", wanted.get("slug", verdict["slug"]))
    assert blocking(found) in ([], [wanted.get("blocks")])
    assert verdict["stale"] in (None, wanted.get("stale"))
    if verdict["confidence"] == "undecided":
        assert [one for one in found["findings"] if one["would_settle"]]


def test_1_108_7_admits_the_call_after_a_reset_without_redis() -> None:
    assert judged(*HEALED, admin=True)["verdict"]["status"] == "healthy"


@pytest.mark.parametrize(("version", "name"), REFUSED)
def test_a_fault_has_a_cause_evidence_and_a_fix(version: str, name: str) -> None:
    found = judged(version, name, admin=True)
    if found["verdict"]["status"] == "healthy":
        return
    assert found["verdict"]["cause"]
    assert found["fixes"]
    assert all(fix["who"] and fix["title"] and fix["retry"] for fix in found["fixes"])
    assert [one for one in found["findings"] if one["state"] == "supported" and one["because"]]


SHAPES = {
    "stale_key_counter_poisoned": "stale-spend-counter",
    "stale_team_scoped_key": "stale-spend-counter",
    "stale_key_reserved_by_request_in_flight": "stale-spend-reservation",
    "stale_key_after_client_disconnect": "stale-spend-reservation",
    "stale_key_seeded_twice_by_two_proxies": "stale-spend-seeded",
    "stale_key_after_reset_spend": "stale-spend-reset",
    "stale_key_after_update_spend": "stale-spend-reset",
    "stale_key_without_redis": "stale-spend-reset",
}


@pytest.mark.parametrize(("version", "name"), [case for case in REFUSED if case[1] in SHAPES])
def test_the_shape_of_the_numbers_names_the_cause(version: str, name: str) -> None:
    assert judged(version, name, admin=True)["verdict"]["cause"] == SHAPES[name]


def test_the_sentence_has_the_readers_numbers() -> None:
    assert judged("1.84.0", "stale_team_scoped_key", admin=True)["verdict"]["sentence"] == (
        "The key's own budget blocked this call: LiteLLM enforced $10.20 against a limit of $10.00 while it"
        " has recorded $0.02, so the refusal rests on a stale counter, not on spending."
    )


@pytest.mark.parametrize("version", ["1.84.0", "1.108.7"])
def test_a_budget_that_lets_an_overspent_key_through_is_told(version: str) -> None:
    found = judged(version, "stale_low_counter_in_redis", admin=True)
    told = [one for one in found["findings"] if one["cause"] == "budget-not-enforced"]
    assert [one["state"] for one in told] == ["supported"]
    assert "isn't enforced" in found["verdict"]["sentence"]
    assert [fix["command"].split()[1] for fix in found["fixes"]] == ["--scan"]  # KEYS would stop Redis


@pytest.mark.parametrize("version", ["1.84.0", "1.108.7"])
def test_redis_away_is_a_second_finding_and_not_the_verdict(version: str) -> None:
    found = judged(version, "down_redis", admin=True)
    assert found["verdict"]["cause"] == "budget-exceeded-key"
    assert "redis-connection-error" in [
        one["cause"] for one in found["findings"] if one["state"] == "supported"
    ]


def test_on_1_84_0_no_fix_names_a_remedy_that_was_tried_in_vain() -> None:
    found = judged("1.84.0", "stale_key_counter_poisoned", admin=True)
    assert not [
        fix for fix in found["fixes"] if "reset_spend" in fix["command"] or '"spend": 0' in fix["command"]
    ]
    assert "/cache/delete" in found["fixes"][0]["command"]
