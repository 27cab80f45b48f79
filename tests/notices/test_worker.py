"""The worker as it runs in production, in a process of its own, killed midway; on a database of its own."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.notices.receivers import Answer, Receiver

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180  # seconds; a busy machine loads the content slowly
ANNOUNCE = """
from kb.notices.models import Event, Kind, Subscription
from kb.notices.outbox import announce
Subscription.objects.create(name="ops", kind=Kind.WEBHOOK, address={url!r}, events=Event.values)
announce(Event.REPORT_NEW, "First", "/", {{}})
announce(Event.REPORT_NEW, "Second", "/", {{}})
"""


class Instance:
    """An instance of Culprit with a database that no other test uses."""

    def __init__(self, url: str) -> None:
        self.url = url
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.environment = {**os.environ, "DATABASE_URL": url, "CULPRIT_WEBHOOKS": "loopback"}
        self.environment["PORT"] = str(self.port)
        self.environment.pop("DJANGO_SETTINGS_MODULE", None)
        self.manage("migrate", "--verbosity", "0")

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """`manage.py …`, running."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=self.environment, text=True
        )

    def manage(self, *command: str) -> None:
        """`manage.py …`, to its end."""
        assert self.start(*command).wait(PATIENCE) == 0

    def sql(self, query: str) -> list[Any]:
        """Rows of a query; its changes are kept."""
        if self.url.startswith("sqlite"):
            with sqlite3.connect(self.url.removeprefix("sqlite:///"), timeout=10) as plain:
                return plain.execute(query).fetchall()
        with psycopg.connect(self.url) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    """On the kind of database that the tests run on."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield Instance(f"sqlite:///{tmp_path}/worker.sqlite3")
        return
    name = f"worker_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield Instance(urlunsplit(urlsplit(given)._replace(path=f"/{name}")))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_a_worker_that_is_killed_midway_loses_nothing_and_repeats_nothing_that_was_acknowledged(
    instance: Instance,
) -> None:
    hold = threading.Event()
    with Receiver(Answer(200), Answer(200, hold=hold), Answer(200)) as receiver:
        instance.manage("shell", "-v", "0", "-c", ANNOUNCE.format(url=receiver.url))
        worker = instance.start("db_worker", "--verbosity", "0", "--no-startup-delay")
        assert receiver.arrived.acquire(timeout=PATIENCE)
        assert receiver.arrived.acquire(timeout=PATIENCE)
        # The second request is in, and its answer isn't out: the worker dies without a chance to say so.
        worker.send_signal(signal.SIGKILL)
        worker.wait(PATIENCE)
        assert instance.sql("SELECT state FROM notices_delivery ORDER BY created") == [
            ("sent",),
            ("sending",),
        ]
        instance.manage("db_worker", "--batch", "--verbosity", "0", "--no-startup-delay")
        assert len(receiver.got) == 2, "its lease isn't over"
        instance.sql("UPDATE notices_delivery SET due = created")
        instance.manage("db_worker", "--batch", "--verbosity", "0", "--no-startup-delay")
        instance.sql("UPDATE notices_delivery SET due = created")
        instance.manage("db_worker", "--batch", "--verbosity", "0", "--no-startup-delay")
        hold.set()
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert len(ids) == 3
    assert ids[0] != ids[1] == ids[2]
    rows = instance.sql("SELECT state, attempts FROM notices_delivery ORDER BY created")
    assert rows == [("sent", 1), ("sent", 2)]


def workers_of(server: "subprocess.Popen[str]") -> list[int]:
    """The process ids of the workers that a `serve` started."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(server.pid)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "db_worker" in line]


def until(happened: Callable[[], Any]) -> Any:
    """What it says as soon as it says something; three minutes at most."""
    end = time.monotonic() + PATIENCE
    while not (found := happened()):
        assert time.monotonic() < end, "it didn't happen"
        time.sleep(0.1)
    return found


@pytest.mark.skipif(not shutil.which("ps"), reason="no ps on this machine (Debian: apt-get install procps)")
def test_serve_keeps_a_worker_and_takes_it_along(instance: Instance) -> None:
    with Receiver() as receiver:
        server = instance.start("serve", "--workers", "1")
        try:
            [first] = until(lambda: workers_of(server))
            os.kill(first, signal.SIGKILL)
            [second] = until(lambda: [one for one in workers_of(server) if one != first])
            instance.manage("shell", "-v", "0", "-c", ANNOUNCE.format(url=receiver.url))
            assert receiver.arrived.acquire(timeout=PATIENCE)
            assert receiver.arrived.acquire(timeout=PATIENCE)
        finally:
            server.terminate()
            assert server.wait(PATIENCE) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)
