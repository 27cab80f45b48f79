"""Real receivers on loopback: an HTTP endpoint that answers as it is told, and mail servers."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass(frozen=True, slots=True)
class Got:
    """One request as it came in; header names are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Answer:
    """What to say: a status with headers, after `hold` is set, followed by `flood` bytes."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hold: threading.Event | None = None
    flood: int = 0


class Receiver:
    """An endpoint that gives `answers` in turn, the last one for ever, and keeps what it got."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers) or [Answer()]
        self.got: list[Got] = []
        self.arrived = threading.Semaphore(0)
        self.flooded = 0
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner.take(self)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False

    @property
    def url(self) -> str:
        """Where it listens, with a path that is a secret."""
        return f"http://127.0.0.1:{self.server.server_port}/services/T000/B000/canary-path-Xy9z"

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Keep the request, then answer."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.got.append(Got(request.path, headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.arrived.release()
        if answer.hold:
            answer.hold.wait(60)
        try:
            self.say(request, answer)
        except OSError:
            request.close_connection = True

    def say(self, request: BaseHTTPRequestHandler, answer: Answer) -> None:
        """The status, the headers, and the flood."""
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(answer.flood))
        request.end_headers()
        piece = b"x" * 65_536
        while self.flooded < answer.flood:
            request.wfile.write(piece)
            self.flooded += len(piece)

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        for answer in self.answers:
            if answer.hold:
                answer.hold.set()
        self.server.shutdown()
        self.server.server_close()


class Mailbox:
    """What a mail server took in; with `refuses`, what it answers to every recipient."""

    def __init__(self, refuses: str = "") -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refuses = refuses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses:
            return self.refuses
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = BytesParser(policy=default).parsebytes(envelope.content)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(envelope.rcpt_tos)
        return "250 OK"


class MailServer(Controller):
    """A mail server that hangs up on everybody before it goes."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.made: list[SMTP] = []
        super().__init__(*args, **options)

    def factory(self) -> SMTP:
        """One for each connection."""
        self.made.append(super().factory())
        return self.made[-1]

    async def hang_up(self) -> None:
        """Close what clients left open."""
        for one in self.made:
            if one.transport:
                one.transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@contextmanager
def mail_server(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    """A real mail server on loopback; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = MailServer(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        asyncio.run_coroutine_threadsafe(controller.hang_up(), controller.loop).result(10)
        controller.stop()
