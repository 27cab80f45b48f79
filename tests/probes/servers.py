"""Servers on loopback that behave badly, each in one way, and the certificates that some of them show."""

import asyncio
import contextlib
import datetime
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import cache
from typing import Any, TypeVar

import trustme
import uvloop

T = TypeVar("T")

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(
    handler: Handler, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[int]:
    """A server that gives each connection to `handler`; its port. All is closed at the end."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        try:
            await handler(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(connected, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await settled()  # connections that were just accepted get their task
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await settled()


async def settled() -> None:
    """Lets the loop do what it has begun."""
    for _ in range(10):
        await asyncio.sleep(0)


async def request(reader: asyncio.StreamReader) -> bytes:
    """The head of one request."""
    return await reader.readuntil(b"\r\n\r\n")


def saying(answer: bytes) -> Handler:
    """Answers each request with these bytes, then closes."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(answer)
        await writer.drain()
        writer.write_eof() if writer.can_write_eof() else None
        await reader.read()

    return handler


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole HTTP answer."""
    head = "\r\n".join((f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""))
    return head.encode("latin-1") + body


def repeating(start: bytes, piece: bytes, pause: float = 0) -> Handler:
    """Sends `start`, then `piece` for ever."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return handler


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing."""
    await reader.read()
    await asyncio.sleep(60)


async def slamming(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Closes on the first byte."""
    await reader.read(1)


@cache
def authority() -> trustme.CA:
    """The one authority that the tests trust."""
    return trustme.CA()


def certified(*names: str, by: trustme.CA | None = None, expired: bool = False) -> ssl.SSLContext:
    """A server's context with a certificate for `names`."""
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=2)
    early = past - datetime.timedelta(days=2)
    issuer = by or authority()
    leaf = (
        issuer.issue_cert(*names, not_before=early, not_after=past) if expired else issuer.issue_cert(*names)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    return context


def trusting() -> ssl.SSLContext:
    """A client's context that trusts `authority` and nobody else."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


def finish(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, done on the kind of event loop that checks run on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
