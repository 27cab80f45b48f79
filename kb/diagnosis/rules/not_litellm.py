"""Something answers, and not as LiteLLM does: another server, a login page, or a path that isn't the proxy's.

`GET /health/liveliness` answers "I'm alive!" to anyone, on 1.84.0 and 1.108.7. Below which path the proxy
serves is set by SERVER_ROOT_PATH (`get_server_root_path` in litellm/proxy/utils.py, 1.72.6 to 1.110.2).
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix, Reply
from kb.diagnosis.loose import at, text
from kb.diagnosis.marks import from_litellm
from kb.diagnosis.rules import Rule


def judge(facts: Facts) -> Iterator[Finding]:
    """Supported where no answer at all has a mark of LiteLLM and its own probe was answered otherwise."""
    alive = facts.replies.get("liveliness")
    if alive is None or alive.status is None or facts.passed or facts.key or facts.database:
        return
    if any(from_litellm(reply) for reply in facts.replies.values()):
        return
    base = text(at(facts.replies["name"].body, "base_path")) if "name" in facts.replies else ""
    yield Finding(
        cause="not-litellm", state="supported", hop="proxy", category="deployment_config", specificity=2,
        because=f"{alive.request} is answered with {alive.status} and {_what(alive)}. {_path(base)}",
        confidence="consistent", sentence="Something answers at this address, but not LiteLLM.",
        fixes=(Fix(
            who="caller", title="Give the host, the port and the path at which LiteLLM itself answers",
            command='curl "$LITELLM_URL/health/liveliness"', retry="now with the right address",
        ),),
    )  # fmt: skip


def _what(alive: Reply) -> str:
    page = isinstance(alive.body, str) and "<html" in alive.body.lower()
    return "a page of HTML" if page else "something else"


def _path(base: str) -> str:
    """What may be wrong with the address, by whether it has a path of its own."""
    if base:
        return f"The proxy may serve without {base}, or another server has this host and port."
    return (
        "Another server may have this host and port, a login page may stand before the proxy, or the proxy"
        " serves below a path, its SERVER_ROOT_PATH, that this address lacks."
    )


RULE = Rule("not-litellm", "proxy", judge)
