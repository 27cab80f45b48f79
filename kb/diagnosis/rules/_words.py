"""The words of a budget's finding live here: sentences with the reader's numbers, and what to do."""

from kb.diagnosis.blocked import Blocked
from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix, Scope
from kb.diagnosis.stale import Backing, dollars

_NAMES: dict[Scope, str] = {
    "key": "The key's own budget", "key_window": "The key's {window} budget window",
    "key_model": "The key's budget for the model {model}", "team": "The budget of the team {id}",
    "team_window": "The {window} budget window of the team {id}",
    "team_member": "The budget of the team member {id}", "user": "The budget of the user {id}",
    "end_user": "The budget of the end user {id}", "org": "The budget of the organization {id}",
    "project": "The budget of the project {id}", "tag": "The budget of the tag {id}",
    "provider": "The budget of the provider {id}", "deployment": "The budget of the deployment of {model}",
    "global": "The proxy's own budget (litellm_settings.max_budget)",
}  # fmt: skip
PLAIN: dict[Scope, str] = {
    "key": "the key's own budget", "key_window": "the key's budget window", "team": "the team's budget",
    "team_window": "the team's budget window", "team_member": "the team member's budget",
    "global": "the proxy's own budget",
}  # fmt: skip
_MASTER = '-H "Authorization: Bearer $LITELLM_ADMIN_KEY" -H "Content-Type: application/json"'
_COUNTERS: dict[Scope, str] = {
    "key": "spend:key:{hash}", "key_window": "spend:key:{hash}:window:{window}", "team": "spend:team:{id}",
    "team_window": "spend:team:{id}:window:{window}", "team_member": "spend:team_member:{member}",
    "user": "spend:user:{id}", "end_user": "spend:end_user:{id}", "org": "spend:org:{id}", "tag": "spend:tag:{id}",
}  # fmt: skip


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


_CAUSES = {
    "reservation": "a request in flight holds the rest as a reservation: nothing is overspent.",
    "seeded": "its counter was filled several times over: the refusal rests on a stale counter, not on spending.",
    "reset": "the spend was reset in the database and not in the counter: the refusal rests on a stale counter,"
    " not on spending.",
    "foreign": "the refusal rests on a stale counter, not on spending.",
    "": "the refusal rests on a stale counter, not on spending.",
    "headroom": "the refusal rests on a reservation.",
}


def counter_key(facts: Facts, budget: Blocked) -> str:
    """The Redis key of the counter that was enforced."""
    key, said = facts.key, budget.amounts
    identity = said.id or (budget.record.id if budget.record else "")
    member = f"{said.id}:{said.member_of}" if said.member_of else (budget.record.id if budget.record else "")
    return _COUNTERS.get(budget.scope or "key", "").format(
        hash=key.hash if key and key.hash else "<sha256 of the key>", id=identity or "<id>",
        window=said.window, member=member or "<user>:<team>",
    )  # fmt: skip


def stale_fixes(facts: Facts, budget: Blocked, found: Backing) -> tuple[Fix, ...]:
    """Remedies for a stale counter that helped when they were tried on this version."""
    fixes = []
    if found.shape == "reservation":
        fixes.append(Fix(
            who="caller", title="Wait for the request in flight to end, and give each request max_tokens",
            command='curl "$LITELLM_URL/v1/chat/completions" -H "Authorization: Bearer $LITELLM_KEY"'
            f' -H "Content-Type: application/json" -d \'{{"model": "{facts.asked.model or "<model>"}",'
            ' "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}]}\'',
            retry="Heals by itself when that request ends, at the latest 60 s after it.",
        ))  # fmt: skip
    counter = counter_key(facts, budget)
    if counter:
        fixes.append(Fix(
            who="proxy_admin", title="Delete this one counter; the proxy fills it again from its database",
            command=f'curl -X POST "$LITELLM_URL/cache/delete" {_MASTER} -d \'{{"keys": ["{counter}"]}}\'',
            retry="At once after it.",
        ))  # fmt: skip
    fixes.append(Fix(
        who="caller", title="Wait: with Redis, the counter expires 60 s after the last call that was let through",
        retry="After 60 s without a call; if it still refuses, the counter has no expiry: delete it.",
    ))  # fmt: skip
    return (*fixes, *_by_version(facts, budget))


