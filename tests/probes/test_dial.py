"""The dialler against servers that misbehave: each fault ends in time, at its hop, in a plain sentence."""

import asyncio
import gzip
import json
import socket
import ssl
import threading
import time
import zlib
from typing import Any

import pytest

from kb.diagnosis.finding import Reply
from kb.probes import body, dial
from kb.probes.credential import Credential, Scrubber
from kb.probes.dial import Dialler
from kb.probes.question import Question
from kb.probes.target import LOOPBACK, Target, vet
from tests.probes import servers
from tests.probes.servers import Handler, answer, finish, repeating, saying, serving

KEY = Credential("sk-canary-1234567890")
OK = answer(b'{"status":"healthy"}', "Content-Type: application/json")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "_TLS_SECONDS", 0.1)


def target(port: int, scheme: str = "http", host: str = "127.0.0.1", *addresses: str) -> Target:
    return Target(scheme, host, port, "", addresses or ("127.0.0.1",))


async def asked(one: Target, seconds: float = 5, path: str = "/key/info", **more: Any) -> tuple[Reply, ...]:
    """`reach`, then one question where that went well."""
    async with Dialler(one, Scrubber((KEY,)), 20) as dialler:
        replies = await dialler.reach()
        if dialler.address is None:
            return replies
        question = Question(probe="key_info", path=path, credential=KEY, seconds=seconds, **more)
        return (*replies, (await dialler.ask(question)).reply)


def ask(handler: Handler, tls: ssl.SSLContext | None = None, scheme: str = "http", **more: Any) -> Reply:
    """The last reply that a server with this handler brings about."""

    async def main() -> Reply:
        async with serving(handler, tls) as port:
            host = more.pop("host", "127.0.0.1")
            return (await asked(target(port, scheme, host), **more))[-1]

    return finish(main())


def test_an_answer_is_written_down() -> None:
    reply = ask(
        saying(answer(b'{"a": 1}', "Content-Type: application/json", "Server: uvicorn", "X-Other: 1"))
    )
    assert (reply.outcome, reply.status, reply.body, reply.trouble) == ("ok", 200, {"a": 1}, "")
    assert reply.headers == {"content-type": "application/json", "server": "uvicorn"}
    assert reply.at > 1_700_000_000
    assert reply.ms < 5_000


@pytest.mark.parametrize(
    ("handler", "trouble", "says"),
    [
        pytest.param(servers.slamming, "closed_early", "closed", id="closes at once"),
        pytest.param(saying(b""), "closed_early", "closed", id="closes without a word"),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nContent-"), "closed_early", "closed", id="closes in the head"
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
            "closed_early",
            "complete",
            id="closes in the body",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            "closed_early",
            "complete",
            id="closes between chunks",
        ),
        pytest.param(saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "not_http", "isn't HTTP", id="ssh"),
        pytest.param(saying(b"-ERR wrong number\r\n\r\n"), "not_http", "isn't HTTP", id="redis"),
        pytest.param(saying(b"\x00\x01\x02\x03" * 10), "not_http", "isn't HTTP", id="binary"),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            "not_http",
            "isn't HTTP",
            id="two lengths",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 1000),
            "too_large",
            "2 MB",
            id="announces 1 GB",
        ),
        pytest.param(
            repeating(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536), "too_large", "2 MB", id="sends without end"
        ),
        pytest.param(
            repeating(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1000\r\n%b\r\n" % (b"x" * 4096)
            ),
            "too_large",
            "2 MB",
            id="chunks without end",
        ),
        pytest.param(
            saying(answer(gzip.compress(bytes(30_000_000)), "Content-Encoding: gzip")),
            "too_large",
            "2 MB",
            id="gzip bomb",
        ),
        pytest.param(
            saying(answer(zlib.compress(bytes(30_000_000)), "Content-Encoding: deflate")),
            "too_large",
            "2 MB",
            id="deflate bomb",
        ),
        pytest.param(
            saying(answer(b"\x8b\x08not brotli", "Content-Encoding: br")), "broken", "compressed", id="brotli"
        ),
        pytest.param(
            saying(answer(b"not gzip", "Content-Encoding: gzip")), "broken", "compressed", id="no gzip"
        ),
        pytest.param(
            repeating(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), "too_large", "headers", id="headers without end"
        ),
        pytest.param(
            repeating(b"HTTP/1.1 200 OK\r\nX-A: ", b"b" * 4096),
            "too_large",
            "headers",
            id="an endless header",
        ),
        pytest.param(
            repeating(b"HTTP/1.1 200 ", b"b" * 4096), "too_large", "headers", id="an endless status line"
        ),
    ],
)
def test_a_broken_answer_is_named(handler: Handler, trouble: str, says: str) -> None:
    begun = time.monotonic()
    reply = ask(handler)
    assert (reply.outcome, reply.trouble, reply.status, reply.body) == ("failed", trouble, None, None)
    assert says in reply.why
    assert reply.why.endswith(".")
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize(
    ("handler", "stage"),
    [
        pytest.param(servers.silent, "waiting for the answer", id="says nothing"),
        pytest.param(
            repeating(b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.05), "waiting for the answer", id="drips headers"
        ),
        pytest.param(
            repeating(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"a", 0.05),
            "reading the answer",
            id="drips its body",
        ),
        pytest.param(
            repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
            "waiting for the answer",
            id="continues for ever",
        ),
    ],
)
def test_a_slow_answer_ends_in_time(handler: Handler, stage: str) -> None:
    begun = time.monotonic()
    reply = ask(handler, seconds=0.5)
    assert (reply.trouble, reply.outcome) == ("timed_out", "failed")
    assert stage in reply.why
    assert time.monotonic() - begun < 4


