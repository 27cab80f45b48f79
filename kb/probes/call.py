"""The one probe that costs money: the smallest completion there is, which is the proof. It isn't repeated."""

from typing import Any

from kb.diagnosis.finding import Asked
from kb.probes.probe import Known, Probe, Setting
from kb.probes.question import CALL_SECONDS, Question


def call(known: Known) -> Question:
    """One completion with one token of answer, so that LiteLLM reserves little for it."""
    return Question(
        probe="call",
        method="POST",
        path="/v1/chat/completions",
        body=_body(known.asked),
        credential=known.credential,
        seconds=CALL_SECONDS,
        paid=True,
    )


def _body(asked: Asked) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": asked.model,
        "messages": [{"role": "user", "content": "ping"}],
        "max_tokens": 1,
    }
    if asked.end_user:
        body["user"] = asked.end_user
    if asked.tags:
        body["metadata"] = {"tags": list(asked.tags)}
    return body


def lacks(setting: Setting) -> str:
    """What is missing before a paid call may be made: the reader's leave, or a model."""
    if not setting.paid:
        return "Paid calls weren't allowed."
    return "" if setting.asked.model else "No model was named."


PROBES = (
    Probe(
        name="call",
        shown="POST /v1/chat/completions",
        why="Whether a call with this key and model goes through now, and if not, in whose words.",
        ask=call,
        # Last, so that what the records say is from before it.
        rounds=(5,),
        privilege="key",
        cost="one completion: a prompt of one word, an answer of one token",
        paid=True,
        lacks=lacks,
    ),
)
