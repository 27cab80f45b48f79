"""Which budget refused the call is worked out here, from its own words and from what matches its limit."""

from dataclasses import dataclass

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Scope
from kb.diagnosis.records import Record
from kb.diagnosis.refusal import Amounts

_WINDOWED: dict[Scope, Scope] = {"key": "key_window", "team": "team_window"}
# Scopes that LiteLLM 1.84.0 refuses in the same words: "Budget has been exceeded! Current cost: ...".
_UNNAMED: tuple[Scope, ...] = ("key", "team_member", "global")


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """The budget that refused: its scope (None where several fit: `candidates`), its row, how it is known."""

    amounts: Amounts
    scope: Scope | None
    record: Record | None = None
    candidates: tuple[Scope, ...] = ()
    because: str = ""
    would_settle: str = ""
    named: bool = False

    @property
    def limit(self) -> float | None:
        """The limit in the message, else the recorded one."""
        if self.amounts.limit is not None:
            return self.amounts.limit
        return self.record.limit if self.record else None


def near(one: float | None, other: float | None) -> bool:
    """Tell whether two amounts are the same but for the last digits of a float."""
    if one is None or other is None:
        return False
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


def blocked(facts: Facts) -> Blocked | None:
    """The budget that refused the call; None where no budget did."""
    said = facts.refusal.amounts if facts.refusal else None
    if said is None:
        return None
    if said.scope is None:
        return _unnamed(facts, said)
    if said.scope in _WINDOWED and not said.printed_key:
        return _named_or_window(facts, said, said.scope)
    record = facts.record(said.scope, _identity(said), window=said.window if "window" in said.scope else "")
    return Blocked(amounts=said, scope=said.scope, record=record, named=True, because="The error names it.")


def _identity(said: Amounts) -> str:
    """The id under which the books keep what the text names."""
    if said.scope == "team_member" and said.member_of:
        return f"{said.id}:{said.member_of}"
    if said.scope == "key_model":
        return said.model
    return "" if said.scope in ("key", "key_window") else said.id


def _named_or_window(facts: Facts, said: Amounts, scope: Scope) -> Blocked:
    """A reservation names a key's or a team's window by the key or team alone.

    litellm/proxy/spend_tracking/budget_reservation.py gives window counters the entity_type of the whole.
    """
    whole = facts.record(scope, _identity(said))
    windows = [one for one in facts.all(_WINDOWED[scope]) if near(one.limit, said.limit)]
    fits = whole is not None and near(whole.limit, said.limit)
    if windows and not fits and whole is not None and whole.limit_told:
        return Blocked(
            amounts=said,
            scope=_WINDOWED[scope],
            record=windows[0],
            named=True,
            because=f"Its limit is that of the {windows[0].duration} window and not that of the whole.",
        )
    if windows and not fits:
        return Blocked(
            amounts=said,
            scope=None,
            candidates=(scope, _WINDOWED[scope]),
            because=f"Both the {scope} and its window may have this limit.",
            would_settle=f"The max_budget that /{scope}/info shows.",
        )
    return Blocked(amounts=said, scope=scope, record=whole, named=True, because="The error names it.")


def _unnamed(facts: Facts, said: Amounts) -> Blocked:
    """Match the limit against each scope that is refused in these words (FINDINGS of the lab, (d) 2)."""
    fits = [scope for scope in _possible(facts) if _fits(facts, scope, said)]
    if len(fits) == 1:
        record = _own_row(facts, fits[0], said)
        return Blocked(
            amounts=said,
            scope=fits[0],
            record=record,
            because=f"The error names no budget; its limit is the one in {record.source if record else ''}.",
        )
    left = tuple(fits) or tuple(scope for scope in _possible(facts) if not _excluded(facts, scope, said))
    return Blocked(
        amounts=said,
        scope=None,
        candidates=left or _UNNAMED,
        because="The error names no budget, and LiteLLM says the same for several.",
        would_settle="With the admin key: the key's own max_budget (/key/info?key=), its team member's"
        " (/team/info) and the proxy's (/global/spend); the one that equals the limit refused the call.",
    )


def _possible(facts: Facts) -> tuple[Scope, ...]:
    """What /key/info gives away: it answers the key itself unless a budget other than its own refuses.

    A member's budget is checked first and on every route, the key's on the models' routes alone
    (litellm/proxy/auth/user_api_key_auth.py, 1.67.6 to 1.84.0): where /key/info is refused over a budget that
    it names, the member's has room. The key is named since 1.91.5 (auth_checks.py), the member since 1.100.5
    (user_api_key_auth.py), so that the proxy's own budget alone stays unnamed.
    """
    if facts.version.era == "1.108" or facts.version.minor >= 100:
        return ("global",)
    unnamed = _unnamed_before(facts)
    return tuple(scope for scope in unnamed if scope != "key" or facts.version.minor < 91)


def _unnamed_before(facts: Facts) -> tuple[Scope, ...]:
    refusal = facts.own_info_refusal.amounts if facts.own_info_refusal else None
    if facts.own_info == "refused" and refusal and refusal.scope is None:
        return ("team_member", "global")
    if facts.own_info == "answers" or refusal:
        return ("key", "global")
    return _UNNAMED


def _own_row(facts: Facts, scope: Scope, said: Amounts) -> Record | None:
    if scope == "team_member":
        key = facts.key
        member = f"{key.user}:{key.team}" if key and key.user and key.team else "?"
        rows = [one for one in facts.all(scope) if one.id == member]
        return rows[0] if rows else None
    return facts.record(scope)


def _fits(facts: Facts, scope: Scope, said: Amounts) -> bool:
    record = _own_row(facts, scope, said)
    return record is not None and near(record.limit, said.limit)


def _excluded(facts: Facts, scope: Scope, said: Amounts) -> bool:
    """Tell whether the books say that this scope has another limit, or none."""
    record = _own_row(facts, scope, said)
    return record is not None and record.limit_told and not near(record.limit, said.limit)