def test_a_refused_connection_sends_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (reply,) = finish(asked(target(port)))
    assert (reply.probe, reply.trouble) == ("connection", "connection_refused")


def test_an_address_without_route_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreachable(*args: object, **kwargs: object) -> None:
        raise OSError(113, "No route to host")

    monkeypatch.setattr(asyncio, "open_connection", unreachable)
    (reply,) = finish(asked(target(9)))
    assert (reply.probe, reply.trouble) == ("connection", "unreachable")


def test_a_connection_that_never_opens_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*args: object, **kwargs: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(asyncio, "open_connection", never)
    monkeypatch.setattr(dial, "PROBE_SECONDS", 0.2)
    (reply,) = finish(asked(target(9)))
    assert (reply.probe, reply.trouble) == ("connection", "timed_out")
    assert "firewall" in reply.why


def test_the_next_address_is_tried() -> None:
    async def main() -> tuple[Reply, ...]:
        async with serving(saying(OK)) as port:
            return await asked(target(port, "http", "localhost", "::1", "127.0.0.1"))

    replies = finish(main())
    assert [reply.outcome for reply in replies] == ["ok", "ok"]
    assert replies[0].request.startswith("TCP 127.0.0.1:")


def test_the_vetted_address_is_called_under_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that changes its answer after it was vetted changes nothing."""
    heads: list[bytes] = []
    lookups = [("127.0.0.1",), ("127.0.0.9",)]

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await servers.request(reader))
        writer.write(OK)
        await reader.read()

    def resolve(host: str, port: int) -> tuple[str, ...]:
        return lookups.pop(0)

    async def main() -> tuple[Reply, ...]:
        async with serving(handler) as port:
            one = vet(f"http://localhost:{port}", LOOPBACK, resolve)
            assert isinstance(one, Target)
            loop = asyncio.get_running_loop()
            numeric = loop.getaddrinfo

            async def only_numbers(host: Any, *args: Any, **kwargs: Any) -> Any:
                assert host == "127.0.0.1", f"{host} was looked up again"
                return await numeric(host, *args, **kwargs)

            monkeypatch.setattr(loop, "getaddrinfo", only_numbers)
            return await asked(one)

    replies = finish(main())
    assert [reply.outcome for reply in replies] == ["ok", "ok"]
    assert len(lookups) == 1
    assert len(heads) == 1
    assert b"Host: localhost:" in heads[0]


def test_an_ipv6_address_is_called() -> None:
    async def main() -> tuple[Reply, ...]:
        async with serving(saying(OK), host="::1") as port:
            return await asked(target(port, "http", "::1", "::1"))

    try:
        replies = finish(main())
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert [reply.outcome for reply in replies] == ["ok", "ok"]
    assert replies[0].request.startswith("TCP [::1]:")


def test_the_pinning_resolver_knows_one_name() -> None:
    pinned = dial._Pinned("llm.example.com", "10.0.0.1")
    assert finish(pinned.resolve("llm.example.com", 443))[0]["host"] == "10.0.0.1"
    with pytest.raises(OSError, match="vetted"):
        finish(pinned.resolve("metadata.google.internal", 80))


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed(status: str) -> None:
    heads: list[bytes] = []
    location = f"Location: http://169.254.169.254/latest/?key={KEY.header().split()[1]}"

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await servers.request(reader))
        writer.write(answer(b"", location, "Set-Cookie: a=b", status=status))
        await reader.read()

    reply = ask(handler)
    assert (reply.outcome, reply.status) == ("ok", int(status[:3]))
    assert "isn't followed" in reply.why
    assert reply.headers == {"location": "http://169.254.169.254/latest/?key=<api_key>"}
    assert len(heads) == 1


def test_proxy_variables_and_netrc_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    netrc = tmp_path / "netrc"
    netrc.write_text("default login a password b")
    monkeypatch.setenv("NETRC", str(netrc))
    heads: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await servers.request(reader))
        writer.write(OK)
        await reader.read()

    assert ask(handler).outcome == "ok"
    assert heads[0].startswith(b"GET /key/info HTTP/1.1\r\n")
    assert heads[0].count(b"Authorization") == 1


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param(
            b'{"a": NaN, "b": Infinity, "c": -Infinity}', {"a": "NaN", "b": "Infinity", "c": "-Infinity"}
        ),
        pytest.param(b'{"a": 1e400, "b": -1e999}', {"a": "1e400", "b": "-1e999"}),
        pytest.param(b'{"a": 1e-400}', {"a": 0.0}),
        pytest.param(b"\xef\xbb\xbf[1]", [1]),
        pytest.param(b"null", None),
        pytest.param(b'"text"', "text"),
        pytest.param(b'{"a": 1', '{"a": 1'),
        pytest.param(b"{'a': 1}", "{'a': 1}"),
        pytest.param(b"<html>502 Bad Gateway</html>", "<html>502 Bad Gateway</html>"),
        pytest.param(b"", ""),
        pytest.param(b"\xff\xfe\x00", "\ufffd\ufffd\ufffd"),
        pytest.param(b'{"a": "\\u0000\\ud800"}', {"a": "\ufffd\ufffd"}),
        pytest.param(b"[" * 100_000, "[" * 3_999 + "…"),
        pytest.param(b"x" * 10_000, "x" * 3_999 + "…"),
    ],
)
@pytest.mark.parametrize("kind", ["application/json", "text/html", "image/png", ""])
def test_any_body_is_read_by_what_it_is(sent: bytes, kept: Any, kind: str) -> None:
    reply = ask(saying(answer(sent, *([f"Content-Type: {kind}"] if kind else []))))
    assert (reply.outcome, reply.body) == ("ok", kept)
    json.dumps(reply.body, allow_nan=False)


def test_a_deep_body_is_cut() -> None:
    deep = ask(saying(answer(b"[" * 200 + b"]" * 200)))
    assert json.dumps(deep.body).count("[") == 39


def test_a_body_of_too_many_values_is_no_answer() -> None:
    """Cut short it would look like a whole list."""
    wide = ask(saying(answer(json.dumps([0] * 50_000).encode())))
    assert (wide.outcome, wide.trouble, wide.status, wide.body) == ("failed", "too_large", None, None)
    assert "20,000" in wide.why


def test_a_long_number_stays_in_bounds() -> None:
    reply = ask(saying(answer(b'{"spend": ' + b"9" * 10_000 + b"}")))
    assert reply.body == {"spend": "9" * 40}


def test_packed_answers_are_unpacked_though_nobody_asked() -> None:
    for encoding, data in {"gzip": gzip.compress(b'{"a": 1}'), "deflate": zlib.compress(b'{"a": 1}')}.items():
        assert ask(saying(answer(data, f"Content-Encoding: {encoding}"))).body == {"a": 1}
    assert body.unpacked(b"x", "identity") == b"x"


def test_a_run_without_time_left_asks_nothing() -> None:
    async def main() -> Reply:
        async with serving(saying(OK)) as port, Dialler(target(port), Scrubber(()), 0.3) as dialler:
            await dialler.reach()
            await asyncio.sleep(0.4)
            return (await dialler.ask(Question(probe="call", path="/", paid=True))).reply

    reply = finish(main())
    assert (reply.outcome, reply.paid) == ("not_run", False)
    assert reply.why


def test_asking_comes_after_reaching() -> None:
    async def main() -> None:
        async with Dialler(target(1), Scrubber(())) as dialler:
            await dialler.ask(Question(probe="call", path="/"))

    with pytest.raises(RuntimeError, match="reach"):
        finish(main())


def test_a_look_up_has_a_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial, "LOOK_UP_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: [time.sleep(0.3)][1:])
    with pytest.raises(OSError, match="too long"):
        dial.look_up("llm.example.com", 443)


@pytest.mark.parametrize("problem", [socket.gaierror(-2, "unknown"), UnicodeError("label too long")])
def test_a_look_up_that_fails_is_an_os_error(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise problem

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(OSError, match=r"unknown|too long"):
        dial.look_up("llm.example.com", 443)


def test_a_look_up_gives_each_address_once() -> None:
    assert set(dial.look_up("localhost", 80)) <= {"127.0.0.1", "::1"}


def test_a_long_answer_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cleaning it of secrets waits here until another answer has come."""
    other_came = threading.Event()
    clean = Scrubber.body
    waited: list[bool] = []

    def slow(self: Scrubber, value: Any) -> Any:
        if "long" in str(value):
            waited.append(other_came.wait(10))
        return clean(self, value)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await servers.request(reader)
        body = b'{"long": "' + b"word " * 20_000 + b'"}' if b"/long" in head else b'{"short": 1}'
        writer.write(answer(body, "Content-Type: application/json"))

    async def main() -> tuple[Reply, Reply]:
        async with serving(handler) as port, Dialler(target(port), Scrubber((KEY,)), 20) as dialler:
            await dialler.reach()
            long = asyncio.create_task(dialler.ask(Question(probe="spend_logs", path="/long")))
            short = await dialler.ask(Question(probe="key_info", path="/short"))
            other_came.set()
            return short.reply, (await long).reply

    monkeypatch.setattr(Scrubber, "body", slow)
    short, long = finish(main())
    assert short.body == {"short": 1}
    assert long.body["long"].startswith("word word")
    assert waited == [True]
