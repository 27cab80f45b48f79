"""The only file that opens connections: to the vetted address, within its limits, and nowhere else.

It writes down what came back. Redirects are not followed, proxy variables and cookies not used, and every
answer leaves here without secrets.
"""

import asyncio
import queue
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from types import SimpleNamespace, TracebackType
from typing import Any, Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from kb.diagnosis.finding import Reply
from kb.probes.body import TooLarge, Unreadable, parsed, unpacked
from kb.probes.credential import MOST_VALUES, Scrubber
from kb.probes.question import PROBE_SECONDS, Exchange, Question
from kb.probes.target import Target
from kb.probes.trouble import Broken, late, of

RUN_SECONDS = 90.0
LOOK_UP_SECONDS = 5.0

_MOST_HEADERS = 100
_MOST_HEADER_BYTES = 8_190
_KEPT = frozenset({
    "content-type", "server", "retry-after", "rate_limit_type", "llm_provider-retry-after", "location",
    "date",
})  # fmt: skip
# Shorter than any server's own patience, so that no request goes into a connection that is being closed.
_IDLE_SECONDS = 1.5
_LONG_BYTES = 20_000  # take a millisecond or two to be cleaned of secrets
# How long finding out may take whether a port that made no sense speaks TLS.
_TLS_SECONDS = 1.0
_NO_TIME = Broken("timed_out", "The time for the whole check was up.")
_USER_AGENT = "culprit"


@cache
def tls_context() -> ssl.SSLContext:
    """The context that all checks share, since making one takes 20 ms. SSL_CERT_FILE adds an authority."""
    return ssl.create_default_context()


@cache
def _blind_context() -> ssl.SSLContext:
    """For telling whether a port speaks TLS at all: nothing is ever sent through it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a name by this machine's resolver. Raises OSError, also after LOOK_UP_SECONDS."""
    found: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(entry[4][0]) for entry in entries])
        except (OSError, UnicodeError) as problem:
            found.put(OSError(str(problem)))

    # The system's resolver knows no time limit: a thread that nobody waits for takes the wait.
    threading.Thread(target=ask, daemon=True, name="look-up").start()
    try:
        answer = found.get(timeout=LOOK_UP_SECONDS)
    except queue.Empty:
        raise OSError("the look-up took too long") from None
    if isinstance(answer, OSError):
        raise answer
    return tuple(dict.fromkeys(answer))


class _TooMany(TooLarge):
    """Few bytes, but more values than are looked through."""


class _Pinned(AbstractResolver):
    """Knows one name, and for it the vetted address alone."""

    def __init__(self, host: str, address: str) -> None:
        self._host = host
        self._address = address

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host != self._host:
            raise OSError("not the vetted host")
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(
                hostname=host, host=self._address, port=port, family=family, proto=0, flags=int(numeric)
            )
        ]

    async def close(self) -> None:
        """Nothing to release."""


