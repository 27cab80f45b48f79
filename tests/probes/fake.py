"""A LiteLLM proxy on loopback that answers as the captured ones did, to whoever holds which key."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web

from kb.probes.target import Target
from tests.probes.servers import settled

CAPTURES = Path(__file__).parents[2] / "content" / "litellm" / "captures"
VERSIONS = ("1.84.0", "1.108.7")
VIRTUAL = "sk-canary-virtual-0a1b2c3d4e5f"
MASTER = "sk-canary-master-9z8y7x6w5v4u"


class Fake:
    """The answers of one version's captures; `asked` are the requests, `latency` the seconds each takes."""

    def __init__(self, version: str, latency: float = 0.0) -> None:
        self.asked: list[tuple[str, str, str]] = []
        self.bodies: dict[str, Any] = {}
        self.latency = latency
        self.at_once = self.most_at_once = 0
        self._context = json.loads((CAPTURES / version / "endpoints.json").read_text())["context"]
        self._ok = json.loads((CAPTURES / version / "ok.json").read_text())["response"]

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Target]:
        """The fake, listening."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield Target("http", "127.0.0.1", runner.addresses[0][1], "", ("127.0.0.1",))
        finally:
            await settled()
            await runner.cleanup()
            await settled()

    async def _answer(self, request: web.Request) -> web.Response:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        who = {"": "none", VIRTUAL: "virtual", MASTER: "master"}.get(bearer, "unknown")
        self.asked.append((request.method, request.path_qs, who))
        if request.can_read_body:
            self.bodies[request.path] = await request.json()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(self.latency)
        self.at_once -= 1
        status, headers, body = self.answer(request, who)
        headers = {name: value for name, value in headers.items() if name.startswith(("x-litellm", "retry"))}
        return web.json_response(body, status=status, headers=headers)

    def answer(self, request: web.Request, who: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body, as they were captured."""
        if request.path == "/v1/chat/completions":
            return self._ok["status"], self._ok["headers"], self._ok["body"]
        for path in (request.path_qs, request.path, *self._alike(request)):
            found = self._context.get(path, {}).get(who)
            if found is not None:
                return found["status"], found["headers"], found["body"]
        return 404, {}, {"detail": "Not Found"}

    def _alike(self, request: web.Request) -> list[str]:
        start = f"{request.path}?"
        return [path for path in self._context if path.startswith(start) and "<key>" not in path]
