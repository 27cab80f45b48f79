"""Something answers, and not as LiteLLM does: another server, a login page, or a path too many.

`GET /health/liveliness` answers "I'm alive!" to anyone, on 1.84.0 and 1.108.7.
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix, Reply
from kb.diagnosis.loose import at, has
from kb.diagnosis.rules import Rule


def judge(facts: Facts) -> Iterator[Finding]:
    """Supported where no answer at all has a mark of LiteLLM and its own probe was answered otherwise."""
    alive = facts.replies.get("liveliness")
    if alive is None or alive.status is None or facts.passed or facts.key or facts.database:
        return
    if any(_marked(reply) for reply in facts.replies.values()):
        return
    what = (
        "a page of HTML"
        if isinstance(alive.body, str) and "<html" in alive.body.lower()
        else "something else"
    )
    yield Finding(
        cause="not-litellm", state="supported", hop="proxy", category="deployment_config", specificity=2,
        because=f"{alive.request} is answered with {alive.status} and {what}.", confidence="consistent",
        sentence=f"Something answers at this address, but not LiteLLM: its liveliness probe gets"
        f" {alive.status} and {what}. The address may have a path too many, such as /v1 or /ui, or belong to"
            " another server.",
        fixes=(Fix(
            who="caller", title="Give the proxy's address without any path of its API",
            command='curl "$LITELLM_URL/health/liveliness"', retry="now with the right address",
        ),),
    )  # fmt: skip


def _marked(reply: Reply) -> bool:
    """Tell whether an answer has a mark that LiteLLM leaves."""
    if any(name.startswith("x-litellm") for name in reply.headers):
        return True
    alive = isinstance(reply.body, str) and "I'm alive" in reply.body
    kind = at(reply.body, "error", "type")
    return (
        alive
        or (isinstance(kind, str) and has(reply.body, "error", "code"))
        or has(reply.body, "error", "param")
    )


RULE = Rule("not-litellm", "proxy", judge)
