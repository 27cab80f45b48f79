"""TLS as it goes wrong: each certificate fault at its hop, and no key sent to anybody who shows one."""

import asyncio

import pytest
import trustme

from kb.probes import dial
from tests.probes import servers
from tests.probes.servers import certified, saying
from tests.probes.test_dial import OK, ask


@pytest.fixture(autouse=True)
def _trust(monkeypatch: pytest.MonkeyPatch) -> None:
    context = servers.trusting()
    monkeypatch.setattr(dial, "tls_context", lambda: context)


def blurting(words: bytes) -> servers.Handler:
    """Answers the first bytes of a handshake with `words`."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(5)
        writer.write(words)
        await writer.drain()
        await reader.read()

    return handler


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_good_certificate_passes_under_its_name(host: str) -> None:
    reply = ask(saying(OK), certified(host), "https", host=host)
    assert (reply.outcome, reply.body) == ("ok", {"status": "healthy"})


@pytest.mark.parametrize(
    ("context", "host", "trouble", "says"),
    [
        pytest.param(
            lambda: certified("localhost", by=trustme.CA()), "localhost", "tls_untrusted", "SSL_CERT_FILE",
            id="unknown authority",
        ),
        pytest.param(
            lambda: certified("localhost", expired=True), "localhost", "tls_expired", "expired", id="expired"
        ),
        pytest.param(
            lambda: certified("other.example"), "localhost", "tls_wrong_name", "another name", id="wrong name"
        ),
        pytest.param(
            lambda: certified("localhost"), "127.0.0.1", "tls_wrong_name", "IP address", id="name"
        ),
    ],
)  # fmt: skip
def test_a_bad_certificate_gets_no_request(context: object, host: str, trouble: str, says: str) -> None:
    heard: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))

    assert callable(context)
    reply = ask(handler, context(), "https", host=host)
    assert (reply.probe, reply.outcome, reply.trouble) == ("tls", "failed", trouble)
    assert says in reply.why
    assert not any(heard)


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_https_to_a_plain_port_is_named(words: bytes) -> None:
    reply = ask(blurting(words), scheme="https")
    assert (reply.probe, reply.trouble) == ("tls", "tls_not_spoken")
    assert "http://" in reply.why


def test_http_to_a_tls_port_is_named() -> None:
    reply = ask(saying(OK), certified("localhost"))
    assert (reply.probe, reply.trouble) == ("key_info", "tls_not_spoken")
    assert "https://" in reply.why


def test_a_handshake_that_never_ends_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "PROBE_SECONDS", 0.3)
    reply = ask(servers.silent, scheme="https")
    assert (reply.probe, reply.trouble) == ("tls", "timed_out")
    assert "handshake" in reply.why


def test_a_handshake_cut_short_is_named() -> None:
    reply = ask(servers.slamming, scheme="https")
    assert (reply.probe, reply.trouble) == ("tls", "closed_early")


def test_versions_that_do_not_meet_are_named() -> None:
    protocol_version_alert = b"\x15\x03\x03\x00\x02\x02\x46"
    reply = ask(blurting(protocol_version_alert), scheme="https")
    assert (reply.probe, reply.trouble) == ("tls", "tls_not_spoken")
    assert "version" in reply.why
