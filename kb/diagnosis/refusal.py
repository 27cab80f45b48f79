"""What a proxy said when it refused lives here: message, type, status and the numbers in its text.

The forms are those of LiteLLM 1.84.0 and 1.108.7 (proxy/auth/auth_checks.py, proxy/spend_tracking/
budget_reservation.py, router_strategy/budget_limiter.py), as recorded from a real proxy.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from kb.diagnosis.canonical import canonical
from kb.diagnosis.finding import Scope
from kb.diagnosis.loose import at, number, text
from kb.diagnosis.text_facts import text_facts

_MOST = 20_000
_N = r"\$?(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|inf|nan)"
_TAIL = rf"Current cost: {_N},(?: Estimated request cost: {_N},)? Max budget: {_N}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """The budget that a text names, and the dollars it prints.

    `scope` is None where the text names no budget; `member_of` is the team of a team member; `form` is
    the whole phrase. `printed_key` tells the form that 1.108.7 alone prints, `Key=alias (sk-...abcd)`.
    """

    scope: Scope | None
    form: str
    id: str = ""
    member_of: str = ""
    cost: float | None = None
    estimated: float | None = None
    limit: float | None = None
    window: str = ""
    model: str = ""
    printed_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One refusal in its own words. `source` says who heard it: the test call, or the pasted error."""

    message: str
    type: str
    status: int | None
    source: str
    request: str = ""
    live: bool = False
    amounts: Amounts | None = None
    detail: bool = False

    def says(self, *phrases: str) -> bool:
        """Tell whether one of the phrases stands in the message."""
        low = self.message.lower()
        return any(phrase.lower() in low for phrase in phrases)


# What LiteLLM's router adds behind an error: its groups, and how the fallback failed (`async_function_with_
# fallbacks` in litellm/router.py, 1.72.6 to 1.84.0; router_utils/common_utils.py, 1.108.7).
_ADDED = (
    "No fallback model group found", " Received Model Group=", "Error doing the fallback:",
    "LiteLLM: model group '",
)  # fmt: skip
_NAMED: dict[str, Scope] = {
    "key": "key", "team": "team", "user": "user", "teammember": "team_member", "organization": "org",
    "project": "project", "tag": "tag", "enduser": "end_user", "end user": "end_user",
}  # fmt: skip


def from_body(
    body: Any, status: int | None, source: str, *, request: str = "", live: bool = True
) -> Refusal | None:
    """Read an error answer of any shape; None where it holds no word."""
    error = at(body, "error")
    message, kind = text_of(error), ""
    if isinstance(error, dict):
        message, kind = text_of(error.get("message")), text(error.get("type"))
    detail = not message and at(body, "detail") is not None
    if detail:
        message = text_of(at(body, "detail", "error")) or text_of(at(body, "detail"))
    if not message and isinstance(body, str):
        message = body
    if not (message or kind):
        return None
    plain = canonical(message[:_MOST]).text.strip()
    return Refusal(
        message=plain, type=kind, status=status, source=source, request=request, live=live,
        amounts=amounts(first_failure(plain)), detail=detail,
    )  # fmt: skip


def from_text(pasted: str) -> Refusal | None:
    """Read an error that was pasted, however it was wrapped; None where there is none."""
    plain = canonical(pasted[:_MOST]).text.strip()
    if not plain:
        return None
    facts = text_facts(plain)
    return Refusal(
        message=plain, type=text(facts.error_type), status=facts.status, source="the pasted error",
        amounts=amounts(plain), detail="detail" in plain[:12],
    )  # fmt: skip


def first_failure(message: str) -> str:
    """The error of the model that was asked for, which LiteLLM raises whatever its fallback said."""
    return message[: min((at for added in _ADDED if (at := message.find(added)) > 0), default=len(message))]


def text_of(value: Any) -> str:
    """A string as it is, anything else as nothing."""
    return value if isinstance(value, str) else ""


def amounts(message: str) -> Amounts | None:
    """The budget phrase of a message, if it has one. A gateway further on that speaks has none here."""
    if spoken_upstream(message):
        return None
    for reader in (_windowed, _over, _exceeded, _of_model, _of_router):
        found = reader(message)
        if found:
            return found
    return None


