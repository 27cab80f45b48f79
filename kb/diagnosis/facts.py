"""Facts live here: what the replies of a check say, typed, each with where it came from; no verdicts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kb.diagnosis import records
from kb.diagnosis.finding import Asked, Recognised, Reply, Scope
from kb.diagnosis.loose import at, names, number, rows, text
from kb.diagnosis.records import Key, Record
from kb.diagnosis.refusal import Refusal, from_body, from_text

# An answer to these is the proxy's word on the key itself, as the call's would be.
# `proxy_batch_write_at`: LiteLLM writes what was spent every 10 s.
BATCH_SECONDS = 10.0
_COMPLETED = ("choices", "id", "output", "content", "data")
_GATES = ("models", "key_info", "team_info", "user_info")
_READERS: dict[str, Callable[[Any, str], Iterator[Record]]] = {
    "key_info": records.of_key, "team_info": records.of_team, "user_info": records.of_user,
    "customer_info": records.of_customer, "organization_info": records.of_organization,
    "tag_info": records.of_tags, "provider_budgets": records.of_providers, "global_spend": records.of_global,
}  # fmt: skip
_ORDER = (
    "key_info_again", "key_info_admin", "key_info", "team_info_admin", "team_info", "user_info_admin",
    "user_info", "customer_info", "organization_info", "tag_info", "provider_budgets", "global_spend",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """LiteLLM's version as said or as its words show. `era` is "1.84", "1.108" or ""; `minor` 0 if unsaid."""

    number: str = ""
    era: str = ""
    source: str = ""

    @property
    def minor(self) -> int:
        """84 of 1.84.0."""
        parts = self.number.lstrip("v").split(".")
        minor = number(parts[1]) if parts[0] == "1" and len(parts) > 1 else None
        return int(minor or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """The key's own spend logs: what each row cost, and what it was for."""

    rows: tuple["Call", ...]

    @property
    def count(self) -> int:
        """How many rows were seen."""
        return len(self.rows)

    @property
    def total(self) -> float:
        """Their sum."""
        return sum(row.cost for row in self.rows)

    @property
    def dearest(self) -> float:
        """What the dearest of them cost."""
        return max((row.cost for row in self.rows), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One row of the spend logs."""

    cost: float
    model: str = ""
    end_user: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that the rules may know. None and "" mean that nobody told."""

    asked: Asked
    replies: dict[str, Reply]
    call: Reply | None
    passed: bool
    refusal: Refusal | None
    pasted: Refusal | None
    version: Version
    database: str
    cache: str
    cache_broken: str
    key: Key | None
    key_missing: bool
    own_info: str
    own_info_refusal: Refusal | None
    records: tuple[Record, ...]
    logs: Logs | None
    models: tuple[str, ...] | None
    looked_again: bool
    cost: float | None
    admin: bool
    recognised: Recognised | None

    def record(self, scope: Scope, identity: str = "", *, window: str = "") -> Record | None:
        """What is recorded of a scope, the newest answer first, gaps filled from the others."""
        found: Record | None = None
        for one in self.records:
            if one.scope == scope and _same(one, identity, window):
                found = one if found is None else _filled(found, one)
        return found

    def all(self, scope: Scope) -> list[Record]:
        """Each record of a scope, one for each id and window."""
        which = dict.fromkeys(
            (one.id, one.duration if "window" in scope else "") for one in self.records if one.scope == scope
        )
        found = (self.record(scope, identity, window=window) for identity, window in which)
        return [one for one in found if one is not None]


def read(
    replies: Sequence[Reply], asked: Asked, recognise: Callable[[str], Recognised | None] | None = None
) -> Facts:
    """Read every reply; one that can't be read gives no fact and no error."""
    by = {reply.probe: reply for reply in replies if reply.outcome != "not_run"}
    call = by.get("call_again") or by.get("call")
    passed = call is not None and passes(call)
    pasted = from_text(asked.error) if asked.error else None
    refusal = _refusal(by, call, pasted)
    own = by.get("key_info_again") or by.get("key_info")
    return Facts(
        asked=asked, replies=by, call=call, passed=passed, refusal=refusal, pasted=pasted,
        version=_version(by, refusal), database=_database(by),
        cache=_cache(by),
        cache_broken=_cache_broken(by), key=_key(by),
        key_missing="key_info_admin" in by and by["key_info_admin"].status == 404,
        own_info=_own_info(own), own_info_refusal=_own_refusal(own), records=tuple(_records(by)),
        logs=_logs(_body(by, "spend_logs")), models=_models(by),
        looked_again=_looked_again(by), cost=_cost(by),
        admin=asked.admin or any(name.endswith("_admin") for name in by),
        recognised=recognise(refusal.message) if recognise and refusal and refusal.message else None,
    )  # fmt: skip


def answered(reply: Reply | None) -> bool:
    """Tell whether a reply is a plain success."""
    return reply is not None and reply.status is not None and 200 <= reply.status < 300 and not reply.trouble


def passes(reply: Reply) -> bool:
    """Tell whether a completion came back: a 200 that holds an error, or no object, is none."""
    if not answered(reply) or reply.outcome == "failed":
        return False
    body = reply.body
    if isinstance(body, dict):
        return "error" not in body and any(
            name in body for name in ("choices", "id", "output", "content", "data")
        )
    return isinstance(body, str) and body.lstrip().startswith("data:") and '"error"' not in body


def _body(by: dict[str, Reply], name: str) -> Any:
    reply = by.get(name)
    return reply.body if answered(reply) and reply else None


def _refusal(by: dict[str, Reply], call: Reply | None, pasted: Refusal | None) -> Refusal | None:
    """The call's own refusal; else the pasted error; else what another question was refused with."""
    if call is not None and passes(call):
        return None
    if call is not None and call.status is not None and not call.trouble:
        heard = from_body(call.body, call.status, "the test call", request=call.request)
        if heard:
            return heard
    if pasted:
        return pasted
    for name in _GATES:
        reply = by.get(name)
        if reply and reply.status is not None and reply.status >= 400:
            heard = from_body(reply.body, reply.status, reply.request, request=reply.request)
            if heard and _about_the_key(heard):
                return heard
    return None


def _about_the_key(refusal: Refusal) -> bool:
    """Tell whether a refused question shows that calls are refused too, rather than that question alone."""
    if refusal.detail or refusal.says("Only proxy admin", "not allowed to call this route", "not found"):
        return False
    return (
        bool(refusal.amounts)
        or refusal.status in (400, 401, 422, 429, 503)
        or "database" in refusal.message.lower()
    )


def _own_info(own: Reply | None) -> str:
    """How /key/info answered the key itself: "answers", "refused", or "" where it wasn't to be had."""
    if own is None or own.status is None:
        return ""
    if answered(own):
        return "answers" if isinstance(at(own.body, "info"), dict) else ""
    return "refused" if own.status < 500 else ""


def _own_refusal(own: Reply | None) -> Refusal | None:
    if own is None or own.status is None or own.status < 400:
        return None
    return from_body(own.body, own.status, own.request, request=own.request)


def _version(by: dict[str, Reply], refusal: Refusal | None) -> Version:
    """x-litellm-version on a success, else /health/readiness/details, else the form of the refusal."""
    for reply in by.values():
        said = text(reply.headers.get("x-litellm-version"))
        if said:
            return _said(said, f"x-litellm-version of {reply.request}")
    said = text(at(_body(by, "readiness_details"), "litellm_version"))
    if said:
        return _said(said, "GET /health/readiness/details")
    era = _era_of_words(refusal) if refusal else ""
    return Version(era=era, source="the form of the error" if era else "")


def _said(version: str, source: str) -> Version:
    said = Version(number=version, source=source)
    era = "1.108" if said.minor >= 108 else "1.84" if 0 < said.minor <= 84 else ""
    return replace(said, era=era)


def _era_of_words(refusal: Refusal) -> str:
    """1.84.0 answers a spent budget with 400 and names no key, 1.108.7 with 422 and `Key=alias (sk-...)`."""
    if refusal.amounts and refusal.amounts.printed_key:
        return "1.108"
    if refusal.type == "budget_exceeded" and refusal.status in (400, 422):
        return "1.84" if refusal.status == 400 else "1.108"
    return ""


def _database(by: dict[str, Reply]) -> str:
    for name in ("readiness_details", "readiness"):
        reply = by.get(name)
        said = text(at(reply.body, "db")).lower() if reply and not reply.trouble else ""
        if said:
            return {"not connected": "not_connected"}.get(said, said)
    return ""


def _cache(by: dict[str, Reply]) -> str:
    named = text(at(_body(by, "readiness_details"), "cache"))
    return named or text(at(_body(by, "cache_ping"), "cache_type"))


def _cache_broken(by: dict[str, Reply]) -> str:
    reply = by.get("cache_ping")
    if reply is None or reply.status != 503:
        return ""
    heard = from_body(reply.body, reply.status, reply.request)
    if heard and "Cache not initialized" in heard.message:  # there is none: caching_routes.py, 1.84.0
        return ""
    return (heard.message[:160] if heard else "") or "it answered 503"


def _key(by: dict[str, Reply]) -> Key | None:
    found: Key | None = None
    for name in ("key_info_again", "key_info_admin", "key_info"):
        one = records.key_of(_body(by, name), by[name].request) if name in by else None
        if one is not None:
            found = one if found is None else _filled(found, one)
    return found


def _records(by: dict[str, Reply]) -> Iterator[Record]:
    spent = records.spent_by_tag(_body(by, "spend_tags"))
    for name in _ORDER:
        reader = _READERS[name.removesuffix("_again").removesuffix("_admin")]
        if name in by and answered(by[name]):
            for one in reader(by[name].body, by[name].request):
                spend = spent.get(one.id) if one.scope == "tag" and one.spend is None else one.spend
                yield replace(one, at=by[name].at, probe=name, spend=spend)


def _logs(body: Any) -> Logs | None:
    """Read the key's own rows; none where the answer is no list."""
    listed = body if isinstance(body, list) else at(body, "data")
    if not isinstance(listed, list):
        return None
    return Logs(rows=tuple(_call(row) for row in rows(listed) if (number(row.get("spend")) or -1.0) >= 0))


def _call(row: dict[str, Any]) -> Call:
    return Call(
        cost=number(row.get("spend")) or 0.0, model=text(row.get("model_group")),
        end_user=text(row.get("end_user")), tags=names(row.get("request_tags")),
    )  # fmt: skip


def _models(by: dict[str, Reply]) -> tuple[str, ...] | None:
    listed = at(_body(by, "models"), "data")
    if not isinstance(listed, list):
        return None
    return tuple(text(row.get("id")) for row in rows(listed) if text(row.get("id")))


def _looked_again(by: dict[str, Reply]) -> bool:
    """Tell whether the key's spend was read once more, at least one batch of writes after the first look."""
    first, later = by.get("key_info"), by.get("key_info_again")
    if not answered(later) or later is None or number(at(later.body, "info", "spend")) is None:
        return False
    return first is None or not first.at or not later.at or later.at - first.at >= BATCH_SECONDS


def _cost(by: dict[str, Reply]) -> float | None:
    costs = [number(reply.headers.get("x-litellm-response-cost")) for reply in by.values()]
    return max((cost for cost in costs if cost), default=None)


def _same(one: Record, identity: str, window: str) -> bool:
    return (not identity or not one.id or one.id == identity) and (not window or one.duration == window)


def _filled(first: Any, second: Any) -> Any:
    """The first, with what it lacks taken from the second."""
    gaps = {name: getattr(second, name) for name in first.__slots__ if _empty(getattr(first, name))}
    return replace(first, **gaps) if gaps else first


def _empty(value: Any) -> bool:
    return value is None or value is False or value == ""
