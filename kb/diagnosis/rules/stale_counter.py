"""The counter that refused is higher than what was recorded: reservation, double seeding, reset, or a
foreign value.

https://github.com/BerriAI/litellm/issues/27735 (1.84.0, open), #28247 and #28283 (seeding),
#27639 (reservations).
"""

from collections.abc import Iterator

from kb.diagnosis.blocked import blocked
from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._budget import STALE_SLUG
from kb.diagnosis.rules._remedies import stale_fixes
from kb.diagnosis.rules._words import name, sentence
from kb.diagnosis.stale import backing

_CAUSES = {
    "reservation": "stale-spend-reservation",
    "seeded": "stale-spend-seeded",
    "reset": "stale-spend-reset",
}
_SLUGS = {
    "key": STALE_SLUG,
    "key_window": "budget-exceeded-key-window",
    "team": "budget-exceeded-team",
    "team_member": "budget-exceeded-team-member",
    "user": "budget-exceeded-user",
    "end_user": "budget-exceeded-end-user",
    "org": "budget-exceeded-org",
}


def judge(facts: Facts) -> Iterator[Finding]:
    """Supported where the numbers say so, refuted where the spend is real, else undecided."""
    budget = blocked(facts)
    if budget is None or budget.scope is None:
        return
    found = backing(facts, budget)
    if found.shape == "headroom":
        return
    said = {True: "supported", False: "refuted", None: "undecided"}[found.stale]
    yield Finding(
        cause=_CAUSES.get(found.shape, "stale-spend-counter"),
        hop="budget",
        category="quota_rate",
        state=said,  # type: ignore[arg-type]
        because=found.because,
        slug=_SLUGS.get(budget.scope, ""),
        would_settle=found.would_settle,
        confidence=found.confidence,
        stale=found.stale,
        scope=budget.scope,
        specificity=3,
        sentence=sentence(budget, found) if found.stale else f"{name(budget)}: {found.because}",
        fixes=stale_fixes(facts, budget, found) if found.stale else (),
    )


RULE = Rule("stale-spend-counter", "budget", judge)
