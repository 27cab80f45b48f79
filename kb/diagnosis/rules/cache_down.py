"""Redis is away: LiteLLM goes on with counters in memory, one set for each worker (1.84.0 and 1.108.7)."""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._curl import get


def judge(facts: Facts) -> Iterator[Finding]:
    """A notice: nothing is refused by it, and budgets and limits grow loose."""
    if not facts.cache_broken:
        return
    yield Finding(
        cause="redis-connection-error",
        state="supported",
        because=f"/cache/ping: {facts.cache_broken}",
        hop="proxy",
        category="deployment_config",
        slug="redis-connection-error",
        confidence="proved",
        notice=True,
        sentence="Redis doesn't answer: each worker counts spend and limits by itself.",
        fixes=(
            Fix(
                who="proxy_admin",
                title="Start or reach Redis again",
                command=get("/cache/ping", admin=True),
                retry="heals when Redis answers again; no call waits for it",
            ),
        ),
    )


RULE = Rule("redis-connection-error", "proxy", judge)
