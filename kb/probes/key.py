"""Probes of the reader's key: its own record, its models, its rows of spend.

The admin key asks about it by its hash: a key never stands in an address.
"""

from datetime import timedelta

from kb.probes.dial import Question
from kb.probes.probe import Known, Probe, needs_key

SPEND_DAYS = 31


def key_info(known: Known) -> Question:
    """The key about itself."""
    return Question(probe="key_info", path="/key/info", credential=known.credential)


def _key_info_admin(known: Known) -> Question:
    query = {"key": known.key_hash}
    return Question(probe="key_info_admin", path="/key/info", query=query, credential=known.admin)


def _models(known: Known) -> Question:
    return Question(probe="models", path="/v1/models", credential=known.credential)


def _spend_logs(known: Known) -> Question:
    # Named by hash, and by day: without the hash 1.84.0 gives some keys everybody's rows, and without
    # the days all rows one by one.
    query = {
        "api_key": known.key_hash,
        "start_date": (known.today - timedelta(days=SPEND_DAYS)).isoformat(),
        "end_date": (known.today + timedelta(days=1)).isoformat(),
    }
    return Question(probe="spend_logs", path="/spend/logs", query=query, credential=known.credential)


PROBES = (
    Probe(
        name="key_info",
        shown="GET /key/info",
        why="The key's spend, limit, reset, team and models; that it is refused says which budget it isn't.",
        ask=key_info,
        rounds=(1,),
        privilege="key",
    ),
    Probe(
        name="key_info_admin",
        shown="GET /key/info?key=<key_hash>",
        why="The same, where the proxy refuses to tell the key itself.",
        ask=_key_info_admin,
        rounds=(1,),
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
        rounds=(2,),
        privilege="key",
    ),
    Probe(
        name="spend_logs",
        shown="GET /spend/logs?api_key=<key_hash>&start_date=…&end_date=…",
        why=f"What the key's own rows of the last {SPEND_DAYS} days add up to, day by day.",
        ask=_spend_logs,
        rounds=(2,),
        privilege="key",
    ),
)