def spoken_upstream(message: str) -> bool:
    """Tell whether a budget phrase was said by the provider's side: a LiteLLM behind this one.

    https://github.com/BerriAI/litellm/issues/14144 prints
    `litellm.BadRequestError: OpenAIException - Budget has been exceeded!`.
    """
    return bool(
        _search(r"Exception - .{0,80}(?:Budget has been exceeded|ExceededBudget|[Bb]udget_exceeded)", message)
    )


def _windowed(message: str) -> Amounts | None:
    found = _search(
        rf"ExceededBudget: (Key|Team=(.+?)) over (\S{{1,20}}) budget\. Spend={_N}, Limit={_N}", message
    )
    if not found:
        return None
    scope: Scope = "key_window" if found.group(1) == "Key" else "team_window"
    return Amounts(
        scope=scope, form=found.group(0), id=found.group(2) or "", window=found.group(3),
        cost=number(found.group(4)), limit=number(found.group(5)),
    )  # fmt: skip


def _over(message: str) -> Amounts | None:
    found = _search(rf"ExceededBudget: (End User|User)=(.+?) over budget\. Spend={_N}, Budget={_N}", message)
    if not found:
        return None
    return Amounts(
        scope="user" if found.group(1) == "User" else "end_user", form=found.group(0), id=found.group(2),
        cost=number(found.group(3)), limit=number(found.group(4)),
    )  # fmt: skip


def _exceeded(message: str) -> Amounts | None:
    found = _search(rf"Budget has been exceeded! (?:([A-Za-z ]+?)=(.+?) )?{_TAIL}", message)
    if not found:
        return None
    label, name = (found.group(1) or "").lower(), found.group(2) or ""
    scope = _NAMED.get(label)
    if label and not scope:
        return None
    printed = scope == "key" and "(sk-..." in name
    user, _, team = name.partition(":") if scope == "team_member" else (name, "", "")
    if scope == "user" and " in Team=" in name:
        user, _, team = name.partition(" in Team=")
        scope = "team_member"
    return Amounts(
        scope=scope, form=found.group(0), id=user, member_of=team, cost=number(found.group(3)),
        estimated=number(found.group(4)), limit=number(found.group(5)), printed_key=printed,
    )  # fmt: skip


def _of_model(message: str) -> Amounts | None:
    found = _search(
        r"LiteLLM (Virtual Key|End User): ([^,]+),(?: key_alias: (.+?),)? exceeded budget for model=(\S+)",
        message,
    )
    if not found:
        return None
    scope: Scope = "key_model" if found.group(1) == "Virtual Key" else "end_user"
    return Amounts(scope=scope, form=found.group(0), id=found.group(2), model=found.group(4))


def _of_router(message: str) -> Amounts | None:
    found = _search(rf"Exceeded budget for provider (\S+): {_N} >= {_N}", message)
    if found:
        cost, limit = number(found.group(2)), number(found.group(3))
        return Amounts(scope="provider", form=found.group(0), id=found.group(1), cost=cost, limit=limit)
    found = _search(
        rf"Exceeded budget for deployment model_name: (\S+), litellm_params\.model: (\S+), "
        rf"model_id: (\S+): {_N} >= (\S+)",
        message,
    )
    if found:
        return Amounts(
            scope="deployment", form=found.group(0), id=found.group(3), model=found.group(1),
            cost=number(found.group(4)), window=found.group(5),
        )  # fmt: skip
    found = _search(rf"Exceeded budget for tag='(.+?)', tag_spend={_N}, tag_budget_limit={_N}", message)
    if not found:
        return None
    cost, limit = number(found.group(2)), number(found.group(3))
    return Amounts(scope="tag", form=found.group(0), id=found.group(1), cost=cost, limit=limit)


def _search(pattern: str, message: str) -> Any:
    return _compiled(pattern).search(message)


@lru_cache(maxsize=32)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.dot_nl = False
    return re2.compile(pattern, options)
