"""Real or stale is decided here, by arithmetic on three numbers: what was enforced, the limit, what was
recorded.

LiteLLM enforces a counter (`get_current_spend`, litellm/proxy/proxy_server.py, 1.84.0 and 1.108.7) and writes
what it records in batches (`proxy_batch_write_at`, 10 s), so a small gap may be spending not yet written.
"""

from dataclasses import dataclass
from typing import Literal

from kb.diagnosis.blocked import Blocked, near
from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Confidence, Scope
from kb.diagnosis.records import Record

Shape = Literal["", "reservation", "seeded", "reset", "foreign", "headroom"]
# Scopes with no row of their own: the counter that is enforced is all that there is.
_COUNTER_ONLY: tuple[Scope, ...] = ("provider", "deployment", "key_model")
_WINDOWS: tuple[Scope, ...] = ("key_window", "team_window")
# How many of its dearest calls a batch that isn't written yet may hold back.
_CALLS = 5
# Without a known price of a call: a gap below this many dollars may be one batch of ordinary calls.
_DOLLARS = 5.0
LOOK_AGAIN = "Ask /key/info again after 15 s without a call: a batch that was late is written by then."


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """Whether what was enforced is backed by what was recorded, and the observation that says so."""

    stale: bool | None
    confidence: Confidence
    because: str
    shape: Shape = ""
    recorded: float | None = None
    would_settle: str = ""


def dollars(amount: float | None) -> str:
    """An amount as a reader writes it: cents at least, and as many digits as it has."""
    if amount is None:
        return "an amount that it doesn't print"
    if amount != amount or abs(amount) >= 1e15:
        return f"${amount}"
    plain = f"{amount:.6f}".rstrip("0")
    whole, _, cents = plain.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}" if cents or amount == int(amount) else f"${amount:.3g}"


def backing(facts: Facts, budget: Blocked) -> Backing:
    """Judge one refusal. `budget.scope` is decided."""
    if budget.scope == "project":
        return _of_project(budget)
    if budget.scope in _COUNTER_ONLY:
        return _of_counter(facts, budget)
    if budget.scope in _WINDOWS:
        return _of_window(facts, budget)
    record = budget.record
    spend = record.spend if record else None
    if spend is None or record is None:
        return _unread(facts, budget)
    return _of_row(facts, budget, record, spend)


def _of_row(facts: Facts, budget: Blocked, record: Record, spend: float) -> Backing:
    """A scope with a row: key, team, member, user, end user, organization, proxy."""
    limit, cost = budget.limit, budget.amounts.cost
    if limit is None:
        return Backing(
            stale=None, confidence="undecided", because="No answer shows the limit.", recorded=spend
        )
    if spend >= limit:
        because = (
            f"{record.source} has recorded {dollars(spend)}, which is the limit of {dollars(limit)} or more."
        )
        return Backing(stale=False, confidence="proved", because=because, recorded=spend)
    if cost is None:
        return Backing(
            stale=None, confidence="undecided", recorded=spend, would_settle=LOOK_AGAIN,
            because=f"{record.source} has recorded {dollars(spend)} of {dollars(limit)}.",
        )  # fmt: skip
    if cost < limit and not near(cost, limit):
        return _of_headroom(budget, cost, limit, spend)
    return _of_gap(facts, record, spend, cost, limit)


def _of_gap(facts: Facts, record: Record, spend: float, cost: float, limit: float) -> Backing:
    """More was enforced than the limit, and less was recorded: late writing, or a stale counter."""
    part = _part_is_enough(facts, record, limit)
    if part:
        return Backing(stale=False, confidence="consistent", because=part, recorded=spend)
    late = _may_be_late(facts, spend, cost, limit)
    numbers = f"{record.source} has recorded {dollars(spend)} where {dollars(cost)} was enforced."
    shape = _shape(facts, record, spend, cost, limit)
    if facts.looked_again and record.scope == "key" and record.source:
        return Backing(
            stale=True, confidence="proved", shape=shape or "foreign", recorded=spend,
            because=f"{numbers} It still does at the second look, when a late batch is written.",
        )  # fmt: skip
    if shape == "reset" or (shape == "reservation" and not (late and _price(facts, spend))):
        return Backing(stale=True, confidence="known_shape", shape=shape, recorded=spend, because=numbers)
    if late:
        return Backing(
            stale=None, confidence="undecided", shape=shape, recorded=spend, would_settle=LOOK_AGAIN,
            because=f"{numbers} The gap may be calls that aren't written yet, or a counter that is too high.",
        )  # fmt: skip
    sure: Confidence = "proved" if facts.logs and facts.logs.count else "consistent"
    because = f"{numbers} So large a gap isn't a batch that is still to be written."
    return Backing(stale=True, confidence=sure, shape=shape or "foreign", recorded=spend, because=because)


