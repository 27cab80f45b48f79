"""The verdict on what no capture shows: pasted texts, second looks, late writing, broken ways."""

import hashlib
import json
import os
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from kb.diagnosis.diagnose import RULES, Recognised, as_object, diagnose, ruleset
from kb.diagnosis.finding import HOPS, Asked, Reply
from tests.diagnosis.captures import asked, capture, replies

OVER = {
    "error": {
        "message": "Budget has been exceeded! Current cost: {c}, Max budget: {m}",
        "type": "budget_exceeded",
        "code": "400",
    }
}


def refused(cost: float, limit: float, probe: str = "call") -> Reply:
    message = OVER["error"]["message"].format(c=cost, m=limit)
    body = {"error": {**OVER["error"], "message": message}}
    return Reply(
        probe=probe, request="POST /v1/chat/completions", outcome="ok", status=400, body=body, paid=True
    )


def key(spend: Any, limit: Any, probe: str = "key_info", at: float = 0.0, **more: Any) -> Reply:
    body = {"key": "ab12", "info": {"spend": spend, "max_budget": limit, "key_name": "sk-...abcd", **more}}
    return Reply(probe=probe, request="GET /key/info", outcome="ok", status=200, body=body, at=at)


def logs(*costs: float) -> Reply:
    body = [{"spend": cost} for cost in costs]
    return Reply(probe="spend_logs", request="GET /spend/logs", outcome="ok", status=200, body=body)


PASSED = Reply(
    probe="call_again",
    request="POST /v1/chat/completions",
    outcome="ok",
    status=200,
    body={"id": "x", "choices": []},
)


def test_late_writing_is_not_called_a_stale_counter() -> None:
    found = diagnose([refused(10.02, 10.0), key(9.98, 10.0), logs(0.04, 0.05)], Asked())
    assert (found.verdict.stale, found.verdict.confidence) == (None, "undecided")
    assert [one for one in found.findings if "15 s" in one.would_settle]
    assert [row.scope for row in found.budgets if row.blocks] == ["key"]


def test_a_second_look_that_catches_up_proves_the_budget_spent() -> None:
    later = key(10.02, 10.0, "key_info_again", at=120.0)
    found = diagnose([refused(10.02, 10.0), key(9.98, 10.0, at=100.0), later], Asked()).verdict
    assert (found.stale, found.confidence) == (False, "proved")


def test_a_second_look_that_shows_no_more_proves_the_counter_stale() -> None:
    later = key(9.98, 10.0, "key_info_again", at=120.0)
    found = diagnose([refused(10.02, 10.0), key(9.98, 10.0, at=100.0), later], Asked()).verdict
    assert (found.stale, found.confidence) == (True, "proved")


def test_a_second_look_within_one_batch_proves_nothing() -> None:
    later = key(9.98, 10.0, "key_info_again", at=104.0)
    found = diagnose([refused(10.02, 10.0), key(9.98, 10.0, at=100.0), later], Asked()).verdict
    assert found.stale is None


def test_a_call_that_passes_at_the_second_look_has_healed_by_itself() -> None:
    found = diagnose([refused(10.0, 10.0), key(0.02, 10.0), PASSED], Asked()).verdict
    assert found.status == "healthy"
    assert "healed by itself" in found.sentence


def test_logs_that_show_what_a_call_costs_make_the_proof() -> None:
    found = diagnose([refused(10.2, 10.0), key(0.02, 10.0), logs(0.02)], Asked()).verdict
    assert (found.stale, found.confidence) == (True, "proved")


def test_a_reservation_that_finds_no_room_is_no_stale_counter() -> None:
    text = "Budget has been exceeded! Key=ab12 Current cost: 0.05,"
    text += " Estimated request cost: 0.1638, Max budget: 0.1"
    body = {"error": {"message": text, "type": "budget_exceeded", "code": "422"}}
    call = Reply(probe="call", request="POST /v1/chat/completions", outcome="ok", status=422, body=body)
    found = diagnose([call, key(0.05, 0.1)], Asked()).verdict
    assert found.stale is False
    assert "more than is left" in found.sentence


