"""What must hold whatever is missing: a verdict may weaken, and never turns to another cause, scope or
health.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.diagnosis.diagnose import RULES, as_object, diagnose
from kb.diagnosis.finding import Asked, Reply
from kb.diagnosis.rules import Rule
from tests.diagnosis.captures import CASES, EXPECTED, asked, capture, replies

# 1.108.7 admits this call at once; see test_scenarios.
HEALED = ("1.108.7", "stale_key_without_redis")
HEALTHY = [HEALED, *(case for case in CASES if EXPECTED[case[1]]["status"] == "healthy")]
FAULTY = [case for case in CASES if case not in HEALTHY]
PROBES = (
    "liveliness",
    "readiness",
    "key_info",
    "team_info",
    "user_info",
    "spend_logs",
    "models",
    "call",
    "cache_ping",
    "key_info_admin",
    "team_info_admin",
    "user_info_admin",
    "readiness_details",
    "customer_info",
    "tag_info",
    "provider_budgets",
    "organization_info",
    "budget_list",
    "global_spend",
    "call_again",
    "key_info_again",
)


def without(body: Any) -> Iterator[Any]:
    """The body without one of its fields or items, each in turn, at any depth."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield {other: kept for other, kept in body.items() if other != name}
            for smaller in without(value):
                yield {**body, name: smaller}
    elif isinstance(body, list):
        for index, value in enumerate(body[:3]):
            yield body[:index] + body[index + 1 :]
            for smaller in without(value):
                yield [*body[:index], smaller, *body[index + 1 :]]


def weaker(heard: list[Reply]) -> Iterator[list[Reply]]:
    """The replies less one reply, or less one field, one status, one header."""
    for index, reply in enumerate(heard):
        before, after = heard[:index], heard[index + 1 :]
        yield [*before, *after]
        yield [*before, replace(reply, outcome="not_run", status=None, headers={}, body=None), *after]
        yield [*before, replace(reply, outcome="failed", status=None, body=None, trouble="timed_out"), *after]
        for name in reply.headers:
            kept = {other: value for other, value in reply.headers.items() if other != name}
            yield [*before, replace(reply, headers=kept), *after]
        for body in without(reply.body):
            yield [*before, replace(reply, body=body), *after]


def check(found: dict[str, Any], whole: dict[str, Any]) -> None:
    verdict, full = found["verdict"], whole["verdict"]
    assert verdict["status"] in (full["status"], "unrecognised"), verdict
    if verdict["status"] == "unrecognised":
        return
    assert (verdict["category"], verdict["hop"]) == (full["category"], full["hop"]), verdict
    scopes = [{row["scope"] for row in one["budgets"] if row["blocks"]} for one in (found, whole)]
    assert scopes[0] <= scopes[1] or not scopes[1], verdict
    assert full["stale"] is None or verdict["stale"] in (full["stale"], None), verdict


@pytest.mark.parametrize("admin", [True, False])
@pytest.mark.parametrize("pasted", [True, False])
@pytest.mark.parametrize(("version", "name"), FAULTY)
def test_less_to_go_by_weakens_a_verdict_and_never_flips_it(
    version: str, name: str, pasted: bool, admin: bool
) -> None:
    heard, given = (
        replies(version, name, admin=admin),
        asked(capture(version, name), admin=admin, error=pasted),
    )
    whole = as_object(diagnose(heard, given))
    for less in weaker(heard):
        check(as_object(diagnose(less, given)), whole)


@pytest.mark.parametrize(("version", "name"), HEALTHY)
def test_a_healthy_proxy_is_never_accused(version: str, name: str) -> None:
    heard, given = replies(version, name, admin=True), asked(capture(version, name), admin=True)
    for less in [heard, *weaker(heard)]:
        found = as_object(diagnose(less, given))
        accused = found["verdict"]["status"] == "fault" and found["verdict"]["confidence"] != "undecided"
        assert not accused, found["verdict"]
        assert not [row for row in found["budgets"] if row["blocks"]]


@pytest.mark.parametrize(
    "trouble", ["timed_out", "closed_early", "too_large", "not_http", "cancelled", "broken"]
)
def test_a_probe_that_broke_is_no_pass(trouble: Any) -> None:
    heard = replies("1.84.0", "ok", admin=True)
    broken = [replace(one, outcome="failed", status=None, body=None, trouble=trouble) for one in heard]
    verdict = diagnose(broken, Asked()).verdict
    assert verdict.status in ("unrecognised", "not_reached")


def test_nothing_heard_is_no_pass() -> None:
    assert diagnose([], Asked()).verdict.status == "unrecognised"


def test_an_answer_that_breaks_off_is_no_pass() -> None:
    heard = replies("1.84.0", "ok", admin=True)
    broken = [replace(one, outcome="failed") for one in heard]
    assert diagnose(broken, Asked()).verdict.status == "unrecognised"


def test_a_rule_that_raises_is_named_and_the_others_still_speak() -> None:
    def broken(_: Any) -> Any:
        raise ZeroDivisionError

    heard, given = (
        replies("1.84.0", "budget_key", admin=True),
        asked(capture("1.84.0", "budget_key"), admin=True),
    )
    found = diagnose(heard, given, rules=[*RULES, Rule("broken-one", "budget", broken)])
    assert found.verdict.cause == "budget-exceeded-key"
    named = [one for one in found.findings if one.cause == "broken-one"]
    assert [one.state for one in named] == ["undecided"]
    assert "broken-one" in named[0].because


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["None", "1e400", "NaN", "budget_exceeded", "2026-13-40T99:99:99Z", "<html></html>"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "type",
                    "detail",
                    "info",
                    "key",
                    "spend",
                    "max_budget",
                    "team_info",
                    "user_info",
                    "budget_limits",
                    "team_memberships",
                    "litellm_budget_table",
                    "data",
                    "providers",
                    "db",
                    "choices",
                    "model_max_budget",
                    "budget_limits_usage",
                    "last_active",
                    "updated_at",
                    "total_spend",
                    "user_id",
                    "team_id",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)
_REPLY = st.builds(
    Reply,
    probe=st.sampled_from(PROBES),
    request=st.just("GET /x"),
    outcome=st.sampled_from(["ok", "failed", "not_run"]),
    body=_JSON,
    status=st.none() | st.sampled_from([200, 204, 302, 400, 401, 403, 404, 422, 429, 500, 503]),
    headers=st.dictionaries(
        st.sampled_from(["x-litellm-version", "x-litellm-response-cost"]), st.text(max_size=9)
    ),
    at=st.floats(allow_nan=False),
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_REPLY, max_size=6), st.text(max_size=80))
def test_no_answer_of_any_shape_raises(heard: list[Reply], error: str) -> None:
    found = as_object(diagnose(heard, Asked(error=error, model="m", tags=("t",))))
    json.dumps(found, allow_nan=False)
    assert not [one for one in found["findings"] if "broke (" in one["because"]]


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(FAULTY), st.integers(0, 5), _JSON)
def test_no_body_of_any_shape_turns_a_refusal_into_health(
    case: tuple[str, str], index: int, body: Any
) -> None:
    heard = replies(*case, admin=True)
    others = [one for one in heard if one.probe != "call"]
    if others:
        spoilt = replace(others[index % len(others)], body=body)
        heard = [spoilt if one.probe == spoilt.probe else one for one in heard]
    found = diagnose(heard, asked(capture(*case), admin=True))
    assert found.verdict.status != "healthy"
    json.dumps(as_object(found), allow_nan=False)
