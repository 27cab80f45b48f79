"""A made-up OpenAI-compatible provider on 127.0.0.1: `upstream.py PORT`.

The name of the model says what happens: `ok`, a key of ERRORS, `slow` (answers after 75 s), `drop` (hangs
up), `garbage` (200, and no JSON).
"""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def error(message: str, kind: str, code: str | None, param: str | None = None) -> dict[str, Any]:
    """An error in OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


ERRORS = {
    "http-400": (
        400,
        error(
            "Unsupported value: 'temperature' does not support 9.",
            "invalid_request_error",
            "unsupported_value",
            "temperature",
        ),
    ),
    "http-400-context": (
        400,
        error(
            "This model's maximum context length is 4096 tokens. "
            "However, your messages resulted in 9999 tokens.",
            "invalid_request_error",
            "context_length_exceeded",
            "messages",
        ),
    ),
    "http-400-content": (
        400,
        error(
            "Your request was rejected as a result of our safety system (content_policy_violation).",
            "invalid_request_error",
            "content_policy_violation",
        ),
    ),
    "http-401": (
        401,
        error("Incorrect API key provided: lab-upst****0000.", "invalid_request_error", "invalid_api_key"),
    ),
    "http-403": (
        403,
        error("You are not allowed to access this model.", "permission_error", "forbidden"),
    ),
    "http-404": (
        404,
        error(
            "The model `http-404` does not exist or you do not have access to it.",
            "invalid_request_error",
            "model_not_found",
        ),
    ),
    "http-429": (
        429,
        error(
            "Rate limit reached for http-429 on requests per min (RPM): Limit 3, Used 3, Requested 1. "
            "Please try again in 20s.",
            "requests",
            "rate_limit_exceeded",
        ),
    ),
    "http-429-quota": (
        429,
        error(
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
    ),
    "http-500": (
        500,
        error("The server had an error while processing your request.", "server_error", None),
    ),
    "http-502": (502, error("Bad gateway", "server_error", None)),
    "http-503": (
        503,
        error("The engine is currently overloaded, please try again later.", "service_unavailable", None),
    ),
}
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


class Handler(BaseHTTPRequestHandler):
    """Answers as the model's name says."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def answer(
        self, status: int, body: dict[str, Any] | bytes, headers: dict[str, str] | None = None
    ) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self.answer(200, {"status": "ok"})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        model = asked.get("model", "ok")
        if model in ERRORS:
            status, body = ERRORS[model]
            waits = {"retry-after": "20", "x-ratelimit-remaining-requests": "0"}
            self.answer(status, body, waits if status == 429 else None)
        elif model == "drop":
            self.close_connection = True
            self.connection.close()
        elif model == "garbage":
            self.answer(200, b"<html>not json</html>")
        else:
            if model == "slow":
                time.sleep(75)
            self.complete(model, streamed=bool(asked.get("stream")))

    def complete(self, model: str, *, streamed: bool) -> None:
        """Says hello."""
        base = {"id": f"chatcmpl-lab-{time.time_ns()}", "created": int(time.time()), "model": model}
        if not streamed:
            choice = {
                "index": 0,
                "message": {"role": "assistant", "content": "hello"},
                "finish_reason": "stop",
            }
            self.answer(200, base | {"object": "chat.completion", "usage": USAGE, "choices": [choice]})
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        deltas: list[dict[str, str]] = [{"role": "assistant", "content": "hello"}, {}]
        for delta in deltas:
            choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
            chunk = base | {"object": "chat.completion.chunk", "choices": [choice]}
            self.wfile.write(
                b"data: " + json.dumps(chunk if delta else chunk | {"usage": USAGE}).encode() + b"\n\n"
            )
        self.wfile.write(b"data: [DONE]\n\n")


if __name__ == "__main__":
    threading.stack_size(256 * 1024)
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    server.daemon_threads = True
    server.serve_forever()
