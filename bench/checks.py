"""Checks: one against a slow gateway, beside its requests one after the other; and fifty at once."""

import asyncio
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from unittest.mock import patch
from urllib.parse import urlencode

from bench.gateway import MASTER, VIRTUAL
from bench.measure import goal, table
from bench.pages import ROOT, WORKERS, asked
from bench.servers import HOST, free_port, get, running
from kb.diagnosis.finding import Asked, Reply
from kb.probes.credential import Credential, Scrubber
from kb.probes.dial import Dialler
from kb.probes.plan import ROUNDS
from kb.probes.question import Exchange, Question
from kb.probes.run import run
from kb.probes.target import Target

LATENCIES = (50, 200)  # milliseconds
TIMES, MANY = 5, 50
ASKED_ROUNDS = len(ROUNDS) - 1  # one is for gateways that don't show themselves at once
MOST_OF_ROUNDS, MOST_OF_ONE = 1.3, 4.0
ASKED = Asked(model="lab-model", end_user="customer-1", tags=("tag-1", "tag-2"), admin=True)
KEYS = (Credential(VIRTUAL), Credential(MASTER))
READ, READ_EVERY = "/check/", 0.02  # the page, never kept in front of Django, that others read meanwhile


def main() -> bool:
    """One check, then many: tells whether the goals were met."""
    with tempfile.TemporaryDirectory(prefix="culprit-bench-") as name:
        folder = Path(name)
        singles = [single(latency, folder) for latency in LATENCIES]
        print(f"One check, all probes: {ASKED_ROUNDS} rounds, each after the answers of the one before.")
        table(
            ("latency", "requests", "check", "x rounds", "one after the other", "quicker by"),
            [row.cells() for row in singles],
        )
        with site(folder) as port:
            crowds = [crowd(latency, port, folder) for latency in LATENCIES]
    print(f"\n{MANY} checks at once on the site ({WORKERS} workers), while somebody reads {READ}:")
    table(
        ("latency", "one check", f"all {MANY}", "x one", "page beside one (p50, max)", f"beside {MANY}"),
        [row.cells() for row in crowds],
    )
    print()
    return judged(singles, crowds)


@dataclass(frozen=True, slots=True)
class Single:
    """Seconds for one check, and for the same requests one after the other."""

    latency: int
    requests: int
    check: float
    in_turn: float

    @property
    def rounds(self) -> float:
        return self.check / (self.latency / 1000 * ASKED_ROUNDS)

    def cells(self) -> list[str]:
        times = f"{self.rounds:.2f}", f"{self.in_turn * 1000:,.0f} ms", f"{self.in_turn / self.check:.1f} x"
        return [f"{self.latency} ms", str(self.requests), f"{self.check * 1000:,.0f} ms", *times]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Seconds for one check through the site and for many at once, turn by turn, and for a page meanwhile."""

    latency: int
    one: list[float] = field(default_factory=list)
    many: list[float] = field(default_factory=list)
    beside_one: list[float] = field(default_factory=list)
    beside_many: list[float] = field(default_factory=list)

    @property
    def times(self) -> float:
        return median(many / one for one, many in zip(self.one, self.many, strict=True))

    def cells(self) -> list[str]:
        checks = (f"{median(took) * 1000:,.0f} ms" for took in (self.one, self.many))
        pages = (
            f"{median(took) * 1000:,.0f}, {max(took) * 1000:,.0f} ms"
            for took in (self.beside_one, self.beside_many)
        )
        return [f"{self.latency} ms", *checks, f"{self.times:.1f}", *pages]


@contextmanager
def gateway(latency: int, folder: Path) -> Iterator[Target]:
    """The recorded gateway in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "bench.gateway", str(port), str(latency)]
    with running(command, port, folder / "gateway.log"):
        yield Target("http", HOST, port, "", (HOST,))


def single(latency: int, folder: Path) -> Single:
    """One check and its requests in turn, alternating; medians."""
    with gateway(latency, folder) as target:
        questions = asyncio.run(noted(target))
        checks, turns = [], []
        for _ in range(TIMES):
            checks.append(asyncio.run(timed(check(target))))
            turns.append(asyncio.run(timed(in_turn(target, questions))))
    return Single(latency, len(questions), median(checks), median(turns))


async def timed(work: Awaitable[object]) -> float:
    """Seconds that it takes, without the start of the event loop."""
    begun = time.perf_counter()
    await work
    return time.perf_counter() - begun


