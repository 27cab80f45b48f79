"""Probes of the reader's key: its own record, its models, its rows of spend.

The admin key asks about it by its hash: a key never stands in an address.
"""

from datetime import timedelta
from typing import Any

from kb.probes.probe import Known, Probe, needs_key
from kb.probes.question import Question

SPEND_DAYS = 31

# A row of 1.108.7 takes 12 kB, most of it a model's price list.
_MOST_SPEND_BYTES = 8_000_000
# What a check needs of a row: what it cost and whose it was. Prompts, answers and addresses stay away.
_OF_A_ROW = (
    "spend", "startTime", "endTime", "model", "model_group", "end_user", "request_tags", "status",
    "call_type", "total_tokens",
)  # fmt: skip


def key_info(known: Known) -> Question:
    """The key about itself."""
    return Question(probe="key_info", path="/key/info", credential=known.credential)


def _key_info_admin(known: Known) -> Question:
    query = {"key": known.key_hash}
    return Question(probe="key_info_admin", path="/key/info", query=query, credential=known.admin)


def _models(known: Known) -> Question:
    return Question(probe="models", path="/v1/models", credential=known.credential)


def _spend_logs(known: Known) -> Question:
    # Named by hash: without it 1.84.0 gives some keys everybody's rows.
    query = {
        "api_key": known.key_hash,
        "start_date": (known.today - timedelta(days=SPEND_DAYS)).isoformat(),
        "end_date": (known.today + timedelta(days=1)).isoformat(),
        "summarize": "false",
    }
    return Question(
        probe="spend_logs",
        path="/spend/logs",
        query=query,
        credential=known.credential,
        most_bytes=_MOST_SPEND_BYTES,
        trim=_rows,
    )


def _rows(body: Any) -> Any:
    """The rows, each with what is needed of it; sums by day, which old versions give, are no rows."""
    if not isinstance(body, list) or not all(isinstance(row, dict) for row in body):
        return body
    if any("request_id" not in row for row in body):
        return {"by_day": body}
    return [{name: row[name] for name in _OF_A_ROW if name in row} for row in body]


PROBES = (
    Probe(
        name="key_info",
        shown="GET /key/info",
        why="The key's spend, limit, reset, team and models; that it is refused says which budget it isn't.",
        ask=key_info,
        rounds=(3,),
        privilege="key",
    ),
    Probe(
        name="key_info_admin",
        shown="GET /key/info?key=<key_hash>",
        why="The same, where the proxy refuses to tell the key itself.",
        ask=_key_info_admin,
        rounds=(3,),
        privilege="admin",
        lacks=needs_key,
    ),
    # The key's other questions wait for the first: on 1.84.0 several workers that miss a spend counter at
    # the same moment each add the recorded spend to it, and a check mustn't cause what it looks for.
    Probe(
        name="models",
        shown="GET /v1/models",
        why="Which models the key may call.",
        ask=_models,
        rounds=(4,),
        privilege="key",
    ),
    Probe(
        name="spend_logs",
        shown="GET /spend/logs?api_key=<key_hash>&start_date=…&end_date=…&summarize=false",
        why=f"What the key's own calls of the last {SPEND_DAYS} days cost, one by one.",
        ask=_spend_logs,
        rounds=(4,),
        privilege="key",
    ),
)
