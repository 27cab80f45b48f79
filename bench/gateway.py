"""A gateway that answers as a real LiteLLM was recorded to answer, each request after the same latency.

`python -m bench.gateway PORT MILLISECONDS [VERSION]`; it runs in a process of its own.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.servers import HOST

CAPTURES = Path(__file__).resolve().parent.parent / "content" / "litellm" / "captures"
VIRTUAL, MASTER = "sk-bench-virtual-0a1b2c3d", "sk-bench-master-4e5f6a7b"
WHO = {VIRTUAL: "virtual", MASTER: "master", "": "none"}
CALL = "/v1/chat/completions"


class Answers:
    """The recorded answers of one version, as bytes."""

    def __init__(self, version: str) -> None:
        recorded = json.loads((CAPTURES / version / "endpoints.json").read_text())["context"]
        call = json.loads((CAPTURES / version / "ok.json").read_text())["response"]
        self.known = {(CALL, who): packed(call) for who in WHO.values()}
        for address, answers in recorded.items():
            for who, answer in answers.items():
                # What was asked about one thing alone comes last in the file, and is what a check asks for.
                self.known[address.partition("?")[0], who] = packed(answer)
        self.unknown = packed({"status": 404, "body": {"detail": "Not Found"}})

    def to(self, head: bytes) -> bytes:
        """The answer to a request's head."""
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines if ": " in line)
        path = first.split(" ")[1].partition("?")[0]
        who = WHO.get(fields.get("authorization", "").removeprefix("bearer "), "none")
        return self.known.get((path, who), self.unknown)


def packed(answer: Mapping[str, Any]) -> bytes:
    """A whole HTTP answer."""
    body = json.dumps(answer["body"]).encode()
    kept = (pair for pair in answer.get("headers", {}).items() if pair[0].startswith("x-litellm"))
    head = [f"HTTP/1.1 {answer['status']} Recorded", "content-type: application/json"]
    head += [*(f"{name}: {value}" for name, value in kept), f"content-length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


class Conversation(asyncio.Protocol):
    """One connection: its requests come one after the other."""

    def __init__(self, answers: Answers, latency: float) -> None:
        self.answers, self.latency = answers, latency
        self.heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data
        head, end, body = self.heard.partition(b"\r\n\r\n")
        if not end or len(body) < length(head):
            return
        self.heard = b""
        loop = asyncio.get_running_loop()
        loop.call_later(self.latency, self.transport.write, self.answers.to(head))


def length(head: bytes) -> int:
    """How many bytes follow a request's head."""
    _, found, rest = head.lower().partition(b"content-length: ")
    return int(rest.split(b"\r\n")[0]) if found else 0


async def serve(port: int, latency: float, version: str) -> None:
    """Answers until it is ended."""
    answers = Answers(version)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(answers, latency), HOST, port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000, *(sys.argv[3:] or ["1.84.0"])))
