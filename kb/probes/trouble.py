"""Says what a broken exchange means, in one of the words of a check and a sentence. It decides no cause."""

import errno
import ssl
from dataclasses import dataclass

import aiohttp

from kb.diagnosis.finding import Trouble

_UNREACHABLE = "No route leads to the proxy's address."
_UNTRUSTED = (
    "The certificate isn't signed by an authority that this machine trusts. "
    "An administrator adds a private authority with SSL_CERT_FILE."
)
# OpenSSL's own numbers for what was wrong with a certificate.
_CERTIFICATE: dict[int, tuple[Trouble, str]] = {
    9: ("tls_expired", "The certificate isn't valid yet: check both clocks, and its first day."),
    10: ("tls_expired", "The certificate has expired: renew it."),
    62: ("tls_wrong_name", "The certificate is for another name than the one that was called."),
    64: ("tls_wrong_name", "The certificate isn't for the IP address that was called: call it by its name."),
}
_OS: dict[int, tuple[Trouble, str]] = {
    errno.ECONNREFUSED: (
        "connection_refused",
        "Nothing listens on this port: is the proxy running, and is this its port?",
    ),
    errno.ECONNRESET: ("closed_early", "The connection was closed before an answer came."),
    errno.EPIPE: ("closed_early", "The connection was closed before an answer came."),
    errno.ETIMEDOUT: ("timed_out", "The connection couldn't be opened in time: a firewall may drop it."),
}


@dataclass(frozen=True, slots=True)
class Broken:
    """What broke an exchange, and a sentence about it."""

    trouble: Trouble
    why: str


def late(stage: str, seconds: float) -> Broken:
    """Time ran out while `stage` ("waiting for the answer")."""
    return Broken("timed_out", f"Gave up after {seconds:.0f} s, while {stage}.")


def of(problem: BaseException) -> Broken:
    """The trouble behind an exception of the dialler. Says nothing of the exception's own words."""
    if isinstance(problem, aiohttp.ClientConnectorCertificateError):
        return of(problem.certificate_error)
    if isinstance(problem, aiohttp.ClientConnectorError):
        return of(problem.os_error)
    if isinstance(problem, ssl.SSLError):
        return _tls(problem)
    if isinstance(problem, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError):
        return Broken("closed_early", "The connection was closed before the answer was complete.")
    if isinstance(problem, aiohttp.ClientResponseError):
        return _malformed(problem)
    if isinstance(problem, OSError):
        return _os(problem)
    return Broken("broken", f"The exchange broke ({type(problem).__name__}).")


def _tls(problem: ssl.SSLError) -> Broken:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return Broken(*_CERTIFICATE.get(problem.verify_code, ("tls_untrusted", _UNTRUSTED)))
    if problem.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return Broken("tls_not_spoken", "This port doesn't speak TLS: try http:// instead of https://.")
    if problem.reason in {"UNEXPECTED_EOF_WHILE_READING"}:
        return Broken("closed_early", "The connection was closed in the TLS handshake.")
    return Broken("tls_not_spoken", "No TLS version or cipher was found that both sides accept.")


def _os(problem: OSError) -> Broken:
    if isinstance(problem, ConnectionError) and problem.errno is None:
        return Broken("closed_early", "The connection was closed before an answer came.")
    return Broken(*_OS.get(problem.errno or 0, ("unreachable", _UNREACHABLE)))


def _malformed(problem: aiohttp.ClientResponseError) -> Broken:
    words = problem.message.lower()
    if "too many" in words or "more than" in words:
        return Broken("too_large", "The answer's headers are longer than any proxy's.")
    return Broken("not_http", "What came back isn't HTTP: this port belongs to something else.")
