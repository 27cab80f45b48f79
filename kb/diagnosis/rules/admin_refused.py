"""The admin key was refused wherever it alone asks, so a verdict that needs its answers stays open.

LiteLLM answers a wrong key with 401, one of another role with 401 or 403 (proxy/auth/route_checks.py, 1.84.0
and 1.108.7).
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding
from kb.diagnosis.refusal import from_body
from kb.diagnosis.rules import Rule

_ASKED = ("readiness_details", "budget_list", "global_spend")
_REFUSED = (400, 401, 403)


def judge(facts: Facts) -> Iterator[Finding]:
    """Undecided: nothing is broken by it, and what only an administrator may read wasn't read."""
    heard = [facts.replies[name] for name in _ASKED if name in facts.replies]
    if not heard or any(reply.status not in _REFUSED for reply in heard):
        return
    said = from_body(heard[0].body, heard[0].status, heard[0].request)
    yield Finding(
        cause="admin-key-refused",
        state="undecided",
        hop="key",
        category="account_auth",
        because=f"The proxy refused the admin key with {heard[0].status}"
        f"{': ' + said.message[:200] if said else '.'}",
        confidence="undecided",
        would_settle="This check with the proxy's master key, or with the key of a proxy admin.",
        notice=True,
    )


RULE = Rule("admin-key-refused", "key", judge)