def test_a_pasted_error_alone_names_its_budget_and_leaves_the_rest_open() -> None:
    text = "ExceededBudget: User=u-1 over budget. Spend=10.21, Budget=10.0"
    found = diagnose([], Asked(error=text))
    assert (found.verdict.hop, found.verdict.stale, found.verdict.confidence) == ("budget", None, "undecided")
    assert [row.scope for row in found.budgets if row.blocks] == ["user"]


def test_a_key_limit_that_is_not_the_one_enforced_keeps_the_key_from_blame() -> None:
    found = diagnose([refused(0.04, 0.03), key(0.02, 5.0)], Asked())
    assert not [row for row in found.budgets if row.blocks]
    assert found.verdict.confidence == "undecided"
    assert "the key's own budget" not in found.verdict.sentence


@pytest.mark.parametrize(
    ("probe", "trouble", "hop"),
    [("name", "name_not_resolved", "name"), ("connection", "connection_refused", "connection"),
     ("connection", "timed_out", "connection"), ("tls", "tls_expired", "tls"),
     ("tls", "tls_wrong_name", "tls"),
     ("tls", "tls_not_spoken", "tls"), ("name", "target_refused", "target")],
)  # fmt: skip
def test_a_proxy_that_is_not_reached_breaks_at_its_hop(probe: str, trouble: Any, hop: str) -> None:
    broken = Reply(probe=probe, request=probe, outcome="failed", trouble=trouble, why="because")
    left = Reply(probe="call", request="POST /v1/chat/completions", outcome="not_run", why="not reached")
    found = diagnose([broken, left], Asked()).verdict
    assert (found.status, found.hop, found.category) == ("not_reached", hop, "deployment_config")


def first(heard: list[Reply]) -> str:
    """Why the first finding is believed."""
    return diagnose(heard, Asked()).findings[0].because


def test_a_web_page_in_place_of_litellm_is_told_from_it() -> None:
    page = {
        "status": 200,
        "outcome": "ok",
        "body": "<!doctype html><html><title>Welcome to nginx!</title></html>",
    }
    heard = [
        Reply(probe=probe, request=f"GET /{probe}", **page)
        for probe in ("liveliness", "readiness", "key_info", "call")
    ]
    found = diagnose(heard, Asked()).verdict
    assert (found.status, found.cause, found.hop) == ("fault", "not-litellm", "proxy")
    assert "a login page may stand before" in first(heard)
    below = Reply(probe="name", request="look up llm", outcome="ok", body={"base_path": "/llm"})
    assert "may serve without /llm" in first([below, *heard])


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_before_a_litellm_that_is_down_is_no_wrong_address(status: int) -> None:
    page = "<html><head><title>Bad Gateway</title></head></html>"
    heard = [
        Reply(probe=probe, request=f"GET /{probe}", outcome="ok", status=status, body=page)
        for probe in ("liveliness", "readiness", "models_unkeyed")
    ]
    found = diagnose(heard, Asked())
    assert found.verdict.sentence.startswith(f"LiteLLM gave no answer: a server before it says {status},")
    assert (found.verdict.hop, found.verdict.confidence) == ("proxy", "consistent")
    assert [fix.who for fix in found.fixes] == ["proxy_admin"]


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://llm.example.com/health/liveliness", "https://llm.example.com"),
        ("/litellm/health/liveliness", "/litellm"),
        ("https://login.example.com/oauth2/auth?state=abc", "https://login.example.com/oauth2/auth"),
    ],
)
def test_an_address_that_redirects_says_where_to(location: str, where: str) -> None:
    heard = [
        Reply(probe=probe, request=f"GET /{probe}", outcome="ok", status=308, headers={"location": location})
        for probe in ("liveliness", "readiness", "models_unkeyed")
    ]
    found = diagnose(heard, Asked())
    assert found.verdict.sentence == (
        f"This address sends callers on to {where}, which a check doesn't follow."
    )
    assert ("sign-in page" in found.findings[0].because) is ("login" in location)


