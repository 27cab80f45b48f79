"""The call passed although the key's recorded spend is at its limit: its counter is too low, or wasn't asked.

A counter below the database admits calls on 1.84.0 and 1.108.7, as recorded from both.
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix, Scope
from kb.diagnosis.loose import number
from kb.diagnosis.rules import Rule
from kb.diagnosis.stale import dollars

_SCOPES: tuple[Scope, ...] = ("key", "team", "user")


def judge(facts: Facts) -> Iterator[Finding]:
    """A notice: the call is healthy, the budget isn't. What this very call cost is taken off."""
    if not facts.passed:
        return
    for scope in _SCOPES:
        row = facts.record(scope)
        if row is None or row.spend is None or row.limit is None:
            continue
        before = row.spend - (0.0 if facts.call and 0 < row.at <= facts.call.at else facts.cost or 0.0)
        if before >= row.limit:
            yield _finding(scope, row.source, before, row.limit)
            return
    yield from _by_headers(facts)


def _by_headers(facts: Facts) -> Iterator[Finding]:
    """x-litellm-key-spend includes this call, so it must exceed the limit by more than the call's cost."""
    headers = facts.call.headers if facts.call else {}
    spend, limit = number(headers.get("x-litellm-key-spend")), number(headers.get("x-litellm-key-max-budget"))
    cost = number(headers.get("x-litellm-response-cost")) or 0.0
    if spend is not None and limit is not None and spend - cost >= limit:
        yield _finding("key", "x-litellm-key-spend", spend - cost, limit)


def _finding(scope: Scope, source: str, spend: float, limit: float) -> Finding:
    return Finding(
        cause="budget-not-enforced",
        state="supported",
        hop="budget",
        category="quota_rate",
        scope=scope,
        because=f"{source} shows {dollars(spend)} of {dollars(limit)}, and the call passed.",
        notice=True,
        confidence="known_shape",
        sentence=f"Yet the {scope}'s budget isn't enforced: {dollars(spend)} is recorded against a limit of"
        f" {dollars(limit)}, and the call passed. The counter that LiteLLM checks is lower than its record.",
        fixes=(
            Fix(
                who="proxy_admin",
                title="Look for the counter and DEL it, so that it is filled from the database again",
                command="redis-cli --scan --pattern '*spend:*'",
                retry="never while the budget is spent",
            ),
        ),
    )


RULE = Rule("budget-not-enforced", "budget", judge)
