"""A gateway on loopback that answers as a real LiteLLM was recorded to answer in one scenario."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

# path -> the names under which captures keep its answer: asked by the key, asked by the admin.
KEPT = {
    "/key/info": ("key_info_self", "key_info_master"),
    "/team/info": ("team_info_self", "team_info_master"),
    "/user/info": ("user_info_self", "user_info_master"),
    "/v1/models": ("models", "models"),
    "/health/readiness": ("readiness", "readiness"),
    "/health/liveliness": ("liveliness", "liveliness"),
    "/tag/info": ("", "tag_info_master"),
    "/spend/tags": ("", "spend_tags"),
}
USUAL = {
    "/health/readiness": {"status": 200, "body": {"status": "healthy", "db": "connected"}},
    "/health/liveliness": {"status": 200, "body": "I'm alive!"},
    "/v1/models": {"status": 200, "body": {"data": [{"id": "lab-model", "object": "model"}]}},
    "/spend/logs": {"status": 200, "body": []},
}


class Gateway:
    """Serves one recorded scenario; `asked` has every request line, `echo` makes it repeat the key it got."""

    def __init__(self, version: str, scenario: str, admin: str = "sk-admin", echo: bool = False) -> None:
        folder = Path(settings.CONTENT_DIR) / "litellm" / "captures" / version
        self.recorded: dict[str, Any] = json.loads((folder / f"{scenario}.json").read_text())
        self.admin, self.echo = admin, echo
        self.asked: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())

    def __enter__(self) -> "Gateway":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, method: str, path: str, key: str) -> dict[str, Any]:
        """The recorded answer: {"status", "headers", "body"}."""
        if method == "POST" and path == "/v1/chat/completions":
            return dict(self.recorded["response"])
        own, master = KEPT.get(path, ("", ""))
        name = master if key == self.admin else own
        kept = self.recorded.get("context", {}).get(name)
        if kept:
            return dict(kept["response"])
        return dict(USUAL.get(path, {"status": 404, "body": {"detail": "Not Found"}}))

    def handler(self) -> type[BaseHTTPRequestHandler]:
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.reply("GET")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                self.reply("POST")

            def reply(self, method: str) -> None:
                gateway.asked.append(f"{method} {self.path}")
                key = self.headers.get("authorization", "").removeprefix("Bearer ")
                answer = gateway.answer(method, urlsplit(self.path).path, key)
                body = answer["body"]
                text = body if isinstance(body, str) else json.dumps(body)
                raw = (f"{text}" + (f' "{key}"' if gateway.echo else "")).encode()
                self.send_response(answer["status"])
                self.send_header("content-type", "application/json")
                if gateway.echo:
                    self.send_header("x-litellm-call-id", key)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Tests are quiet."""

        return Handler
