"""The words of a budget's finding live here: one sentence, with the reader's numbers."""

from kb.diagnosis.blocked import Blocked
from kb.diagnosis.finding import Scope
from kb.diagnosis.stale import Backing, dollars

_NAMES: dict[Scope, str] = {
    "key": "The key's own budget",
    "key_window": "The key's {window} budget window",
    "key_model": "The key's budget for the model {model}",
    "team": "The budget of the team {id}",
    "team_window": "The {window} budget window of the team {id}",
    "team_member": "The budget of the team member {id}",
    "user": "The budget of the user {id}",
    "end_user": "The budget of the end user {id}",
    "org": "The budget of the organization {id}",
    "project": "The budget of the project {id}",
    "tag": "The budget of the tag {id}",
    "provider": "The budget of the provider {id}",
    "deployment": "The budget of the deployment of {model}",
    "global": "The proxy's own budget (litellm_settings.max_budget)",
}
PLAIN: dict[Scope, str] = {
    "key": "the key's own budget",
    "key_window": "the key's budget window",
    "team": "the team's budget",
    "team_window": "the team's budget window",
    "team_member": "the team member's budget",
    "global": "the proxy's own budget",
}


def name(budget: Blocked, scope: Scope | None = None) -> str:
    """How the scope is called in a sentence."""
    said = budget.amounts
    shown = _NAMES[scope or budget.scope or "key"].format(
        id=said.id or (budget.record.id if budget.record else ""), window=said.window, model=said.model
    )
    return " ".join(shown.split())


def sentence(budget: Blocked, found: Backing) -> str:
    """One sentence: who blocked, with which numbers, and whether the money was spent."""
    said = budget.amounts
    if found.shape == "headroom":
        return (
            f"{name(budget)} blocked this call: {dollars(said.cost)} of {dollars(budget.limit)} is used,"
            " and LiteLLM would have had to reserve more than is left."
        )
    if said.cost is None:
        return f"{name(budget)} blocked this call{_limit(budget)}{_without_cost(found)}."
    enforced = f"LiteLLM enforced {dollars(said.cost)} against a limit of {dollars(budget.limit)}"
    if budget.limit is None:
        enforced = f"LiteLLM enforced {dollars(said.cost)}, at or above its limit for {said.window}"
    return f"{name(budget)} blocked this call: {enforced}{_ending(found)}"


def _limit(budget: Blocked) -> str:
    return f": its limit is {dollars(budget.limit)}" if budget.limit is not None else ""


def _without_cost(found: Backing) -> str:
    return f", and {dollars(found.recorded)} is counted" if found.recorded is not None else ""


def _ending(found: Backing) -> str:
    recorded = dollars(found.recorded)
    if found.stale is False:
        if found.confidence == "proved":
            return f", and it has recorded {recorded}, so the budget is really spent."
        return ", and nothing that could be read speaks against it."
    if found.stale is None:
        if found.recorded is None:
            return "; what it recorded couldn't be read, so whether that was really spent is open."
        return (
            f", and it has recorded {recorded} so far: the rest may be calls that aren't written yet"
            " or a stale counter."
        )
    return f" while it has recorded {recorded}, so {_CAUSES[found.shape]}"


_NO_SPENDING = "the refusal rests on a stale counter, not on spending."
_CAUSES = {
    "reservation": "a request in flight holds the rest as a reservation: nothing is overspent.",
    "seeded": f"its counter was filled several times over: {_NO_SPENDING}",
    "reset": f"the spend was reset in the database and not in the counter: {_NO_SPENDING}",
    "foreign": _NO_SPENDING,
    "": _NO_SPENDING,
    "headroom": "the refusal rests on a reservation.",
}
