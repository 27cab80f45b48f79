"""/health/readiness says that the database is away: to know where the call passed, to suspect where not.

`{"status": "healthy", "db": "disconnected"}` with 503, on 1.84.0 and 1.108.7; a cached key passes for 60 s.
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._said import from_provider


def judge(facts: Facts) -> Iterator[Finding]:
    """A notice beside a call that passed; undecided beside a refusal in words that say nothing of it."""
    if facts.database != "disconnected":
        return
    if facts.refusal and (facts.refusal.amounts or from_provider(facts.refusal)):
        return
    passed = facts.passed
    end = "this key passes while it is cached, for 60 s" if passed else "a refusal may rest on that alone"
    yield Finding(
        cause="db-connection-failed", state="supported" if passed else "undecided", hop="proxy",
        category="deployment_config", slug="db-connection-failed", notice=passed, specificity=1,
        because='/health/readiness says "db": "disconnected".',
        confidence="proved" if passed else "undecided",
        would_settle="" if passed else "The same call once /health/readiness says connected.",
        sentence=f"The proxy's database is away: {end}.",
        fixes=(Fix(
            who="proxy_admin", title="Start or reach the database of DATABASE_URL again",
            command='curl "$LITELLM_URL/health/readiness"', retry='after readiness says "db": "connected"',
        ),),
    )  # fmt: skip


RULE = Rule("database-away", "proxy", judge)
