"""No call was made, and a budget that could be read is full: a call would be refused, or its counter is
off.
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix, Scope
from kb.diagnosis.rules import Rule
from kb.diagnosis.stale import dollars

_SCOPES: tuple[Scope, ...] = ("key", "team", "user", "org")


def judge(facts: Facts) -> Iterator[Finding]:
    """Undecided: only a call shows what the proxy enforces."""
    if facts.call is not None or facts.refusal is not None:
        return
    for scope in _SCOPES:
        row = facts.record(scope)
        if row is None or row.spend is None or row.limit is None or row.spend < row.limit:
            continue
        yield Finding(
            cause=f"budget-exceeded-{scope}",
            state="undecided",
            hop="budget",
            category="quota_rate",
            scope=scope,
            because=f"{row.source} shows {dollars(row.spend)} of {dollars(row.limit)}.",
            confidence="undecided",
            slug=f"budget-exceeded-{scope}",
            would_settle="One call, with max_tokens 1.",
            sentence=f"The {scope}'s budget looks spent: {dollars(row.spend)} of {dollars(row.limit)} is"
            " recorded. No call was made, so whether it is refused is open.",
            fixes=(
                Fix(who="caller", title="Run the check with its one paid call", retry="after that check"),
            ),
        )
        return


RULE = Rule("budget-full", "budget", judge)
