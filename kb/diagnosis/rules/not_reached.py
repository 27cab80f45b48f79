"""The proxy wasn't reached: the address, the name, the connection or TLS broke before any answer."""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix, Reply
from kb.diagnosis.rules import Rule

# Trouble -> hop, what it means, what to do.
_TROUBLES = {
    "target_refused": (
        "target",
        "This address is not one that may be called",
        "Name a target that is allowed",
    ),
    "name_not_resolved": ("name", "The proxy's name has no address", "Check the host name, and the resolver"),
    "connection_refused": (
        "connection",
        "Nothing listens at the proxy's address",
        "Start the proxy, or name its port",
    ),
    "unreachable": ("connection", "No way leads to the proxy's address", "Check network, firewall and route"),
    "timed_out": (
        "connection",
        "The proxy's address doesn't answer in time",
        "Check network, firewall and load",
    ),
    "tls_untrusted": (
        "tls",
        "The certificate isn't signed by anyone trusted",
        "Install a certificate that is",
    ),
    "tls_expired": ("tls", "The certificate has expired", "Renew the certificate"),
    "tls_wrong_name": (
        "tls",
        "The certificate is for another name",
        "Use its name, or a certificate for this one",
    ),
    "tls_not_spoken": (
        "tls",
        "The port doesn't speak TLS as asked",
        "Use http:// for a plain port, https:// for TLS",
    ),
    "closed_early": (
        "connection",
        "The connection was closed before an answer",
        "See what stands before the proxy",
    ),
    "not_http": ("connection", "What answers there doesn't speak HTTP", "Check the port"),
}
# A call may break so long after it reached the proxy.
_LATER = ("timed_out", "closed_early", "not_http")
_CURL = 'curl -v "$LITELLM_URL/health/liveliness"'
_ASKED = ("name", "connection", "tls", "liveliness")


def judge(facts: Facts) -> Iterator[Finding]:
    """Supported where a first probe broke and nobody else got an answer from the proxy."""
    if any(reply.status is not None for reply in facts.replies.values()):
        return
    broken = [facts.replies[name] for name in (*_ASKED, "call") if name in facts.replies]
    for reply in broken:
        if reply.trouble in _TROUBLES and not (reply.probe == "call" and reply.trouble in _LATER):
            yield _finding(facts, reply)
            return


def _finding(facts: Facts, reply: Reply) -> Finding:
    hop, what, todo = _TROUBLES[reply.trouble]
    why = f": {reply.why}" if reply.why else ""
    return Finding(
        cause=reply.trouble.replace("_", "-"), state="supported", because=f"{reply.request}{why}", hop=hop,
        category="deployment_config", confidence="proved", specificity=2,
        sentence=f"The proxy wasn't reached. {reply.why or f'{what}.'}",
        fixes=(Fix(who="caller" if hop in ("target", "name") else "proxy_admin", title=todo,
                   command="" if hop == "target" else _CURL, retry="now"),),
    )  # fmt: skip


RULE = Rule("not-reached", "connection", judge)
