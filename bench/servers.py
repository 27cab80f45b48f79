"""Servers for the time of a benchmark: started on a free loopback port, stopped afterwards."""

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 180.0  # seconds until a server that doesn't answer is given up
GRACE = 10.0  # seconds for a server to end by itself


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def free_port() -> int:
    """A port on loopback that nobody uses."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def running(command: Sequence[str], port: int, log: Path, **environment: str) -> Iterator[int]:
    """A server that answers on `port`; it and its workers are gone when the block ends."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            env=os.environ | environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait(server, port, log)
        yield port
    finally:
        stop(server)


def wait(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Until it answers; shows what it printed if it doesn't."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not ended(server.pid):
        try:
            get(port, "/")
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"No answer on port {port}; {log.name} says:\n{log.read_text()[-2000:]}")


def stop(server: "subprocess.Popen[bytes]") -> None:
    """Asks the server's process group to go, then makes it; reaps it last, so that its id stays its own."""
    os.killpg(server.pid, signal.SIGTERM)
    end = time.monotonic() + GRACE
    while time.monotonic() < end and not ended(server.pid):
        time.sleep(0.05)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def ended(process: int) -> bool:
    """Is it a zombie?"""
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def get(port: int, path: str, **headers: str) -> Answer:
    """One request; the names of the answer's headers are in lower case."""
    client = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        client.request("GET", path, headers=headers)
        answer = client.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, found, answer.read())
    finally:
        client.close()