def _may_be_late(facts: Facts, spend: float, cost: float, limit: float) -> bool:
    """Tell whether a few calls that aren't written yet would explain the gap."""
    price = _price(facts, spend)
    gap = cost - spend
    return gap <= (_CALLS * price if price else max(_CALLS * limit, _DOLLARS)) or (
        not (facts.logs and facts.logs.count) and spend > 0 and gap <= _CALLS * spend
    )


def _price(facts: Facts, spend: float) -> float | None:
    """What a call of this key costs at most, as far as it shows; all that it ever spent, if nothing else
    does.
    """
    known = facts.logs.dearest if facts.logs and facts.logs.count else 0.0
    said = facts.refusal.amounts.estimated if facts.refusal and facts.refusal.amounts else None
    prices = [price for price in (known, facts.cost, said) if price]
    if prices:
        return max(prices)
    return spend if spend > 0 else None


def _shape(facts: Facts, record: Record, spend: float, cost: float, limit: float) -> Shape:
    """The documented fault whose numbers these are."""
    if near(cost, limit):
        return "reservation"
    if _was_reset(facts, record, spend, cost):
        return "reset"
    ratio = cost / spend if spend > 0 else 0.0
    if facts.version.era != "1.108" and 1.99 < ratio < 20.05 and abs(ratio - round(ratio)) <= 0.005 * ratio:
        return "seeded"
    return ""


def _was_reset(facts: Facts, record: Record, spend: float, cost: float) -> bool:
    """Tell whether spend that was recorded is recorded no more, and the counter still holds it."""
    if record.total is not None and record.total > spend and _about(record.total, cost):
        return True
    if record.scope != "key" or record.active is None:
        return False
    wiped = spend == 0 and record.updated is not None and record.updated > record.active + 1.0
    logged = facts.logs is not None and facts.logs.total > spend and _about(facts.logs.total, cost)
    return wiped or (spend == 0 and logged)


def _about(one: float, other: float) -> bool:
    return abs(one - other) <= 0.05 * max(abs(one), abs(other))


def _of_headroom(budget: Blocked, cost: float, limit: float, spend: float) -> Backing:
    """The call might have cost more than was left: the reservation refused it before it was made."""
    asked = budget.amounts.estimated
    may = f"this call might cost {dollars(asked)}" if asked is not None else "this call might cost more"
    real = spend >= cost or _about(spend, cost)
    return Backing(
        stale=False if real else None, confidence="consistent" if real else "undecided", shape="headroom",
        because=f"{dollars(limit - cost)} is left of {dollars(limit)}, and {may}.", recorded=spend,
        would_settle="" if real else LOOK_AGAIN,
    )  # fmt: skip


def _of_project(budget: Blocked) -> Backing:
    """`_project_max_budget_check` compares the project's own row, no counter (1.84.0, auth_checks.py)."""
    cost, limit = budget.amounts.cost, budget.limit
    if cost is None or limit is None:
        return Backing(stale=None, confidence="undecided", because="The error prints no cost.")
    return Backing(
        stale=False, confidence="consistent", recorded=budget.record.spend if budget.record else None,
        because="LiteLLM compares the spend in the project's database row, not a counter.",
    )  # fmt: skip


def _of_counter(facts: Facts, budget: Blocked) -> Backing:
    """Nothing else is recorded of such a budget, so nothing can contradict its counter."""
    record = budget.record
    counted = record.counted if record else None
    if counted is not None and record:
        because = f"{record.source} shows the same counter: {dollars(counted)}."
    else:
        because = "LiteLLM records the spend of such a budget in this one counter only."
    return Backing(stale=False, confidence="consistent", because=because, recorded=counted)