class Dialler:
    """Asks one target, for one run. An async context manager; nothing is opened before `reach`.

    `address` is the vetted address that answered; it is None until then.
    """

    def __init__(self, target: Target, scrubber: Scrubber, seconds: float = RUN_SECONDS) -> None:
        self._target = target
        self._scrubber = scrubber
        self._seconds = seconds
        self._ends = 0.0
        self._session: aiohttp.ClientSession | None = None
        self._tls_spoken: asyncio.Task[bool] | None = None
        self.address: str | None = None

    async def __aenter__(self) -> Self:
        self._ends = asyncio.get_running_loop().time() + self._seconds
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session:
            await self._session.close()
        if self._tls_spoken:
            self._tls_spoken.cancel()
            await asyncio.gather(self._tls_spoken, return_exceptions=True)

    def left(self, seconds: float) -> float:
        """How many of `seconds` the run still has."""
        return max(0.0, min(seconds, self._ends - asyncio.get_running_loop().time()))

    async def reach(self) -> tuple[Reply, ...]:
        """Open a connection, and TLS where the address says so: the replies `connection` and `tls`.

        Sends no request. The vetted addresses are tried in turn; the first that answers is `address`.
        """
        replies: tuple[Reply, ...] = ()
        for address in self._target.addresses:
            replies = await self._reach(address, PROBE_SECONDS / len(self._target.addresses))
            if all(reply.outcome == "ok" for reply in replies):
                self.address = address
                self._session = self._opened(address)
                break
        return replies

    async def _reach(self, address: str, seconds: float) -> tuple[Reply, ...]:
        target = self._target
        tcp = Reply(probe="connection", request=f"TCP {_endpoint(address, target.port)}", outcome="ok")
        tls = Reply(probe="tls", request=f"TLS with {target.host}", outcome="ok")
        begun = time.perf_counter()
        writer, broken = await self._tcp(address, seconds)
        tcp = _timed(tcp, begun)
        if writer is None:
            return (_failed(tcp, broken),)
        if target.scheme == "http":
            await _closed(writer)
            return (tcp,)
        begun = time.perf_counter()
        flaw, facts = await self._handshake(writer, tls_context(), self.left(seconds))
        await _closed(writer)
        tls = _timed(tls, begun)
        return tcp, (_failed(tls, flaw) if flaw else replace(tls, body=facts))

    async def _tcp(self, address: str, seconds: float) -> tuple[asyncio.StreamWriter | None, Broken]:
        seconds = self.left(seconds)
        try:
            async with asyncio.timeout(seconds):
                _, writer = await asyncio.open_connection(
                    address, self._target.port, flags=socket.AI_NUMERICHOST
                )
        except TimeoutError:
            return None, late("opening the connection: a firewall may drop it", seconds)
        except OSError as problem:
            return None, of(problem)
        return writer, Broken("", "")

    async def _handshake(
        self, writer: asyncio.StreamWriter, context: ssl.SSLContext, seconds: float
    ) -> tuple[Broken | None, dict[str, str]]:
        try:
            async with asyncio.timeout(seconds):
                await writer.start_tls(context, server_hostname=self._target.host)
        except TimeoutError:
            return late("waiting for the TLS handshake", seconds), {}
        except OSError as problem:
            return of(problem), {}
        certificate = writer.get_extra_info("peercert") or {}
        found = {"version": writer.get_extra_info("ssl_object").version()}
        found["not_after"] = certificate.get("notAfter")
        return None, {name: self._scrubber.text(str(one)) for name, one in found.items() if one}

    def _opened(self, address: str) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(self._target.host, address),
            use_dns_cache=False,
            happy_eyeballs_delay=None,  # one address has no rival
            ssl=tls_context() if self._target.scheme == "https" else False,
            limit=32,
            keepalive_timeout=_IDLE_SECONDS,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
            max_line_size=_MOST_HEADER_BYTES,
            max_field_size=_MOST_HEADER_BYTES,
            max_headers=_MOST_HEADERS,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": _USER_AGENT},
            trace_configs=[_stages()],
        )

    async def ask(self, question: Question) -> Exchange:
        """Put one question, and write down its answer: whatever happens becomes a Reply.

        Raises RuntimeError before `reach` succeeded, asyncio.CancelledError when it is cancelled.
        """
        if self._session is None:
            raise RuntimeError("reach() comes first")
        request = self._scrubber.text(question.line)
        reply = Reply(probe=question.probe, request=request, outcome="failed", paid=question.paid)
        seconds = self.left(question.seconds)
        if seconds <= 0:
            return Exchange(replace(reply, outcome="not_run", why=_NO_TIME.why, paid=False))
        begun = time.perf_counter()
        stage = SimpleNamespace(text="opening the connection")
        try:
            async with asyncio.timeout(seconds):
                exchange = await self._exchange(self._session, question, reply, stage)
        except TimeoutError:
            exchange = Exchange(_failed(reply, late(stage.text, seconds)))
        except _TooMany:
            why = f"The answer holds more than {MOST_VALUES:,} values; it wasn't kept."
            exchange = Exchange(_failed(reply, Broken("too_large", why)))
        except TooLarge:
            why = f"The answer is larger than {question.most_bytes / 1e6:.0f} MB; it wasn't read to its end."
            exchange = Exchange(_failed(reply, Broken("too_large", why)))
        except Unreadable:
            why = "The answer is compressed in a way that nobody asked for, or broken."
            exchange = Exchange(_failed(reply, Broken("broken", why)))
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            exchange = Exchange(_failed(reply, await self._why(problem)))
        return replace(exchange, reply=_timed(exchange.reply, begun))

    async def _exchange(
        self, session: aiohttp.ClientSession, question: Question, reply: Reply, stage: SimpleNamespace
    ) -> Exchange:
        headers = {"Authorization": question.credential.header()} if question.credential else {}
        async with session.request(
            question.method,
            URL(self._target.url + question.address, encoded=True),
            json=question.body,
            headers=headers,
            allow_redirects=False,
            trace_request_ctx=stage,
        ) as response:
            stage.text = "reading the answer"
            data = await _read(response, question.most_bytes)
        understand = partial(self._understood, question, response.headers, data)
        # The other checks of this process wait for whatever isn't left to a thread.
        long = len(data) > _LONG_BYTES or "Content-Encoding" in response.headers
        raw, answered = await asyncio.to_thread(understand) if long else understand()
        moved = "It sends the caller elsewhere, which isn't followed." if response.status // 100 == 3 else ""
        answer = replace(reply, outcome="ok", status=response.status, why=moved, **answered)
        return Exchange(answer, raw)

    async def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Post `body` to `path` of the target's origin, and read the head of the answer alone.

        Whatever happens becomes a Reply; the path, which may be a secret, stands in none.
        """
        if self._session is None:
            raise RuntimeError("reach() comes first")
        reply = Reply(probe="post", request=f"POST {self._target.origin}/…", outcome="failed")
        begun = time.perf_counter()
        stage = SimpleNamespace(text="opening the connection")
        try:
            async with (
                asyncio.timeout(self.left(self._seconds)),
                self._session.post(
                    URL(self._target.origin + path, encoded=True),
                    data=body,
                    headers=headers,
                    allow_redirects=False,
                    trace_request_ctx=stage,
                ) as response,
            ):
                answered, _ = self._scrubber.body(_kept(response.headers))
                reply = replace(reply, outcome="ok", status=response.status, headers=answered)
        except TimeoutError:
            reply = _failed(reply, late(stage.text, self._seconds))
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            reply = _failed(reply, await self._why(problem))
        return _timed(reply, begun)

    def _understood(
        self, question: Question, headers: Mapping[str, str], data: bytes
    ) -> tuple[Any, dict[str, Any]]:
        """The parsed body, and headers and body without secrets. Raises TooLarge and Unreadable."""
        raw = parsed(unpacked(data, headers.get("Content-Encoding", ""), question.most_bytes))
        kept = {"headers": _kept(headers), "body": question.trim(raw)}
        if isinstance(raw, str):
            kept["body"] = self._scrubber.text(raw)
        answered, cut = self._scrubber.body(kept)
        if cut:
            raise _TooMany
        return raw, answered

    async def _why(self, problem: Exception) -> Broken:
        """What broke; where plain HTTP brought nothing, whether the port speaks TLS is tried out."""
        broken = of(problem)
        if self._target.scheme == "https" or broken.trouble not in {"closed_early", "not_http"}:
            return broken
        if self._tls_spoken is None:
            self._tls_spoken = asyncio.create_task(self._speaks_tls())
        if await asyncio.shield(self._tls_spoken):
            return Broken("tls_not_spoken", "This port speaks TLS only: use https:// instead of http://.")
        return broken

    async def _speaks_tls(self) -> bool:
        writer, _ = await self._tcp(self.address or "", _TLS_SECONDS)
        if writer is None:
            return False
        broken, _ = await self._handshake(writer, _blind_context(), self.left(_TLS_SECONDS))
        await _closed(writer)
        return broken is None


def post(target: Target, path: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
    """Send one body to the vetted address, within `seconds` in all; see `Dialler.send`."""

    async def posted() -> Reply:
        async with Dialler(target, Scrubber(()), seconds) as dialler:
            reached = await dialler.reach()
            return reached[-1] if dialler.address is None else await dialler.send(path, body, headers)

    return asyncio.run(posted())


async def _read(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body as it was sent. Raises TooLarge as soon as that is known."""
    if (response.content_length or 0) > most:
        response.close()
        raise TooLarge
    pieces = bytearray()
    async for piece in response.content.iter_any():
        pieces += piece
        if len(pieces) > most:
            response.close()
            raise TooLarge
    return bytes(pieces)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    names = ((name.lower(), value) for name, value in headers.items())
    return {name: value for name, value in names if name in _KEPT or name.startswith("x-litellm-")}


def _stages() -> aiohttp.TraceConfig:
    """Keeps in a request's context how far it came, for the words of a time-out."""

    async def sent(session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
        context.trace_request_ctx.text = "waiting for the answer"

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(sent)
    return trace


def _failed(reply: Reply, broken: Broken) -> Reply:
    return replace(reply, outcome="failed", trouble=broken.trouble, why=broken.why)


def _timed(reply: Reply, begun: float) -> Reply:
    return replace(reply, ms=round((time.perf_counter() - begun) * 1000), at=time.time())


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close at once: a server that doesn't say goodbye isn't waited for, only the loop's own next steps."""
    writer.transport.abort()
    for _ in range(3):
        await asyncio.sleep(0)