async def check(target: Target) -> tuple[Reply, ...]:
    """All probes, with both keys."""
    replies = await run(target, *KEYS, ASKED, paid=True)
    assert all(reply.outcome != "failed" for reply in replies)
    return replies


async def noted(target: Target) -> list[Question]:
    """The questions that a check puts."""
    questions: list[Question] = []
    ask = Dialler.ask

    async def noting(self: Dialler, question: Question) -> Exchange:
        questions.append(question)
        return await ask(self, question)

    with patch.object(Dialler, "ask", noting):
        await check(target)
    return questions


async def in_turn(target: Target, questions: Sequence[Question]) -> None:
    """The same questions, each after the answer to the one before, over one connection."""
    async with Dialler(target, Scrubber(KEYS)) as dialler:
        await dialler.reach()
        for question in questions:
            await dialler.ask(question)


@contextmanager
def site(folder: Path) -> Iterator[int]:
    """The site as production serves it, but without its limits on how often one person checks."""
    port, database = free_port(), {"DATABASE_URL": f"sqlite:///{folder}/culprit.sqlite3"}
    for command in (["migrate", "--verbosity=0"], ["load_content"], ["collectstatic", "--no-input"]):
        manage = [sys.executable, "manage.py", *command]
        subprocess.run(manage, cwd=ROOT, env=os.environ | database, stdout=subprocess.DEVNULL, check=True)
    server = asked([sys.executable, "-m", "bench.pages", "server"], PORT=str(port), **database)["server"]
    with running([*server[:-1], "bench.unlimited:serving"], port, folder / "site.log", **database):
        yield port


def crowd(latency: int, port: int, folder: Path) -> Crowd:
    """Checks through the site, alone and many at once in turn, while somebody reads a page; medians."""
    with gateway(latency, folder) as target, ThreadPoolExecutor(MANY) as pool:
        token = csrf(port)
        for _ in range(4 * WORKERS):  # (so that each worker has made its first)
            posted(port, target, token)
        found = Crowd(latency)
        for _ in range(TIMES):
            with reading(port, found.beside_one):
                found.one.append(median(posted(port, target, token) for _ in range(3)))
            with reading(port, found.beside_many):
                begun = time.perf_counter()
                list(pool.map(lambda _: posted(port, target, token), range(MANY)))
                found.many.append(time.perf_counter() - begun)
    return found


def csrf(port: int) -> str:
    """The token of the site's forms, which its cookie holds too."""
    cookie = get(port, READ).headers["set-cookie"]
    found = re.search(r"csrftoken=(\w+)", cookie)
    assert found
    return found[1]


def posted(port: int, target: Target, token: str) -> float:
    """Seconds for one check as the form's script makes it, until its result is kept."""
    form = {"address": target.url, "key": VIRTUAL, "admin_key": MASTER, "model": ASKED.model, "paid": "on"}
    form |= {"end_user": ASKED.end_user, "tags": ",".join(ASKED.tags), "csrfmiddlewaretoken": token}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/x-ndjson"}
    begun = time.perf_counter()
    client = http.client.HTTPConnection(HOST, port, timeout=120)
    client.request("POST", "/check/", urlencode(form), headers | {"Cookie": f"csrftoken={token}"})
    answer = client.getresponse()
    lines = answer.read().splitlines()
    client.close()
    last = json.loads(lines[-1]) if answer.status == 200 else {}
    if "location" not in last:
        raise SystemExit(f"A check was answered with {answer.status}: {lines[-1:]}")
    return time.perf_counter() - begun


@contextmanager
def reading(port: int, took: list[float]) -> Iterator[None]:
    """Somebody reads a page again and again within the block; `took` gets the seconds for each."""
    done = threading.Event()

    def read() -> None:
        while not done.wait(READ_EVERY):
            begun = time.perf_counter()
            get(port, READ)
            took.append(time.perf_counter() - begun)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield
    finally:
        done.set()
        reader.join()


def judged(singles: Sequence[Single], crowds: Sequence[Crowd]) -> bool:
    """The goals, at every latency."""
    met = [
        goal(
            f"at {one.latency} ms a check takes {one.rounds:.2f} x its rounds, at most {MOST_OF_ROUNDS}",
            one.rounds <= MOST_OF_ROUNDS,
        )
        for one in singles
    ]
    met += [
        goal(
            f"at {one.latency} ms {MANY} checks take {one.times:.1f} x one, at most {MOST_OF_ONE:.0f}",
            one.times <= MOST_OF_ONE,
        )
        for one in crowds
    ]
    return all(met)
