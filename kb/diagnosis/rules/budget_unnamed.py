"""A budget refused that the error doesn't name, and several fit: 1.84.0 says the same for key, member and
proxy.
"""

from collections.abc import Iterator

from kb.diagnosis.blocked import blocked
from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._curl import get, hash_of
from kb.diagnosis.rules._said import from_provider, own_words
from kb.diagnosis.rules._words import PLAIN
from kb.diagnosis.stale import dollars

_WHOLE = "Paste the whole error text, with its Current cost and Max budget."
_PHRASES = (
    "budget has been exceeded",
    "exceededbudget",
    "session budget exceeded",
    "max budget limit reached",
)


def judge(facts: Facts) -> Iterator[Finding]:
    """Name the candidates, and blame none."""
    budget = blocked(facts)
    if budget is None:
        yield from _unread(facts)
        return
    if budget.scope is not None:
        return
    fitting = " or ".join(PLAIN.get(scope, scope) for scope in budget.candidates)
    yield Finding(
        cause="budget-exceeded",
        state="undecided",
        because=budget.because,
        hop="budget",
        category="quota_rate",
        would_settle=budget.would_settle,
        confidence="undecided",
        sentence=f"A budget blocked this call: LiteLLM enforced {dollars(budget.amounts.cost)} against"
        f" a limit of {dollars(budget.limit)}. It doesn't say which one; {fitting} fits.",
        fixes=(
            Fix(
                who="proxy_admin",
                title="Run this check with the admin key: it compares each budget's limit",
                command=get(f"/key/info?key={hash_of(facts)}", admin=True),
                retry="after the budget is known",
            ),
        ),
    )


def _unread(facts: Facts) -> Iterator[Finding]:
    """The type says budget, or a form that names no scope of ours does: a session, a model access group."""
    heard = facts.refusal
    if heard is None or from_provider(heard):
        return
    words = own_words(heard)
    if heard.type != "budget_exceeded" and not any(phrase in words for phrase in _PHRASES):
        return
    yield Finding(
        cause="budget-exceeded",
        state="undecided",
        hop="budget",
        category="quota_rate",
        confidence="undecided",
        because=f"{heard.source} says: {heard.message[:200] or heard.type}",
        would_settle=_WHOLE,
        sentence="A budget blocked this call; which one, what was said doesn't show.",
        fixes=(Fix(who="caller", title=_WHOLE, retry="after the budget is known"),),
    )


RULE = Rule("budget-exceeded", "budget", judge)
