"""What the replies say is read with where it came from; what can't be read is absent."""

import math
from dataclasses import replace
from typing import Any

import pytest

from kb.diagnosis.blocked import blocked
from kb.diagnosis.facts import Facts, Version, read
from kb.diagnosis.finding import Asked, Reply
from kb.diagnosis.loose import number, seconds
from kb.diagnosis.refusal import amounts, from_body, from_text
from tests.diagnosis.captures import asked, capture, replies


def facts(*heard: Reply, **given: Any) -> Facts:
    return read(heard, Asked(**given))


def answer(probe: str, body: Any, status: int = 200, **more: Any) -> Reply:
    return Reply(probe=probe, request=f"GET /{probe}", outcome="ok", status=status, body=body, **more)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(1, 1.0), ("0.02", 0.02), ("$3.5", 3.5), (True, None), ("1e400", None), (math.nan, None), ("inf", None),
     (None, None), ([], None), ({}, None), ("", None), (10**400, None)],
)  # fmt: skip
def test_a_number_is_finite_or_none(value: Any, wanted: float | None) -> None:
    assert number(value) == wanted


def test_times_differ_by_seconds_across_a_year() -> None:
    new, old = seconds("2027-01-01T00:00:01Z"), seconds("2026-12-31T23:59:59.500000+00:00")
    assert new is not None
    assert old is not None
    assert new - old == 1.5
    assert seconds("2026-13-01T00:00:00Z") is None
    assert seconds("soon") is None


@pytest.mark.parametrize(
    ("text", "scope", "identity", "cost", "limit"),
    [
        ("Budget has been exceeded! Current cost: 10.2, Max budget: 10.0", None, "", 10.2, 10.0),
        ("Budget has been exceeded! Key=a b (sk-...y3Nw) Current cost: 1, Max budget: 1",
         "key", "a b (sk-...y3Nw)", 1, 1),
        ("Budget has been exceeded! User=u in Team=t Current cost: 5, Max budget: 4",
         "team_member", "u", 5, 4),
        ("Budget has been exceeded! TeamMember=u:t Current cost: 5, Max budget: 4", "team_member", "u", 5, 4),
        ("Budget has been exceeded! EndUser=e Current cost: 5, Max budget: 4", "end_user", "e", 5, 4),
        ("ExceededBudget: Key over 1d budget. Spend=$0.0200, Limit=$0.01", "key_window", "", 0.02, 0.01),
        ("ExceededBudget: Team=t over 7d budget. Spend=$2.0000, Limit=$1.00", "team_window", "t", 2, 1),
        ("Exceeded budget for tag='x', tag_spend=2, tag_budget_limit=1.5", "tag", "x", 2, 1.5),
        ("Budget has been exceeded! Team=t Current cost: nan, Max budget: inf", "team", "t", None, None),
    ],
)  # fmt: skip
def test_the_budget_of_a_text_is_read(text: str, scope: Any, identity: str, cost: Any, limit: Any) -> None:
    found = amounts(text)
    assert found is not None
    assert (found.scope, found.id, found.cost, found.limit) == (scope, identity, cost, limit)


def test_the_estimate_of_a_reservation_is_read() -> None:
    text = "Budget has been exceeded! Key=ab Current cost: 0.05,"
    text += " Estimated request cost: 0.1638, Max budget: 0.1"
    found = amounts(text)
    assert found is not None
    assert (found.cost, found.estimated, found.limit) == (0.05, 0.1638, 0.1)


def test_a_budget_that_a_gateway_further_on_names_is_none_of_this_proxys() -> None:
    said = "Budget has been exceeded! Current cost: 2, Max budget: 1"
    assert amounts(f"litellm.BadRequestError: OpenAIException - {said}") is None
    assert amounts(said) is not None


@pytest.mark.parametrize(
    "body",
    [{"error": {"message": "m", "type": "None", "param": "None"}}, {"error": {"message": "m", "type": None}},
     {"error": "m"},
     {"detail": "m"}, {"detail": {"error": "m"}}, "m"],
)  # fmt: skip
def test_a_refusal_of_any_form_has_its_message_and_no_type_called_none(body: Any) -> None:
    found = from_body(body, 400, "the test call")
    assert found is not None
    assert (found.message, found.type) == ("m", "")


def test_a_python_clients_error_text_is_read_as_the_answer_is() -> None:
    found = from_text(
        "openai.BadRequestError: Error code: 400 - {'error': {'message': 'Budget has been exceeded!"
        " Current cost: 10.2, Max budget: 10.0', 'type': 'budget_exceeded', 'param': None, 'code': '400'}}"
    )
    assert found is not None
    assert (found.type, found.status, found.amounts and found.amounts.limit) == ("budget_exceeded", 400, 10.0)


def test_the_version_is_said_by_a_success_or_shown_by_the_form_of_a_refusal() -> None:
    said = facts(answer("call", {"id": "x", "choices": []}, headers={"x-litellm-version": "1.108.7"})).version
    assert (said.number, said.era) == ("1.108.7", "1.108")
    for version, era in (("1.84.0", "1.84"), ("1.108.7", "1.108")):
        heard = replies(version, "budget_key", admin=False)
        shown = read(heard, asked(capture(version, "budget_key"), admin=False)).version
        assert (shown.number, shown.era, shown.source) == ("", era, "the form of the error")


def test_which_budgets_a_refusal_may_leave_unnamed_goes_by_the_release() -> None:
    """The key is named since 1.91.5, a team's member since 1.100.5: what names nobody isn't theirs."""
    recorded = capture("1.84.0", "budget_key")
    spent = read(replies("1.84.0", "budget_key", admin=False), asked(recorded, admin=False))
    for release, scopes in (
        ("1.84.0", {"key", "global"}),
        ("1.94.3", {"global"}),
        ("1.104.9", {"global"}),
    ):
        found = blocked(replace(spent, version=Version(number=release)))
        assert found
        assert {found.scope, *found.candidates} - {None} <= scopes
        assert ("key" in {found.scope, *found.candidates}) == (release == "1.84.0")


def test_a_200_that_holds_an_error_is_no_completion() -> None:
    assert not facts(answer("call", {"error": {"message": "no"}})).passed
    assert not facts(answer("call", "<html>log in</html>")).passed
    assert facts(answer("call", {"id": "x", "choices": []})).passed


def test_readiness_that_says_healthy_and_disconnected_is_disconnected() -> None:
    assert (
        facts(answer("readiness", {"status": "healthy", "db": "disconnected"}, 503)).database
        == "disconnected"
    )
    assert (
        facts(answer("readiness", {"status": "healthy", "db": "Not connected"})).database == "not_connected"
    )


def test_a_null_limit_is_told_and_a_missing_one_is_unknown() -> None:
    told = facts(answer("key_info", {"key": "k", "info": {"spend": "0.5", "max_budget": None}})).record("key")
    unknown = facts(answer("key_info", {"key": "k", "info": {"spend": "0.5"}})).record("key")
    assert told is not None
    assert unknown is not None
    assert (told.spend, told.limit, told.limit_told) == (0.5, None, True)
    assert not unknown.limit_told


def test_a_spend_of_zero_is_a_spend_and_is_not_filled_from_another_answer() -> None:
    zero = answer("key_info_admin", {"key": "k", "info": {"spend": 0.0, "max_budget": 1}})
    other = answer("key_info", {"key": "k", "info": {"spend": 0.7, "max_budget": 1}})
    found = facts(zero, other).record("key")
    assert found is not None
    assert found.spend == 0.0