def _by_version(facts: Facts, budget: Blocked) -> tuple[Fix, ...]:
    """What helps on one version only: reset_spend does nothing to a counter of 1.84.0."""
    key = facts.key.hash if facts.key and facts.key.hash else "<sha256 of the key>"
    if facts.version.era == "1.108" and budget.scope == "key":
        return (Fix(
            who="proxy_admin", title="Or reset the key's spend, which sets the counter too (and forgets what was spent)",
            command=f'curl -X POST "$LITELLM_URL/key/{key}/reset_spend" {_MASTER} -d \'{{"reset_to": 0}}\'',
            retry="At once after it.",
        ),)  # fmt: skip
    if facts.version.era == "1.84":
        return (Fix(
            who="proxy_admin", title="Upgrade: later releases seed the counter once and reset it with the spend."
            " On 1.84.0 neither reset_spend, nor spend 0, nor block and unblock changes the counter",
            retry="After the upgrade.",
        ),)  # fmt: skip
    return ()


_UPDATES: dict[Scope, tuple[str, str, str]] = {
    "key": ("proxy_admin", "/key/update", '{{"key": "{hash}", "max_budget": {more}}}'),
    "key_window": ("proxy_admin", "/key/update",
                   '{{"key": "{hash}", "budget_limits": [{{"budget_duration": "{window}", "max_budget": {more}}}]}}'),
    "team": ("team_admin", "/team/update", '{{"team_id": "{id}", "max_budget": {more}}}'),
    "team_window": ("team_admin", "/team/update",
                    '{{"team_id": "{id}", "budget_limits": [{{"budget_duration": "{window}", "max_budget": {more}}}]}}'),
    "team_member": ("team_admin", "/team/member_update",
                    '{{"team_id": "{team}", "user_id": "{user}", "max_budget_in_team": {more}}}'),
    "user": ("proxy_admin", "/user/update", '{{"user_id": "{id}", "max_budget": {more}}}'),
    "end_user": ("proxy_admin", "/customer/update", '{{"user_id": "{id}", "max_budget": {more}}}'),
    "org": ("proxy_admin", "/organization/update", '{{"organization_id": "{id}", "max_budget": {more}}}'),
    "tag": ("proxy_admin", "/tag/update", '{{"name": "{id}", "max_budget": {more}}}'),
}  # fmt: skip
_IN_CONFIG: dict[Scope, str] = {
    "key_model": "Raise model_max_budget of this model on the key (/key/update, an enterprise feature), or use another model",
    "project": "Raise the project's max_budget (/project/update, an enterprise feature)",
    "provider": "Raise provider_budget_config of this provider in router_settings, or route to another provider",
    "deployment": "Raise max_budget of this deployment in litellm_params, or add another deployment to the group",
    "global": "Raise litellm_settings.max_budget in the proxy's configuration, and restart it",
}


def spent_fixes(facts: Facts, budget: Blocked) -> tuple[Fix, ...]:
    """Remedies for a budget that is really spent: more of it, or its next period."""
    scope = budget.scope or "key"
    reset = budget.record.reset_at if budget.record else None
    when = (
        f"At {reset}, when the budget is reset; before that only after a change."
        if reset
        else ("Never by itself: this budget shows no reset time. After a change, at once.")
    )
    if scope in _IN_CONFIG:
        return (Fix(who="proxy_admin", title=_IN_CONFIG[scope], retry=when),)
    who, path, body = _UPDATES[scope]
    filled = body.format(**_ids(facts, budget), more=_more(budget), window=budget.amounts.window)
    title = f"Raise the limit of {name(budget).removeprefix('The ')}"
    return (
        Fix(
            who=who,
            title=title,
            command=f"curl -X POST \"$LITELLM_URL{path}\" {_MASTER} -d '{filled}'",
            retry=when,
        ),
    )


def _more(budget: Blocked) -> str:
    """A limit above what was enforced."""
    highest = max(budget.amounts.cost or 0.0, budget.limit or 0.0)
    return f"{highest * 2 or 1.0:.6g}"


def _ids(facts: Facts, budget: Blocked) -> dict[str, str]:
    key, said = facts.key, budget.amounts
    user, _, team = (budget.record.id if budget.record else "").partition(":")
    return {
        "hash": key.hash if key and key.hash else "<sha256 of the key>",
        "id": said.id or (budget.record.id if budget.record else "") or "<id>",
        "user": said.id or user or "<user>", "team": said.member_of or team or "<team>",
    }  # fmt: skip
