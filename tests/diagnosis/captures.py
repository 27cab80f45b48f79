"""Recorded exchanges of a real LiteLLM become the replies of a check; what they lack is built here, and
said.
"""

import json
from pathlib import Path
from typing import Any

from kb.diagnosis.finding import Asked, Reply

ROOT = Path(__file__).resolve().parents[2]
CAPTURES = ROOT / "content" / "litellm" / "captures"
VERSIONS = ("1.84.0", "1.108.7")
EXPECTED: dict[str, dict[str, Any]] = {
    name: wanted
    for name, wanted in json.loads((Path(__file__).parent / "expected.json").read_text()).items()
    if name != "_"
}
CASES = [
    (version, name)
    for version in VERSIONS
    for name, wanted in EXPECTED.items()
    if version in wanted.get("versions", VERSIONS)
]
# Name in a capture's context -> probe; the second kind needs the admin key.
_OWN = {
    "key_info_self": "key_info", "team_info_self": "team_info", "user_info_self": "user_info",
    "readiness": "readiness", "liveliness": "liveliness", "models": "models",
}  # fmt: skip
_ADMIN = {
    "key_info_master": "key_info_admin", "key_info": "key_info_admin", "team_info_master": "team_info_admin",
    "user_info_master": "user_info_admin", "customer_info_master": "customer_info",
    "tag_info_master": "tag_info", "provider_budgets_master": "provider_budgets",
    "organization_info_master": "organization_info", "global_spend_master": "global_spend",
    "cache_ping": "cache_ping",
}  # fmt: skip


def capture(version: str, name: str) -> dict[str, Any]:
    """One recorded scenario."""
    read: dict[str, Any] = json.loads((CAPTURES / version / f"{name}.json").read_text())
    return read


def asked(recorded: dict[str, Any], *, admin: bool, error: bool = True) -> Asked:
    """What the reader gives: the model, and the error that the caller saw."""
    answer = call_of(recorded).get("body") if error else None
    refused = (call_of(recorded).get("status") or 0) >= 400
    body = recorded["request"].get("body")
    body = body if isinstance(body, dict) else {}
    return Asked(
        target="http://127.0.0.1:4000", model=str(body.get("model", "")), end_user=str(body.get("user", "")),
        tags=tuple((body.get("metadata") or {}).get("tags", ())), admin=admin,
        error=json.dumps(answer) if refused else "",
    )  # fmt: skip


def call_of(recorded: dict[str, Any]) -> dict[str, Any]:
    """The call that the scenario is about: with Redis down, that of the key which is over its budget."""
    over = recorded.get("context", {}).get("over_budget_chat")
    found: dict[str, Any] = over["response"] if over else recorded["response"]
    return found


def replies(version: str, name: str, *, admin: bool) -> list[Reply]:
    """What a check of this scenario hears, with what its capture lacks (see `tests/diagnosis/missing.py`)."""
    from tests.diagnosis import missing

    recorded = capture(version, name)
    found = {reply.probe: reply for reply in recorded_replies(recorded, admin=admin)}
    for reply in missing.of(version, name, admin=admin):
        found.setdefault(reply.probe, reply)
    return list(found.values())


def recorded_replies(recorded: dict[str, Any], *, admin: bool) -> list[Reply]:
    """Only what was recorded."""
    context = recorded.get("context", {})
    known = {**_OWN, **_ADMIN} if admin else _OWN
    found = [
        reply(probe, f"{one['request']['method']} {_path(one)}", one["response"])
        for label, one in context.items()
        if (probe := known.get(label)) and isinstance(one, dict) and "response" in one
    ]
    request = recorded["request"]
    return [*found, reply("call", f"{request['method']} {request['path']}", call_of(recorded))]


def _path(exchange: dict[str, Any]) -> str:
    return str(exchange["request"]["path"]).partition("?")[0]


def reply(probe: str, request: str, response: dict[str, Any]) -> Reply:
    """A recorded answer as a Reply; a recorded connection error as trouble."""
    status = response.get("status")
    if status is None:
        return Reply(
            probe=probe, request=request, outcome="failed", trouble="connection_refused",
            paid=probe == "call", why=str(response.get("error", "")),
        )  # fmt: skip
    return Reply(
        probe=probe, request=request, outcome="ok", status=status, body=response.get("body"),
        headers={key.lower(): value for key, value in response.get("headers", {}).items()},
        paid=probe == "call",
    )  # fmt: skip
