"""The proxy's own books live here: each budget row that an answer shows, read without trust."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from kb.diagnosis.finding import Scope
from kb.diagnosis.loose import at, has, number, rows, seconds, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One budget as one answer shows it.

    `spend` is what was recorded and `limit` the most that may be; `limit_told` is true where the answer
    says which limit there is, null included. `counted` is a spend that the answer takes from the very
    counter that is enforced: it can't bear witness against it. Times are in seconds, for differences.
    """

    scope: Scope
    source: str
    id: str = ""
    spend: float | None = None
    counted: float | None = None
    limit: float | None = None
    limit_told: bool = False
    total: float | None = None
    duration: str = ""
    reset_at: str | None = None
    active: float | None = None
    updated: float | None = None
    at: float = 0.0
    probe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is known of the key itself, budgets apart. None is unknown."""

    source: str
    hash: str = ""
    alias: str = ""
    name: str = ""
    team: str = ""
    user: str = ""
    org: str = ""
    project: str = ""
    blocked: bool | None = None
    expires: str = ""
    status: str = ""


def key_of(body: Any, source: str) -> Key | None:
    """Read /key/info; None where it holds no key."""
    info = at(body, "info")
    if not isinstance(info, dict):
        return None
    blocked = info.get("blocked")
    return Key(
        source=source, hash=text(at(body, "key")), alias=text(info.get("key_alias")),
        name=text(info.get("key_name")), team=text(info.get("team_id")), user=text(info.get("user_id")),
        org=text(info.get("organization_id")), project=text(info.get("project_id")),
        blocked=blocked if isinstance(blocked, bool) else None, expires=text(info.get("expires")),
        status=text(info.get("status")),
    )  # fmt: skip


def of_key(body: Any, source: str) -> Iterator[Record]:
    """The budgets in /key/info: its own, its windows', its models', and its project's."""
    info = at(body, "info")
    if not isinstance(info, dict):
        return
    key = text(at(body, "key"))
    yield _row("key", key, info, source)
    yield from _windows("key_window", key, info, source)
    yield from _models(key, info, source)
    project = info.get("litellm_project_table")
    if isinstance(project, dict):
        yield _row("project", text(info.get("project_id")), project, source)


def of_team(body: Any, source: str) -> Iterator[Record]:
    """The budgets in /team/info: the team's, its windows', its members'."""
    info = at(body, "team_info")
    if not isinstance(info, dict):
        return
    team = text(info.get("team_id")) or text(at(body, "team_id"))
    yield _row("team", team, info, source)
    yield from _windows("team_window", team, info, source)
    for member in rows(at(body, "team_memberships")):
        yield _row("team_member", f"{text(member.get('user_id'))}:{team}", member, source)


def of_user(body: Any, source: str) -> Iterator[Record]:
    """The budget in /user/info."""
    info = at(body, "user_info")
    if isinstance(info, dict):
        yield _row("user", text(info.get("user_id")), info, source)


def of_customer(body: Any, source: str) -> Iterator[Record]:
    """The budget in /customer/info."""
    if has(body, "user_id"):
        yield _row("end_user", text(at(body, "user_id")), body, source)


def of_organization(body: Any, source: str) -> Iterator[Record]:
    """The budget in /organization/info."""
    if has(body, "organization_id"):
        yield _row("org", text(at(body, "organization_id")), body, source)


def of_tags(body: Any, source: str) -> Iterator[Record]:
    """The budgets in /tag/info; it shows no spend."""
    for name, tag in body.items() if isinstance(body, dict) else ():
        if isinstance(tag, dict) and isinstance(name, str):
            yield _row("tag", name, tag, source)


def spent_by_tag(body: Any) -> dict[str, float]:
    """What /spend/tags says that each tag spent: the record that /tag/info doesn't show."""
    listed = rows(body) if isinstance(body, list) else ()
    sums = ((text(row.get("individual_request_tag")), number(row.get("total_spend"))) for row in listed)
    return {name: spend for name, spend in sums if name and spend is not None}


def of_providers(body: Any, source: str) -> Iterator[Record]:
    """The budgets in /provider/budgets: its spend is the router's counter itself."""
    providers = at(body, "providers")
    for name, row in providers.items() if isinstance(providers, dict) else ():
        if isinstance(row, dict) and isinstance(name, str):
            yield Record(
                scope="provider", source=source, id=name, counted=number(row.get("spend")),
                limit=number(row.get("budget_limit")), limit_told="budget_limit" in row,
                duration=text(row.get("time_period")), reset_at=text(row.get("budget_reset_at")) or None,
            )  # fmt: skip


def of_global(body: Any, source: str) -> Iterator[Record]:
    """The budget in /global/spend; it shows 0 where there is no limit (litellm.max_budget's default)."""
    if has(body, "spend") or has(body, "max_budget"):
        row = _row("global", "", body, source)
        yield row if row.limit else replace(row, limit=None, limit_told=True)


def _row(scope: Scope, identity: str, info: dict[str, Any], source: str) -> Record:
    """A row with its own budget, or with that of the budget table it points to."""
    table = info.get("litellm_budget_table")
    table = table if isinstance(table, dict) else {}
    own = number(info.get("max_budget"))
    limit = own if own is not None else number(table.get("max_budget"))
    told = limit is not None or _null(info, "max_budget", "litellm_budget_table")
    return Record(
        scope=scope, source=source, id=identity, spend=number(info.get("spend")), limit=limit,
        limit_told=told, total=number(info.get("total_spend")),
        duration=text(info.get("budget_duration")) or text(table.get("budget_duration")),
        reset_at=text(info.get("budget_reset_at")) or text(table.get("budget_reset_at")) or None,
        active=seconds(info.get("last_active")), updated=seconds(info.get("updated_at")),
    )  # fmt: skip


def _null(info: dict[str, Any], own: str, table: str) -> bool:
    """Tell whether the answer says that there is no limit: null in every place that it has for one."""
    if own in info and info[own] is None:
        inner = info.get(table)
        return inner is None or (isinstance(inner, dict) and inner.get("max_budget", 0) is None)
    return False


def _windows(scope: Scope, identity: str, info: dict[str, Any], source: str) -> Iterator[Record]:
    for row in rows(info.get("budget_limits")):
        duration = text(row.get("budget_duration"))
        yield Record(
            scope=scope, source=source, id=identity, limit=number(row.get("max_budget")), limit_told=True,
            counted=number(at(info.get("budget_limits_usage"), duration, "current_spend")), duration=duration,
            reset_at=text(row.get("reset_at")) or None,
        )  # fmt: skip


def _models(key: str, info: dict[str, Any], source: str) -> Iterator[Record]:
    limits = info.get("model_max_budget")
    for model, row in limits.items() if isinstance(limits, dict) else ():
        if not isinstance(model, str):
            continue
        limit = number(at(row, "budget_limit"))
        used = at(info.get("model_max_budget_usage"), model)
        yield Record(
            scope="key_model", source=source, id=model, counted=number(at(used, "current_spend")),
            limit=limit if limit is not None else number(at(row, "max_budget")), limit_told=True,
            duration=text(at(row, "time_period")), reset_at=text(at(used, "budget_reset_at")) or None,
        )  # fmt: skip
