"""The one event loop on which all looks of a process run, for callers that have none."""

import asyncio
import queue
import socket
import threading
from collections.abc import Callable, Coroutine, Generator
from functools import cache
from typing import Any

import uvloop

from kb.diagnosis.finding import Reply

OnReply = Callable[[Reply], None]
BATCH_SECONDS = 0.05  # a reader sees no difference


class _Batches:
    """Replies on their way from the loop to a reader's thread, whose every turn costs all checks time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.sent: queue.SimpleQueue[tuple[Reply, ...]] = queue.SimpleQueue()
        self._loop = loop
        self._waiting: list[Reply] = []

    def add(self, reply: Reply) -> None:
        if not self._waiting:
            self._loop.call_later(BATCH_SECONDS, self._send)
        self._waiting.append(reply)

    def end(self) -> None:
        self._send()
        self.sent.put(())

    def _send(self) -> None:
        if self._waiting:
            self.sent.put(tuple(self._waiting))
            self._waiting.clear()


def told(look: Callable[[OnReply], Coroutine[Any, Any, tuple[Reply, ...]]]) -> Generator[tuple[Reply, ...]]:
    """The replies of `run` or `second_look` as they come, for callers without an event loop.

    `look` is either with all its arguments but `on_reply`. Those of BATCH_SECONDS come together. Closing the
    iterator cancels the look; what that raises, the iterator raises.
    """
    batches = _Batches(_loop())
    work = asyncio.run_coroutine_threadsafe(look(batches.add), _loop())
    work.add_done_callback(lambda done: batches.end())
    try:
        while batch := batches.sent.get():
            yield batch
        work.result()
    finally:
        work.cancel()


class _Loop(uvloop.Loop):
    """Sends no address through a thread of the resolver: uvloop does where it isn't told the kind of socket.

    (uvloop 0.23, loop.pyx: `sock_connect` calls `getaddrinfo`, whose quick way for numbers wants a type.)
    """

    async def getaddrinfo(
        self,
        host: str | bytes | None,
        port: str | bytes | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """As the loop's own, for TCP."""
        kind = type or socket.SOCK_STREAM
        return await super().getaddrinfo(host, port, family=family, type=kind, proto=proto, flags=flags)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The loop that all looks of this process share: a thread for each would take turns with every other."""
    loop = _Loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="checks").start()
    return loop