def _of_window(facts: Facts, budget: Blocked) -> Backing:
    """A window can't have spent more than its key or team ever did."""
    whole = facts.record("key" if budget.scope == "key_window" else "team")
    cost, limit, record = budget.amounts.cost, budget.limit, budget.record
    ever = None if whole is None else whole.total if whole.total is not None else whole.spend
    if whole is not None and ever is not None and cost is not None and limit is not None:
        if ever >= limit:
            because = f"{whole.source} has recorded {dollars(ever)} in all, enough for the {dollars(cost)}."
            return Backing(stale=False, confidence="consistent", because=because, recorded=None)
        if whole.duration == "" and not _may_be_late(facts, ever, cost, limit):
            because = (
                f"{whole.source} has recorded {dollars(ever)} in all, less than the window's {dollars(cost)}."
            )
            return Backing(
                stale=True, confidence="consistent", because=because, shape="foreign", recorded=ever
            )
    if record and record.counted is not None and limit is not None and record.counted >= limit:
        because = f"{record.source} counts {dollars(record.counted)} in this window."
        return Backing(stale=False, confidence="consistent", because=because, recorded=record.counted)
    return _unread(facts, budget)


def _unread(facts: Facts, budget: Blocked) -> Backing:
    """The row can't be read: what its parts recorded may still be enough."""
    limit = budget.limit
    below = _recorded_below(facts, budget)
    if below and limit is not None and below[1] >= limit:
        because = f"{below[0]} alone has recorded {dollars(below[1])}, which this budget includes."
        return Backing(stale=False, confidence="consistent", because=because)
    return Backing(
        stale=None, confidence="undecided",
        because="What the proxy recorded for this budget couldn't be read.",
        would_settle=_WHERE.get(budget.scope or "key", LOOK_AGAIN),
    )  # fmt: skip


_WHERE: dict[Scope, str] = {
    "key": "GET /key/info with the key, or GET /key/info?key=<hash> with the admin key.",
    "key_window": "GET /key/info?key=<hash> with the admin key, and the key's own GET /spend/logs.",
    "team": "GET /team/info?team_id=<team> with the admin key.",
    "team_window": "GET /team/info?team_id=<team> with the admin key.",
    "team_member": "GET /team/info?team_id=<team> with the admin key: team_memberships.",
    "user": "GET /user/info?user_id=<user> with the admin key.",
    "end_user": "GET /customer/info?end_user_id=<customer> with the admin key.",
    "org": "GET /organization/info?organization_id=<organization> with the admin key.",
    "tag": "GET /spend/tags with the admin key: /tag/info shows a tag's limit and not its spend.",
    "global": "GET /global/spend with the admin key.",
}


def _part_is_enough(facts: Facts, record: Record, limit: float) -> str:
    """A row that is written late: what its key alone has recorded by the second look fills it.

    A row that had less than its key at the first look was reset, not late: that proves nothing.
    """
    key, inside = facts.record("key"), facts.key
    of = {"team": inside.team, "user": inside.user}.get(record.scope, "") if inside else ""
    if not of or of != record.id or key is None or key.spend is None or not facts.looked_again:
        return ""
    looks = [one.spend for one in facts.records if one.scope == "key" and one.probe != "key_info_again"]
    first = max((spend for spend in looks if spend is not None), default=None)
    if first is None or record.spend is None or first > record.spend or key.spend < limit:
        return ""
    return f"{key.source} has recorded {dollars(key.spend)} for this key alone at the second look."


def _recorded_below(facts: Facts, budget: Blocked) -> tuple[str, float] | None:
    """The largest spend recorded for a part of a scope that is often unreadable, and who shows it."""
    key, scope = facts.key, budget.scope
    belongs = scope == "global" or (scope == "org" and bool(key and key.org))
    parts = [facts.record("key"), facts.record("team")] if belongs else []
    sums = [(one.source, one.spend) for one in parts if one is not None and one.spend is not None]
    logged = _logged(facts, budget)
    return max([*sums, *logged], key=lambda pair: pair[1], default=None)


def _logged(facts: Facts, budget: Blocked) -> list[tuple[str, float]]:
    """What the key's own rows of the spend logs say of the scope."""
    scope, name = budget.scope, budget.amounts.id
    if not facts.logs or scope not in ("tag", "end_user", "global", "key_window"):
        return []
    named = scope in ("tag", "end_user")
    ours = [row.cost for row in facts.logs.rows if not named or name in (*row.tags, row.end_user)]
    return [("GET /spend/logs", sum(ours))] if ours else []