def test_another_gateway_s_errors_are_no_mark_of_litellm() -> None:
    """Errors as OpenAI's own address answers unknown paths."""
    body = {"error": {"message": "Invalid URL", "type": "invalid_request_error", "param": None, "code": None}}
    heard = [
        Reply(probe=probe, request=f"GET /{probe}", outcome="ok", status=404, body=body)
        for probe in ("liveliness", "readiness", "models_unkeyed")
    ]
    assert diagnose(heard, Asked()).verdict.cause == "not-litellm"


def test_a_check_without_the_paid_call_says_what_it_left_out() -> None:
    listed = Reply(
        probe="models", request="GET /v1/models", outcome="ok", status=200, body={"data": [{"id": "m"}]}
    )
    left = Reply(probe="call", request="POST /v1/chat/completions", outcome="not_run", why="no paid calls")
    found = diagnose([key(0.02, 10.0), listed, left], Asked()).verdict
    assert (found.status, found.confidence) == ("healthy", "consistent")
    assert "no completion was tried" in found.sentence


def test_a_full_budget_without_the_paid_call_is_a_suspicion() -> None:
    listed = Reply(probe="models", request="GET /v1/models", outcome="ok", status=200, body={"data": []})
    found = diagnose([key(10.2, 10.0), listed], Asked()).verdict
    assert (found.status, found.hop, found.confidence) == ("fault", "budget", "undecided")


def test_a_guide_speaks_where_no_rule_does_and_never_over_one() -> None:
    known = Recognised(slug="some-guide", category="local_runtime", hop="provider")
    odd = Reply(
        probe="call", request="POST /x", outcome="ok", status=400, body={"error": {"message": "Odd words"}}
    )
    assert diagnose([odd], Asked(), lambda _: known).verdict.slug == "some-guide"
    assert diagnose([odd], Asked()).verdict.status == "unrecognised"
    over = diagnose([refused(10.2, 10.0), key(0.02, 10.0)], Asked(), lambda _: known).verdict
    assert over.slug == "budget-exceeded-key-stale-spend"


def test_a_guide_names_the_provider_of_an_error_behind_the_proxy() -> None:
    known = Recognised(slug="provider-auth-error-bedrock", category="account_auth", hop="provider")
    heard = replies("1.84.0", "upstream_401", admin=True)
    found = diagnose(heard, asked(capture("1.84.0", "upstream_401"), admin=True), lambda _: known)
    assert found.verdict.slug == "provider-auth-error-bedrock"


def test_a_litellm_behind_this_one_is_not_taken_for_it() -> None:
    text = "litellm.BadRequestError: OpenAIException - Budget has been exceeded!"
    text += " Current cost: 2.5, Max budget: 2.0"
    call = Reply(probe="call", request="POST /x", outcome="ok", status=400, body={"error": {"message": text}})
    found = diagnose([call, key(0.02, 2.0)], Asked()).verdict
    assert (found.slug, found.hop) == ("budget-exceeded-upstream-proxy", "provider")


def test_an_id_that_a_shell_would_take_for_more_stands_in_no_command() -> None:
    text = "Budget has been exceeded! Team=x'; rm -rf ~; ' Current cost: 5, Max budget: 4"
    call = Reply(probe="call", request="POST /x", outcome="ok", status=400, body={"error": {"message": text}})
    found = diagnose([call], Asked(model="m'$(id)"))
    assert found.verdict.hop == "budget"
    assert found.fixes
    assert not [fix for fix in found.fixes if "rm -rf" in fix.command or "$(id)" in fix.command]


