"""Replies that a live check has and a capture lacks, each built in the shape of another capture of the same
lab.

- The spend of 1.108.7 was not yet written when some captures were taken: the second look is built.
- The routes' and the zero budget's captures have no context: /key/info is that of `budget_key`.
- A window of a team, an organization on 1.108.7 (enterprise): /team/info is that of `budget_team`.
- A tag's spend, and the calls behind a reset or a double seeding: /spend/logs is that of `endpoints`.
"""

from copy import deepcopy
from typing import Any

from kb.diagnosis.finding import Reply
from tests.diagnosis.captures import capture

_SAME_KEY = (
    "budget_key_stream", "budget_key_anthropic_route", "budget_key_responses_route",
    "budget_key_embeddings_route", "budget_key_models_still_listed",
)  # fmt: skip
# Scenario -> what two lab calls, or fifteen, cost.
_LOGGED = {"budget_tag": 2, "stale_key_without_redis": 2, "stale_key_seeded_twice_by_two_proxies": 15}
_LATE = {"budget_key": 0.04, "budget_team": 0.04, "stale_low_counter_in_redis": 0.06}


def of(version: str, name: str, *, admin: bool) -> list[Reply]:
    """What to add to the recorded replies of a scenario."""
    found: list[Reply] = []
    if name in _SAME_KEY:
        found += _key(version, admin, spend=0.04, max_budget=0.03)
    if name == "budget_key_zero":
        found += _key(version, admin, spend=0.0, max_budget=0.0)
    if name in _LATE and version == "1.108.7":
        found.append(_later(version, name))
    if admin and (name == "budget_team_window" or (name == "budget_org" and version == "1.108.7")):
        found.append(_team(version, name))
    if name in _LOGGED:
        found.append(_logs(version, name))
    return found


def _key(version: str, admin: bool, **fields: Any) -> list[Reply]:
    body = deepcopy(capture(version, "budget_key")["context"]["key_info_self"]["response"]["body"])
    body["info"].update(fields)
    probes = ("key_info", "key_info_admin") if admin else ("key_info",)
    return [
        Reply(probe=probe, request="GET /key/info", outcome="ok", status=200, body=body) for probe in probes
    ]


def _later(version: str, name: str) -> Reply:
    """/key/info once more, after the batch was written."""
    body = deepcopy(capture(version, name)["context"]["key_info_self"]["response"]["body"])
    body["info"]["spend"] = _LATE[name]
    return Reply(probe="key_info_again", request="GET /key/info", outcome="ok", status=200, body=body)


def _team(version: str, name: str) -> Reply:
    body = deepcopy(capture(version, "budget_team")["context"]["team_info_master"]["response"]["body"])
    if name == "budget_team_window":
        message = capture(version, name)["response"]["body"]["error"]["message"]
        team = message.partition("Team=")[2].partition(" ")[0]
        window = {"budget_duration": "1d", "max_budget": 0.01, "reset_at": "2026-11-25T00:00:00+00:00"}
        body["team_info"].update(team_id=team, spend=0.02, max_budget=None, budget_limits=[window])
    else:
        info = capture(version, name)["context"]["key_info_self"]["response"]["body"]["info"]
        body["team_info"].update(
            team_id=info["team_id"], organization_id=info["organization_id"], spend=0.04, max_budget=None
        )
    return Reply(probe="team_info_admin", request="GET /team/info", outcome="ok", status=200, body=body)


def _logs(version: str, name: str) -> Reply:
    row = capture(version, "endpoints")["context"]["/spend/logs?api_key=<key hash>"]["virtual"]["body"][0]
    if name == "budget_tag":
        message = capture(version, name)["response"]["body"]["error"]["message"]
        row["request_tags"] = [*row["request_tags"], message.partition("Tag=")[2].partition(" ")[0]]
    rows = [{**row, "spend": 0.02} for _ in range(_LOGGED[name])]
    return Reply(probe="spend_logs", request="GET /spend/logs", outcome="ok", status=200, body=rows)
