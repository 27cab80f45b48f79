"""`manage.py serve`: the site as production serves it."""

import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

THREADS = 64  # per worker, started as they are needed; each check holds one (kb.checker.running)
PATIENCE = 60.0  # seconds until a server that doesn't answer is given up
GRACE = 8.0  # seconds for server and worker to finish what they are doing
REST = 5.0  # seconds between two starts of a worker that doesn't live
LOG = Path(__file__).parents[2] / "granian-log.json"

STOPS = (signal.SIGTERM, signal.SIGINT)


class Command(BaseCommand):
    help = "Prepares the database, the content and the static files, then serves on PORT."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument(
            "--no-worker", action="store_true", help="notices are sent by a db_worker that runs elsewhere"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_taken(options["host"], settings.PORT)
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write("Loading the guides: up to a minute the first time, then seconds.")
        self.stdout.flush()
        load_apart()
        call_command("collectstatic", interactive=False, verbosity=0)
        refuse_taken(options["host"], settings.PORT)  # another may have begun while this one prepared
        server = started(granian(options["host"], options["workers"]))
        for one in STOPS:
            signal.signal(one, asked_to_stop)
        worker = Worker()
        try:
            self.announce(server)
            code = server.wait() if options["no_worker"] else worker.beside(server)
        except KeyboardInterrupt:
            code = 0
        finally:
            stop(server, *worker.processes)
        sys.exit(max(code, 0))

    def announce(self, server: "subprocess.Popen[bytes]") -> None:
        """Prints the address once it answers."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and server.poll() is None:
            if answers(settings.PORT):
                self.stdout.write(f"Culprit answers on http://127.0.0.1:{settings.PORT}/")
                self.stdout.flush()
                return
            time.sleep(0.1)
        server.terminate()
        raise CommandError(
            f"No answer on port {settings.PORT}. If another program uses it, set PORT to a free one."
        )


def load_apart() -> None:
    """Loads the content in a process of its own, which takes along the memory that only loading needs."""
    loading = subprocess.run([sys.executable, sys.argv[0], "load_content"])  # noqa: S603
    if loading.returncode:
        sys.exit(loading.returncode)


class Worker:
    """The process that sends notices, for as long as the server lives."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.started = 0.0

    def beside(self, server: "subprocess.Popen[bytes]") -> int:
        """Keeps a worker running until the server ends; the server's exit code."""
        while True:
            self.keep()
            try:
                return server.wait(timeout=1)
            except subprocess.TimeoutExpired:
                continue

    def keep(self) -> None:
        """Starts the worker if none runs, but a broken one not all the time."""
        self.processes = [one for one in self.processes if one.poll() is None]
        if not self.processes and time.monotonic() - self.started >= REST:
            command = [sys.executable, sys.argv[0], "db_worker", "--verbosity", "0", "--no-reload"]
            self.processes, self.started = [started(command)], time.monotonic()


def asked_to_stop(*_: Any) -> None:
    """Answers the first signal that asks to stop; whoever manages the machine may send several."""
    for one in STOPS:
        signal.signal(one, signal.SIG_IGN)
    raise KeyboardInterrupt


def started(command: list[str]) -> "subprocess.Popen[bytes]":
    """A process in a group of its own: it hears of a signal once, from us, and ends with all it started."""
    return subprocess.Popen(command, start_new_session=True)  # noqa: S603


def stop(*processes: "subprocess.Popen[bytes]") -> None:
    """Ends them, gently, then not. What a worker leaves undone is sent by the next one."""
    for one in processes:
        one.terminate()
    end = time.monotonic() + GRACE
    for one in processes:
        try:
            one.wait(timeout=max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(one.pid, signal.SIGKILL)
            one.wait()


def granian(host: str, workers: int) -> list[str]:
    """The server's command line."""
    options = ["--interface", "wsgi", "--no-ws", "--workers", str(workers), "--log-level", "warning"]
    options += ["--log-config", str(LOG), "--blocking-threads", str(THREADS)]
    options += ["--host", host, "--port", str(settings.PORT)]
    return [sys.executable, "-m", "granian", *options, "--factory", "kb.wsgi:serving"]


def refuse_taken(host: str, port: int) -> None:
    """Stops the command where somebody listens already."""
    if taken(host, port):
        raise CommandError(f"The port {port} is in use: stop what listens there, or set PORT to a free one.")


def taken(host: str, port: int) -> bool:
    """Does somebody listen there already? The server wouldn't notice: it shares its port with its like."""
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what was closed just now is free
            trial.bind(place)
    except OSError as error:
        return error.errno == errno.EADDRINUSE  # anything else is the server's to say
    return False


def answers(port: int) -> bool:
    """Does the site answer on loopback?"""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        client.request("GET", "/healthz")
        return client.getresponse().read() == b"ok\n"
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()
