"""Something answers, and not as LiteLLM does: another server, a login page, a path that isn't the proxy's, a
redirect, or a server before a LiteLLM that is down.

`GET /health/liveliness` answers "I'm alive!" to anyone, on 1.84.0 and 1.108.7. Below which path the proxy
serves is set by SERVER_ROOT_PATH (`get_server_root_path` in litellm/proxy/utils.py, 1.72.6 to 1.110.2).
502, 503 and 504 are what gateways say of the server behind them (RFC 9110, 15.6.3 to 15.6.5).
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix, Reply
from kb.diagnosis.loose import at, text
from kb.diagnosis.marks import from_litellm
from kb.diagnosis.rules import Rule

_PATH = "/health/liveliness"
_GATEWAY = (502, 503, 504)


def judge(facts: Facts) -> Iterator[Finding]:
    """Supported where no answer at all has a mark of LiteLLM and its own probe was answered otherwise."""
    alive = facts.replies.get("liveliness")
    if alive is None or alive.status is None or facts.passed or facts.key or facts.database:
        return
    if any(from_litellm(reply) for reply in facts.replies.values()):
        return
    heard = f"{alive.request} is answered with {alive.status} and {_what(alive)}."
    if alive.status // 100 == 3 and text(alive.headers.get("location")):
        yield _elsewhere(alive, heard)
    elif alive.status in _GATEWAY:
        yield _behind(alive, heard)
    else:
        yield _another(facts, heard)


def _elsewhere(alive: Reply, heard: str) -> Finding:
    to = text(alive.headers.get("location")).partition("?")[0]
    base = to.removesuffix(_PATH)
    why = "A sign-in page may stand before the proxy, or its address has changed."
    return _finding(
        "address-redirected",
        heard if base != to else f"{heard} {why}",
        f"This address sends callers on to {base or '/'}, which a check doesn't follow.",
        Fix(
            who="caller",
            title="Give the address that it leads to, if LiteLLM answers there: clients need that one too",
            command=f'curl -i "$LITELLM_URL{_PATH}"',
            retry="now with the right address",
        ),
    )


def _behind(alive: Reply, heard: str) -> Finding:
    return _finding(
        "gateway-without-litellm",
        f"{heard} If LiteLLM runs, the server before it may pass calls to another address, port or path.",
        f"LiteLLM gave no answer: a server before it says {alive.status}, as it does where what is behind it"
        " is down, unreachable or too slow.",
        Fix(
            who="proxy_admin",
            title="Ask LiteLLM itself, on its own machine and port, and see the log of the server before it",
            command=f"curl -i http://127.0.0.1:4000{_PATH}",
            retry="after LiteLLM answers at this address",
        ),
    )


def _another(facts: Facts, heard: str) -> Finding:
    base = text(at(facts.replies["name"].body, "base_path")) if "name" in facts.replies else ""
    return _finding(
        "not-litellm",
        f"{heard} {_path(base)}",
        "Something answers at this address, but not LiteLLM.",
        Fix(
            who="caller",
            title="Give the host, the port and the path at which LiteLLM itself answers",
            command=f'curl "$LITELLM_URL{_PATH}"',
            retry="now with the right address",
        ),
    )


def _finding(cause: str, because: str, sentence: str, fix: Fix) -> Finding:
    return Finding(
        cause=cause, state="supported", hop="proxy", category="deployment_config", specificity=2,
        because=because, confidence="consistent", sentence=sentence, fixes=(fix,),
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