@pytest.mark.parametrize(
    ("said", "typed", "sentence"),
    [
        ("model=gpt-5. Call `/v1/models` to view", "", "The proxy knows no model named gpt-5."),
        ("model=gpt-5.1. Call `/v1/models` to view", "gpt-4", "The proxy knows no model named gpt-5.1."),
        (
            "model=None. Call `/v1/models` to view",
            "",
            "The proxy knows no model of the name that was asked for.",
        ),
        ("model=", "", "The proxy knows no model of the name that was asked for."),
        ("model=", "gpt-4", "The proxy knows no model named gpt-4."),
    ],
)
def test_an_unknown_model_is_called_as_the_proxy_calls_it(said: str, typed: str, sentence: str) -> None:
    body = {"error": {"message": f"/chat/completions: Invalid model name passed in {said}", "code": "400"}}
    call = Reply(
        probe="call", request="POST /v1/chat/completions", outcome="ok", status=400, body=body, paid=True
    )
    assert diagnose([call], Asked(model=typed)).verdict.sentence == sentence


def test_the_object_is_json_and_has_each_part() -> None:
    heard = [refused(10.2, 10.0), key(float("nan"), "1e400")]
    found = as_object(diagnose(heard, Asked(target="http://127.0.0.1:4000")))
    json.dumps(found, allow_nan=False)
    assert list(found) == ["ruleset", "target", "proxy", "verdict", "budgets", "findings", "probes", "fixes"]
    assert found["probes"][0] == {
        "name": "call", "request": "POST /v1/chat/completions", "status": 400, "outcome": "ok",
        "why": "", "ms": 0, "paid": True, "trouble": "",
    }  # fmt: skip


def test_the_ruleset_changes_with_the_rules_alone() -> None:
    assert ruleset(RULES) == ruleset(reversed(RULES))
    assert ruleset(RULES) != ruleset(RULES[1:])


def test_each_rule_has_an_id_of_its_own_and_a_hop() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert {rule.hop for rule in RULES} <= set(HOPS)


def over_named_team(probe: str, request: str) -> Reply:
    text = "Budget has been exceeded! Team=t-1 Current cost: 0.04, Max budget: 0.03"
    body = {"error": {"message": text, "type": "budget_exceeded", "code": "400"}}
    return Reply(probe=probe, request=request, outcome="ok", status=400, body=body)


def test_a_full_team_behind_a_full_key_keeps_no_blame_from_the_key() -> None:
    """As 1.84.0 answers: the call is refused over the key, which it doesn't name; /key/info over the team."""
    heard = [refused(0.04, 0.03), over_named_team("key_info", "GET /key/info")]
    alone = diagnose(heard, Asked()).verdict
    assert "the key's own budget" in alone.sentence
    assert "team member" not in alone.sentence
    read = diagnose([*heard, key(0.04, 0.03, "key_info_admin")], Asked(admin=True))
    assert (read.verdict.cause, read.verdict.confidence) == ("budget-exceeded-key", "proved")
    assert [row.scope for row in read.budgets if row.blocks] == ["key"]
    assert read.fixes[0].title == "Raise the limit of the key's own budget"


def failed(text: str, status: int) -> Reply:
    body = {"error": {"message": text, "type": None, "code": str(status)}}
    return Reply(probe="call", request="POST /v1/chat/completions", outcome="ok", status=status, body=body)


FIRST = "litellm.InternalServerError: InternalServerError: OpenAIException - The server had an error"


@pytest.mark.parametrize(
    "added",
    [
        ". Received Model Group=a\nAvailable Model Group Fallbacks=['b']\nError doing the fallback: {}",
        "\n\nLiteLLM: model group 'a' failed with the error above. Fallback to b also failed: {}",
    ],
)
@pytest.mark.parametrize(
    "second",
    [
        "litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached",
        "No deployments available - crossed budget: Exceeded budget for provider openai: 0.002 >= 0.001",
    ],
)
def test_the_model_that_was_asked_for_is_judged_and_not_its_fallback(added: str, second: str) -> None:
    found = diagnose([failed(FIRST + added.format(second), 500)], Asked(model="a"))
    assert found.verdict.sentence == (
        "LiteLLM let the call through, and OpenAI broke: The server had an error. Its fallback failed too."
    )
    assert [one.cause for one in found.findings if one.state == "supported"] == ["provider-error"]


