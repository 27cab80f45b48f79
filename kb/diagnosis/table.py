"""The table of budgets is laid here: every scope on the key's way, read, unread, and the one that refused."""

from collections.abc import Iterator

from kb.diagnosis.blocked import Blocked, blocked
from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Budget, Finding, Scope
from kb.diagnosis.records import Record

_SCOPES: tuple[Scope, ...] = (
    "key",
    "key_window",
    "key_model",
    "team_member",
    "team",
    "team_window",
    "user",
    "org",
    "project",
    "end_user",
    "tag",
    "provider",
    "deployment",
    "global",
)


def budgets(facts: Facts, deciding: Finding | None) -> tuple[Budget, ...]:
    """Every budget that an answer shows or implies; the deciding one is marked where a budget decided."""
    refused = blocked(facts) if deciding is not None and deciding.hop == "budget" else None
    shown = [row for scope in _SCOPES for row in _read(facts, scope, refused)]
    if refused is not None and refused.scope is not None and not any(row.blocks for row in shown):
        shown.append(_of_refusal(refused, refused.scope))
    known = {row.scope for row in shown}
    shown += [row for row in _implied(facts) if row.scope not in known]
    return tuple(sorted(shown, key=lambda row: _SCOPES.index(row.scope)))


def _read(facts: Facts, scope: Scope, refused: Blocked | None) -> Iterator[Budget]:
    for record in facts.all(scope):
        if scope == "team_member" and facts.key and record.id != f"{facts.key.user}:{facts.key.team}":
            continue
        yield _of_record(record, refused if _is(record, refused) else None)


def _is(record: Record, refused: Blocked | None) -> bool:
    if refused is None or refused.scope != record.scope or refused.record is None:
        return False
    return (record.id, record.duration) == (refused.record.id, refused.record.duration)


def _of_record(record: Record, refused: Blocked | None) -> Budget:
    limit = record.limit if refused is None or refused.amounts.limit is None else refused.amounts.limit
    return Budget(
        scope=record.scope,
        id=record.id,
        spend=record.spend if record.spend is not None else record.counted,
        enforced_spend=refused.amounts.cost if refused else None,
        max_budget=limit,
        reset_at=record.reset_at,
        source=record.source,
        blocks=refused is not None,
        readable=record.limit_told and (record.spend is not None or record.counted is not None),
    )


def _of_refusal(refused: Blocked, scope: Scope) -> Budget:
    """The refusing budget where no answer shows it: the error alone tells of it."""
    return Budget(
        scope=scope,
        id=refused.amounts.id,
        enforced_spend=refused.amounts.cost,
        max_budget=refused.limit,
        source="the error",
        blocks=True,
        readable=False,
    )


def _implied(facts: Facts) -> Iterator[Budget]:
    """What must be there, or may be, and nobody showed."""
    key = facts.key
    if key is None:
        yield Budget(scope="key", readable=False, source="GET /key/info")
    ids: dict[Scope, tuple[str, str]] = {
        "team_member": (f"{key.user}:{key.team}" if key and key.user and key.team else "", "GET /team/info"),
        "team": (key.team if key else "", "GET /team/info"),
        "user": (key.user if key else "", "GET /user/info"),
        "org": (key.org if key else "", "GET /organization/info"),
        "project": (key.project if key else "", "GET /key/info"),
        "end_user": (facts.asked.end_user, "GET /customer/info"),
    }
    for scope, (identity, source) in ids.items():
        if identity:
            yield Budget(scope=scope, id=identity, readable=False, source=source)
    for tag in facts.asked.tags:
        yield Budget(scope="tag", id=tag, readable=False, source="POST /tag/info")
    yield Budget(scope="provider", readable=False, source="GET /provider/budgets")
    yield Budget(scope="global", readable=False, source="GET /global/spend")
