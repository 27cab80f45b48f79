"""Values that LiteLLM prints are read as printed, the nearest to the match first."""

import pytest

from kb.diagnosis.values import capture

HASH = "<key_hash>"
CASES = [
    (
        "Budget has been exceeded! Key=lab-1d (sk-...y3Nw) Current cost: 0.04, Max budget: 0.03",
        {"key_alias": "lab-1d", "key": "sk-...y3Nw", "current_cost": "0.04", "max_budget": "0.03"},
    ),
    (
        f"Budget has been exceeded! Key={HASH} Current cost: 5e-05,"
        " Estimated request cost: 0.1638, Max budget: 0.1",
        {"current_cost": "5e-05", "estimated_cost": "0.1638", "max_budget": "0.1"},
    ),
    (
        "ExceededBudget: Key over 1d budget. Spend=$0.0200, Limit=$0.01",
        {"budget_window": "1d", "current_cost": "0.0200", "max_budget": "0.01"},
    ),
    (
        "Budget has been exceeded! Team=92f2-8dde Current cost: 1, Max budget: 0.5",
        {"team": "92f2-8dde", "current_cost": "1", "max_budget": "0.5"},
    ),
    (
        "Budget has been exceeded! TeamMember=alice-01:team-77 Current cost: 5.21, Max budget: 5.0",
        {"user": "alice-01", "team": "team-77", "current_cost": "5.21", "max_budget": "5.0"},
    ),
    (
        "Budget has been exceeded! User=u1 in Team=t1 Current cost: 5, Max budget: 4",
        {"user": "u1", "team": "t1", "current_cost": "5", "max_budget": "4"},
    ),
    (
        "ExceededBudget: End User=customer-9 over budget. Spend=0.00121, Budget=0.001",
        {"end_user": "customer-9", "current_cost": "0.00121", "max_budget": "0.001"},
    ),
    (
        "ExceededBudget: User=u-100 over budget. Spend=10.21, Budget=10.0",
        {"user": "u-100", "current_cost": "10.21", "max_budget": "10.0"},
    ),
    ("exceeded! Organization=org-7 Current cost: 4", {"organization": "org-7", "current_cost": "4"}),
    ("exceeded! Project=p-7 Current cost: 4", {"project": "p-7", "current_cost": "4"}),
    ("exceeded! Tag=nightly Current cost: 4", {"tag": "nightly", "current_cost": "4"}),
    (
        f"LiteLLM Virtual Key: {HASH}, key_alias: lab-97, exceeded budget for model=lab-model",
        {"key_alias": "lab-97", "model": "lab-model"},
    ),
    (
        "Exceeded budget for provider hosted_vllm: 0.02 >= 0.001",
        {"provider": "hosted_vllm", "current_cost": "0.02", "max_budget": "0.001"},
    ),
    (
        "Exceeded budget for deployment model_name: gpt, litellm_params.model: openai/ok,"
        f" model_id: {HASH}: 0.02 >= 1d",
        {"model_group": "gpt", "model": "openai/ok", "current_cost": "0.02", "budget_window": "1d"},
    ),
    (
        "Exceeded budget for tag='product:chat-bot', tag_spend=0.0021, tag_budget_limit=0.002",
        {"tag": "product:chat-bot", "current_cost": "0.0021", "max_budget": "0.002"},
    ),
    (
        "Rate limit exceeded for team: 6c1d. Limit type: max_parallel_requests. Current limit: 1,"
        " Remaining: 0. Limit resets at: 2026-11-24 02:15:12 UTC",
        {
            "team": "6c1d",
            "limit_type": "max_parallel_requests",
            "limit": "1",
            "remaining": "0",
            "reset_at": "2026-11-24 02:15:12 UTC",
        },
    ),
    (
        "Rate limit exceeded for end_user: customer-f5. Limit type: tokens. Current limit: 10",
        {"end_user": "customer-f5", "limit_type": "tokens", "limit": "10"},
    ),
    (
        "Expired Key. Key Expiry time 2026-11-24 02:14:07.727000+00:00 and current time 2026-11-24",
        {"expires_at": "2026-11-24 02:14:07.727000+00:00"},
    ),
    (
        "Invalid model name passed in model=codex-99. Call `/v1/models`",
        {"model": "codex-99"},
    ),
    (
        "litellm.RateLimitError: RateLimitError: OpenAIException - Rate limit reached for gpt-4 on"
        " requests per min (RPM): Limit 3, Used 3. Please try again in 20s. Received Model Group=g",
        {
            "exception": "RateLimitError",
            "provider": "OpenAI",
            "limit": "3",
            "retry_after": "20s",
            "model_group": "g",
        },
    ),
    (
        "{'error': {'type': 'budget_exceeded', 'param': None, 'code': '422'}}",
        {"error_type": "budget_exceeded", "status": "422"},
    ),
    ("LiteLLM: model group 'slow-demo' failed", {"model_group": "slow-demo"}),
    ("model=None, custom_llm_provider=None", {}),
]


@pytest.mark.parametrize(("text", "values"), CASES)
def test_reads_what_a_message_carries(text, values):
    assert capture(text, (0, 10)) == values


def test_the_nearest_after_the_match_wins():
    text = "Current cost: 1, Budget has been exceeded! Current cost: 2, then Current cost: 3"
    start = text.index("Budget")

    assert capture(text, (start, start + 6))["current_cost"] == "2"


def test_before_the_match_counts_where_nothing_follows():
    text = "Current cost: 1, Current cost: 2, Budget has been exceeded!"
    start = text.index("Budget")

    assert capture(text, (start, start + 6))["current_cost"] == "2"


def test_values_far_away_belong_to_another_error():
    assert capture("Budget!" + " " * 3_000 + "Current cost: 2", (0, 6)) == {}
