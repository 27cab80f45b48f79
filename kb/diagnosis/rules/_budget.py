"""What the rules of all budgets share lives here: one refusal, one scope, its numbers."""

from collections.abc import Iterator

from kb.diagnosis.blocked import Blocked, blocked
from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Scope
from kb.diagnosis.records import Record
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._remedies import spent_fixes, stale_fixes
from kb.diagnosis.rules._words import PLAIN, sentence
from kb.diagnosis.stale import Backing, backing, dollars

STALE_SLUG = "budget-exceeded-key-stale-spend"


def rule(scope: Scope, slug: str) -> Rule:
    """The rule of one scope: supported where it refused, refuted where its books speak against it."""

    def judge(facts: Facts) -> Iterator[Finding]:
        budget = blocked(facts)
        if budget is None:
            return
        if budget.scope == scope:
            found = backing(facts, budget)
            if not found.stale:
                yield _spent(facts, budget, found, slug)
        elif budget.scope is not None:
            yield from _refuted(facts, budget, scope, slug)

    return Rule(slug, "budget", judge)


def _spent(facts: Facts, budget: Blocked, found: Backing, slug: str) -> Finding:
    open_ = found.stale is None
    return Finding(
        cause=slug, state="supported", because=f"{budget.because} {found.because}", hop="budget",
        category="quota_rate", slug=slug, would_settle=found.would_settle, confidence=found.confidence,
        stale=found.stale, scope=budget.scope, sentence=sentence(budget, found), specificity=2,
        fixes=(*spent_fixes(facts, budget), *(stale_fixes(facts, budget, found) if open_ else ())),
    )  # fmt: skip


def _refuted(facts: Facts, budget: Blocked, scope: Scope, slug: str) -> Iterator[Finding]:
    """A budget that was read and has room, beside the one that refused."""
    for row in facts.all(scope):
        if row.limit is None or row.spend is None or row.spend >= row.limit or _other_member(facts, row):
            continue
        yield Finding(
            cause=slug, state="refuted", hop="budget", category="quota_rate", slug=slug, scope=scope,
            because=f"{row.source} shows {dollars(row.spend)} of {dollars(row.limit)} spent,"
            f" and the refusal is of another budget ({PLAIN.get(budget.scope or 'key', budget.scope)}).",
        )  # fmt: skip


def _other_member(facts: Facts, row: Record) -> bool:
    key = facts.key
    return row.scope == "team_member" and (key is None or row.id != f"{key.user}:{key.team}")
