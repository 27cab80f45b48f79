"""The numbers and names that LiteLLM prints in its messages are read here; none is interpreted.

The forms are those of LiteLLM 1.84.0 and 1.108.7 as a real proxy answered them, and of older
versions as public threads show them. A value stays as it was printed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

NEIGHBOURHOOD = 2_000
_REACHES = (200, 4 * NEIGHBOURHOOD)  # bytes before a match in which values are sought, the near ones first
_NUMBER = r"(-?\$?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
_ID = r"([^\s,;'\"`(){}\[\]<>]*[^\s,;:.'\"`(){}\[\]<>])"
_TIME = r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?: ?UTC|Z|[+-]\d\d:?\d\d)?)"


@dataclass(frozen=True, slots=True)
class _Form:
    """One way to print a value: where it stands, and a lower-case mark that has to be there too."""

    name: str
    mark: str
    pattern: str


_FORMS = (
    _Form("current_cost", "current cost:", rf"Current cost: {_NUMBER}"),
    _Form("current_cost", "spend=", rf"\b(?:tag_)?spend=\$?{_NUMBER}"),
    _Form("current_cost", "current spend:", rf"Current spend: \$?{_NUMBER}"),
    _Form("current_cost", "exceeded budget for", rf": {_NUMBER} >= \S"),
    _Form("max_budget", "max budget:", rf"Max budget: {_NUMBER}"),
    _Form("max_budget", "budget. spend=", rf"Spend=[^,]*, (?:Budget|Limit)=\$?{_NUMBER}"),
    _Form("max_budget", "tag_budget_limit=", rf"tag_budget_limit={_NUMBER}"),
    _Form("max_budget", "max_budget_per_session:", rf"max_budget_per_session: \$?{_NUMBER}"),
    _Form("max_budget", "budget for provider", rf"provider \S+: \S+ >= {_NUMBER}"),
    _Form("estimated_cost", "estimated request cost:", rf"Estimated request cost: {_NUMBER}"),
    _Form("key_alias", "key_alias:", rf"key_alias: {_ID}"),
    _Form("key_alias", "(sk-...", rf"\bKey={_ID} \(sk-\.\.\."),
    _Form("key", "sk-...", r"(sk-\.\.\.[\w-]{2,8})"),
    _Form("key", "****", r"((?:sk-)?[\w-]{0,12}\*{3,}[\w-]{0,8})"),
    _Form("team", "team=", rf"\bTeam={_ID}"),
    _Form("team", "teammember=", rf"\bTeamMember=[^\s:]+:{_ID}"),
    _Form("team", "for team:", rf"exceeded for team: {_ID}"),
    _Form("user", "over budget", rf"ExceededBudget: User={_ID}"),
    _Form("user", "teammember=", rf"\bTeamMember={_ID}:[^\s:]+ "),
    _Form("user", " in team=", rf"\bUser={_ID} in Team="),
    _Form("user", "exceeded! user=", rf"exceeded! User={_ID}"),
    _Form("user", "for user:", rf"exceeded for user: {_ID}"),
    _Form("user", "user_id=", rf"\buser_id={_ID}"),
    _Form("user", "litellm user:", rf"LiteLLM User: {_ID}"),
    _Form("end_user", "end user=", rf"End User={_ID}"),
    _Form("end_user", "end user:", rf"End User: {_ID}"),
    _Form("end_user", "end_user:", rf"\bend_user: {_ID}"),
    _Form("organization", "organization=", rf"\bOrganization={_ID}"),
    _Form("project", "project=", rf"\bProject={_ID}"),
    _Form("tag", "tag=", rf"\btag=['\"]?{_ID}"),
    _Form("provider", "for provider ", rf"budget for provider {_ID}: "),
    _Form("provider", "custom_llm_provider=", rf"custom_llm_provider={_ID}"),
    _Form("provider", "exception - ", r"\b(\w+)Exception - "),
    _Form("model", "model=", rf"\bmodel=['\"]? ?{_ID}"),
    _Form("model", "requested model", rf"requested model:? '?{_ID}"),
    _Form("model", "tried to access ", rf"Tried to access {_ID}"),
    _Form("model", "the model `", r"[Tt]he model `([^`]+)`"),
    _Form("model", "budget for deployment", rf"litellm_params\.model: {_ID}"),
    _Form("model_group", "model group=", rf"Received Model Group={_ID}"),
    _Form("model_group", "model group '", r"model group '([^']+)'"),
    _Form("model_group", "deployment model_name:", rf"deployment model_name: {_ID}"),
    _Form("limit", "current limit:", rf"Current limit: {_NUMBER}"),
    _Form("limit", "crossed tpm", r"current rpm: \d+, rpm limit: (\d{1,15})\b"),
    _Form("limit", "crossed tpm", r"current tpm: \d+, tpm limit: (\d{1,15})\b"),
    _Form("limit", " limit=", rf"\b[RT]PM limit={_NUMBER}"),
    _Form("limit", "limit ", rf"\b[RT]P[MD]\): Limit {_NUMBER}"),
    _Form("limit", "maximum context length", r"maximum context length is (\d+)"),
    _Form("limit_type", "limit type:", rf"Limit type: {_ID}"),
    _Form("remaining", "remaining:", rf"Remaining: {_NUMBER}"),
    _Form("reset_at", "limit resets at:", rf"Limit resets at: {_TIME}"),
    _Form("retry_after", "try again in ", r"[Tt]ry again in (\d+(?:\.\d+)? ?(?:ms|seconds|s|m)?)"),
    _Form("retry_after", "retry-after", r"[Rr]etry-[Aa]fter[\"']?: ?[\"']?(\d+)"),
    _Form("budget_window", " budget. spend=", r"over (\d+\w+) budget\. Spend="),
    _Form("budget_window", "budget for deployment", r"model_id: \S+: \S+ >= (\d+\w+)"),
    _Form("expires_at", "key expiry time", rf"Key Expiry time {_TIME}"),
    _Form("status", "error code:", r"Error code: ([1-5]\d\d)"),
    _Form("status", "code", r"['\"]code['\"]: ?['\"]([1-5]\d\d)['\"]"),
    _Form("status", "http ", r"\bHTTP(?:/\d(?:\.\d)?)?\"? ([1-5]\d\d)\b"),
    _Form("error_type", "type", r"['\"]type['\"]: ?['\"](\w+)['\"], ?['\"]param['\"]"),
    _Form("exception", "litellm.", r"\blitellm\.(?:\w+\.){0,4}((?-i:[A-Z])\w+)\b"),
    _Form("exception", "error:", r"\b((?-i:[A-Z])\w+Error): "),
)  # fmt: skip
_NO_VALUE = frozenset(("none", "null", "n/a", ""))


def capture(canonical_text: str, around: tuple[int, int], named: Iterable[int] = ()) -> dict[str, str]:
    """Read the values printed within NEIGHBOURHOOD characters of `around`, a span of the text.

    Of several, the nearest after the span's start wins, then the nearest before it. A form that
    stands earlier in the table wins over a later one at the same distance. What begins at an offset
    in `named` has a name already, and isn't told again under another.
    """
    begin = max(0, around[0] - NEIGHBOURHOOD)
    text = _encoded(canonical_text[begin : around[1] + NEIGHBOURHOOD])
    start = len(_encoded(canonical_text[begin : around[0]]))
    known = [len(_encoded(canonical_text[begin:place])) for place in named if place >= begin]
    best: dict[str, tuple[tuple[bool, int], str]] = {}
    for form in _forms_in(text):
        found = _nearest(form.pattern, text, start)
        if found is None:
            continue
        at, value = found
        rank = (at < start, abs(at - start))
        if form.name not in best or rank < best[form.name][0]:
            best[form.name] = (rank, value)
    told = {(at < start, abs(at - start)) for at in known}
    return {name: value for name, (rank, value) in best.items() if rank not in told}


def _encoded(text: str) -> bytes:
    """Bytes, since re2 counts the letters before each find in a str."""
    return text.encode("utf-8", "replace")


def _forms_in(text: bytes) -> list[_Form]:
    """The forms that a text holds, in the order of the table."""
    low = text.lower()
    found = (_FORMS[index] for index in sorted(_all_forms().Match(text) or ()))
    return [form for form in found if form.mark.encode() in low]


def _nearest(pattern: str, text: bytes, start: int) -> tuple[int, str] | None:
    """The nearest value after `start`, or else before it: sought from ever farther before."""
    for reach in _REACHES:
        found = None
        for found in _found(pattern, text, max(0, start - reach)):
            if found[0] >= start:
                break
        if found is not None:
            return found
    return None


def _found(pattern: str, text: bytes, begin: int) -> Iterator[tuple[int, str]]:
    """Where the values from `begin` on stand and what they are."""
    for match in _compiled(pattern).finditer(text, begin):
        value = match.group(1).decode()
        if value.lower() not in _NO_VALUE:
            yield match.start(1), value


@lru_cache(maxsize=1)
def _all_forms() -> Any:
    """All patterns as one automaton, which tells in one pass over a text which of them it holds."""
    forms = re2.Set.SearchSet(_options())
    for form in _FORMS:
        forms.Add(form.pattern)
    forms.Compile()
    return forms


@lru_cache(maxsize=len(_FORMS))
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern, _options())


def _options() -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = 64 << 20
    return options