def test_what_the_router_says_of_fallbacks_is_not_taken_for_the_provider_s_words() -> None:
    added = "No fallback model group found for original model_group=a. Fallbacks=[{'x': ['y']}]"
    said = diagnose([failed(f"{FIRST}{added}. Received Model Group=a", 500)], Asked(model="a")).verdict
    assert said.sentence == "LiteLLM let the call through, and OpenAI broke: The server had an error."


@pytest.mark.parametrize(
    "words", ["There are no healthy deployments for this model", "There is no 'model_name' with this string"]
)
def test_a_model_that_the_router_doesn_t_know_is_no_provider_s_refusal(words: str) -> None:
    text = f"litellm.BadRequestError: You passed in model=nope. {words}. Received Model Group=nope"
    found = diagnose([failed(text, 400)], Asked(model="nope"))
    assert (found.verdict.slug, found.verdict.hop) == ("model-not-found-in-router", "model")
    assert found.verdict.sentence == "The proxy knows no model named nope."
    assert len([one for one in found.findings if one.state == "supported"]) == 1


def test_a_call_that_a_fallback_answered_says_that_the_model_failed() -> None:
    headers = {"x-litellm-attempted-fallbacks": "1", "x-litellm-model-group": "b"}
    call = Reply(
        probe="call", request="POST /v1/chat/completions", outcome="ok", status=200, headers=headers,
        body={"id": "x", "choices": []},
    )  # fmt: skip
    found = diagnose([call], Asked(model="a"))
    assert found.verdict.status == "healthy"
    assert "a failed: its fallback b answered" in found.verdict.sentence
    assert '"disable_fallbacks": true' in found.fixes[0].command
    itself = replace(call, headers={"x-litellm-attempted-fallbacks": "0", "x-litellm-model-group": "a"})
    assert "fallback" not in diagnose([itself], Asked(model="a")).verdict.sentence


def test_a_command_about_a_key_whose_hash_is_hidden_works_it_out_in_the_shell() -> None:
    text = "Authentication Error, Key is blocked. Update via `/key/unblock` if you're an admin."
    command = diagnose([failed(text, 401)], Asked()).fixes[0].command
    assert command.startswith("HASH=$(")
    told = subprocess.run(
        ["sh", "-c", 'curl() { for last; do :; done; printf %s "$last"; }\n' + command],
        env={"LITELLM_KEY": "sk-1", "PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(told.stdout) == {"key": hashlib.sha256(b"sk-1").hexdigest()}


def test_an_admin_key_that_is_refused_is_said_to_be() -> None:
    body = {"error": {"message": "Authentication Error, Invalid proxy server token passed.", "code": "401"}}
    unread = [
        Reply(probe=probe, request="GET /x", outcome="ok", status=401, body=body)
        for probe in ("readiness_details", "budget_list", "global_spend")
    ]
    found = diagnose([refused(0.04, 0.03), *unread], Asked(admin=True))
    assert found.verdict.cause == "budget-exceeded"
    said = [one for one in found.findings if one.cause == "admin-key-refused"]
    assert "Invalid proxy server token" in said[0].because
    assert "master key" in said[0].would_settle
    read = replace(unread[2], status=200, body={"spend": 1, "max_budget": 0})
    heard = diagnose([refused(0.04, 0.03), *unread[:2], read], Asked(admin=True))
    assert "admin-key-refused" not in [one.cause for one in heard.findings]


@pytest.mark.parametrize(("release", "helps"), [("1.84.0", False), ("1.91.5", True), ("1.108.7", True)])
def test_resetting_the_spend_is_a_remedy_where_it_sets_the_counter(release: str, helps: bool) -> None:
    name = "stale_key_counter_poisoned"
    heard = [
        replace(reply, headers={**reply.headers, "x-litellm-version": release})
        for reply in replies("1.108.7", name, admin=True)
    ]
    found = diagnose(heard, asked(capture("1.108.7", name), admin=True))
    assert found.verdict.cause == "stale-spend-counter"
    assert any("/reset_spend" in fix.command for fix in found.fixes) == helps
