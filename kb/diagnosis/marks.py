"""Whether an answer is LiteLLM's own, told by the marks that it leaves."""

from kb.diagnosis.finding import Reply
from kb.diagnosis.loose import at, has


def from_litellm(reply: Reply) -> bool:
    """Tell whether an answer has a mark of LiteLLM, on 1.72.6 to 1.110.2.

    Its headers begin with x-litellm (litellm/proxy/common_request_processing.py); `/health/liveliness` says
    "I'm alive!" and `/health/readiness` has `db` beside `status` (proxy/health_endpoints);
    its errors repeat their status as a string, beside a type (`ProxyException` in proxy/_types.py).
    """
    if any(name.startswith("x-litellm") for name in reply.headers):
        return True
    if isinstance(reply.body, str):
        return "I'm alive!" in reply.body
    own_error = isinstance(at(reply.body, "error", "type"), str) and reply.status is not None
    if own_error and at(reply.body, "error", "code") == str(reply.status):
        return True
    return has(reply.body, "status") and has(reply.body, "db")
