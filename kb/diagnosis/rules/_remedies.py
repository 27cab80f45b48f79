"""What to do about a budget that refused lives here: remedies that helped when tried, by version."""

from kb.diagnosis.blocked import Blocked
from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix, Scope
from kb.diagnosis.rules._curl import chat, hash_of, plain, post
from kb.diagnosis.rules._words import name
from kb.diagnosis.stale import Backing

_COUNTERS: dict[Scope, str] = {
    "key": "spend:key:{hash}",
    "key_window": "spend:key:{hash}:window:{window}",
    "team": "spend:team:{id}",
    "team_window": "spend:team:{id}:window:{window}",
    "team_member": "spend:team_member:{member}",
    "user": "spend:user:{id}",
    "end_user": "spend:end_user:{id}",
    "org": "spend:org:{id}",
    "tag": "spend:tag:{id}",
}


def counter_key(facts: Facts, budget: Blocked) -> str:
    """The Redis key of the counter that was enforced."""
    ids = _ids(facts, budget)
    return _COUNTERS.get(budget.scope or "key", "").format(
        **ids, window=plain(budget.amounts.window, "<window>"), member=f"{ids['user']}:{ids['team']}"
    )


def stale_fixes(facts: Facts, budget: Blocked, found: Backing) -> tuple[Fix, ...]:
    """Remedies for a stale counter that helped when they were tried on this version."""
    fixes = []
    if found.shape == "reservation":
        fixes.append(
            Fix(
                who="caller",
                title="Wait for the request in flight to end, and give each request max_tokens",
                command=chat(plain(facts.asked.model, "<model>"), 64),
                retry="heals when that request ends, at the latest 60 seconds after it",
            )
        )
    counter = counter_key(facts, budget)
    if counter:
        fixes.append(
            Fix(
                who="proxy_admin",
                title="Delete this one counter; the proxy fills it again from its database",
                command=post("/cache/delete", f'{{"keys": ["{counter}"]}}'),
                retry="now",
            )
        )
    fixes.append(
        Fix(
            who="caller",
            title="Wait: with Redis, the counter expires 60 s after the last call that was let through",
            retry="heals after 60 seconds without a call; if not, the counter has no expiry: delete it",
        )
    )
    return (*fixes, *_by_version(facts, budget))


def _by_version(facts: Facts, budget: Blocked) -> tuple[Fix, ...]:
    """What helps on some versions only: reset_spend sets the counter since 1.91.5."""
    since = facts.version.era == "1.108" or facts.version.minor >= 91
    if since and budget.scope == "key":
        return (
            Fix(
                who="proxy_admin",
                title="Or reset the key's spend, which sets the counter too (and forgets what was spent)",
                command=post(f"/key/{hash_of(facts)}/reset_spend", '{"reset_to": 0}'),
                retry="now",
            ),
        )
    if facts.version.era == "1.84":
        return (
            Fix(
                who="proxy_admin",
                title="Upgrade to 1.91.5 or later: it seeds the counter once, and resets it with the spend."
                " On 1.84.0 neither reset_spend, nor spend 0, nor block and unblock changes the counter",
                retry="after the upgrade",
            ),
        )
    return ()


_UPDATES: dict[Scope, tuple[str, str, str]] = {
    "key": ("proxy_admin", "/key/update", '{{"key": "{hash}", "max_budget": {more}}}'),
    "key_window": (
        "proxy_admin",
        "/key/update",
        '{{"key": "{hash}", "budget_limits": [{{"budget_duration": "{window}", "max_budget": {more}}}]}}',
    ),
    "team": ("team_admin", "/team/update", '{{"team_id": "{id}", "max_budget": {more}}}'),
    "team_window": (
        "team_admin",
        "/team/update",
        '{{"team_id": "{id}", "budget_limits": [{{"budget_duration": "{window}", "max_budget": {more}}}]}}',
    ),
    "team_member": (
        "team_admin",
        "/team/member_update",
        '{{"team_id": "{team}", "user_id": "{user}", "max_budget_in_team": {more}}}',
    ),
    "user": ("proxy_admin", "/user/update", '{{"user_id": "{id}", "max_budget": {more}}}'),
    "end_user": ("proxy_admin", "/customer/update", '{{"user_id": "{id}", "max_budget": {more}}}'),
    "org": ("proxy_admin", "/organization/update", '{{"organization_id": "{id}", "max_budget": {more}}}'),
    "tag": ("proxy_admin", "/tag/update", '{{"name": "{id}", "max_budget": {more}}}'),
}
_IN_CONFIG: dict[Scope, str] = {
    "key_model": "Raise model_max_budget of this model on the key (/key/update, an enterprise feature),"
    " or use another model",
    "project": "Raise the project's max_budget (/project/update, an enterprise feature)",
    "provider": "Raise provider_budget_config of this provider in router_settings, or route elsewhere",
    "deployment": "Raise max_budget of this deployment in litellm_params, or add a deployment to the group",
    "global": "Raise litellm_settings.max_budget in the proxy's configuration, and restart it",
}


def spent_fixes(facts: Facts, budget: Blocked) -> tuple[Fix, ...]:
    """Remedies for a budget that is really spent: more of it, or its next period."""
    scope = budget.scope or "key"
    reset = budget.record.reset_at if budget.record else None
    when = (
        f"now or after {reset}, when the budget is reset"
        if reset
        else "now but never without it: this budget shows no reset time"
    )
    if scope in _IN_CONFIG:
        return (Fix(who="proxy_admin", title=_IN_CONFIG[scope], retry=when),)
    who, path, body = _UPDATES[scope]
    filled = body.format(
        **_ids(facts, budget), more=_more(budget), window=plain(budget.amounts.window, "<window>")
    )
    title = f"Raise the limit of {name(budget).replace('The', 'the', 1)}"
    return (
        Fix(
            who=who,
            title=title,
            command=post(path, filled),
            retry=when,
        ),
    )


def _more(budget: Blocked) -> str:
    """A limit above what was enforced."""
    highest = max(budget.amounts.cost or 0.0, budget.limit or 0.0)
    return f"{highest * 2 or 1.0:.6g}"


def _ids(facts: Facts, budget: Blocked) -> dict[str, str]:
    said, recorded = budget.amounts, budget.record.id if budget.record else ""
    user, _, team = recorded.partition(":")
    return {
        "hash": hash_of(facts),
        "id": plain(said.id or recorded, "<id>"),
        "user": plain(said.id or user, "<user>"),
        "team": plain(said.member_of or team, "<team>"),
    }
