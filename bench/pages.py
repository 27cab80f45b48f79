"""Pages: a guide as production serves it, beside nginx and beside a Wagtail page of the same size."""

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from unittest.mock import patch

from bench.measure import goal, table
from bench.servers import HOST, free_port, get, running

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements" / "bench.txt"
VENV = ROOT / "var" / "bench" / "wagtail"
ROUNDS, SECONDS, CONNECTIONS, WORKERS = 3, 2, 32, 2
MOST_QUERIES, LEAST_OVER_WAGTAIL, LEAST_OF_NGINX = 5, 5.0, 0.5

NGINX = """
daemon off;
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{}}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  default_type text/html;
  client_body_temp_path {folder}/temp;
  proxy_temp_path {folder}/temp;
  fastcgi_temp_path {folder}/temp;
  uwsgi_temp_path {folder}/temp;
  scgi_temp_path {folder}/temp;
  server {{ listen {host}:{port}; root {folder}/www; gzip_static on; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A page at a server, asked for with certain headers."""

    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk measured."""

    rate: float
    p50: str
    p99: str


def main() -> bool:
    """Starts the servers, loads them in turn, prints the ratios; tells whether the goals were met."""
    if not shutil.which("wrk"):
        print("Pages skipped: they are loaded by wrk (Debian: apt-get install wrk).")
        return True
    with tempfile.TemporaryDirectory(prefix="culprit-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's workers may be another user
        about, cases = culprit(folder, stack)
        cases |= nginx(folder, stack, get(cases["uncached"].port, about["path"]).body)
        cases |= wagtail(folder, stack, about["bytes"])
        loads = measured(cases)
    print(f"{about['path']}, {about['bytes']:,} bytes; {WORKERS} workers, {CONNECTIONS} connections:")
    table(("page", "requests/s (rounds)", "p50", "p99", "x nginx", "x Wagtail"), rows(loads))
    print()
    return judged(about, {name: rate(runs) for name, runs in loads.items()})


def culprit(folder: Path, stack: ExitStack) -> tuple[dict[str, Any], dict[str, Case]]:
    """The site twice on one database: as production serves it, and without the pages kept in front."""
    database = {"DATABASE_URL": f"sqlite:///{folder}/culprit.sqlite3"}
    kept, plain = free_port(), free_port()
    serve = [sys.executable, "manage.py", "serve", "--workers", str(WORKERS)]
    stack.enter_context(running(serve, kept, folder / "serve.log", PORT=str(kept), **database))
    about = asked([sys.executable, "-m", "bench.pages"], PORT=str(plain), **database)
    command = [*about["server"][:-1], "bench.uncached:serving"]
    stack.enter_context(running(command, plain, folder / "plain.log", **database))
    path = about["path"]
    first = get(kept, path)
    etag = first.headers.get("etag", "")
    if not etag or get(plain, path, host=f"{HOST}:{kept}").body != first.body:
        raise SystemExit(f"{path} isn't kept in front of Django, or isn't the same there.")
    return about, {
        "cached": Case(kept, path),
        "cached, gzip": Case(kept, path, {"Accept-Encoding": "gzip"}),
        "cached, 304": Case(kept, path, {"If-None-Match": etag}),
        "uncached": Case(plain, path),
    }


def nginx(folder: Path, stack: ExitStack, body: bytes) -> dict[str, Case]:
    """The same bytes as a file."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not program:
        print("nginx skipped: it isn't here (Debian: apt-get install nginx-light).")
        return {}
    (folder / "www").mkdir()
    (folder / "www" / "page").write_bytes(body)
    (folder / "www" / "page.gz").write_bytes(gzip.compress(body, 6))
    port, config = free_port(), folder / "nginx.conf"
    config.write_text(NGINX.format(workers=WORKERS, folder=folder, host=HOST, port=port))
    command = [program, "-c", str(config), "-p", str(folder), "-e", str(folder / "nginx.log")]
    stack.enter_context(running(command, port, folder / "nginx.out"))
    etag = get(port, "/page").headers["etag"]
    return {
        "nginx": Case(port, "/page"),
        "nginx, gzip": Case(port, "/page", {"Accept-Encoding": "gzip"}),
        "nginx, 304": Case(port, "/page", {"If-None-Match": etag}),
    }


def wagtail(folder: Path, stack: ExitStack, size: int) -> dict[str, Case]:
    """A Wagtail page of the same size, on the same server with the same options."""
    python = wagtail_python()
    if python is None:
        return {}
    environment = {"BENCH_PEER": str(folder / "peer"), "DJANGO_SETTINGS_MODULE": "bench.peer.settings"}
    (folder / "peer").mkdir()
    peer = asked([python, "-m", "bench.peer.prepare", str(size)], **environment)
    print(f"The Wagtail page takes {peer['queries']} queries and has {peer['bytes']:,} bytes.")
    port = free_port()
    about = asked([sys.executable, "-m", "bench.pages", "server"], PORT=str(port))
    command = [python, *about["server"][1:-1], "bench.peer.wsgi:application"]
    stack.enter_context(running(command, port, folder / "wagtail.log", **environment))
    return {"Wagtail": Case(port, peer["path"])}


def wagtail_python() -> str | None:
    """Wagtail's own virtual environment, made at the first run and again when its pins change."""
    python, stamp = VENV / "bin" / "python", VENV / "pins"
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == pins:
        return str(python)
    print(f"Installing Wagtail into {VENV.relative_to(ROOT)}, once.", flush=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        subprocess.run([*install, "--require-hashes", "-r", str(PINS)], check=True, stderr=subprocess.PIPE)
    except subprocess.CalledProcessError as error:
        print(f"Wagtail skipped: it couldn't be installed: {(error.stderr or b'').decode()[-300:]}")
        return None
    stamp.write_text(pins)
    return str(python)


def asked(command: list[str], **environment: str) -> dict[str, Any]:
    """What another process tells: the last line that it prints."""
    answer = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, check=True, text=True
    )
    told: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return told


def measured(cases: dict[str, Case]) -> dict[str, list[Load]]:
    """In each round every case has its turn; one short run before that warms it up."""
    for case in cases.values():
        wrk(case, "1s")
    loads: dict[str, list[Load]] = {name: [] for name in cases}
    for _ in range(ROUNDS):
        for name, case in cases.items():
            loads[name].append(wrk(case, f"{SECONDS}s"))
    return loads


def wrk(case: Case, duration: str) -> Load:
    """One run of load."""
    headers = [part for name, value in case.headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{duration}", "--latency", *headers]
    url = f"http://{HOST}:{case.port}{case.path}"
    told = subprocess.run([*command, url], stdout=subprocess.PIPE, check=True, text=True).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(f"{url} failed under load:\n{told}")
    p50, p99 = (re.search(rf"^ +{share}% +(\S+)$", told, re.MULTILINE) for share in (50, 99))
    found = re.search(r"^Requests/sec: +([\d.]+)$", told, re.MULTILINE)
    if not (p50 and p99 and found):
        raise SystemExit(f"wrk told something unexpected:\n{told}")
    return Load(float(found[1]), p50[1], p99[1])


def rate(runs: list[Load]) -> float:
    """Requests a second: the median of the rounds."""
    return median(run.rate for run in runs)


def rows(loads: dict[str, list[Load]]) -> Iterator[list[str]]:
    """A line for each case; the quickest first."""
    for name in sorted(loads, key=lambda name: -rate(loads[name])):
        runs = sorted(loads[name], key=lambda run: run.rate)
        middle = runs[len(runs) // 2]
        peers = (
            f"{middle.rate / rate(loads[peer]):.2f}" if peer in loads else "" for peer in ("nginx", "Wagtail")
        )
        spread = f"{middle.rate:,.0f} ({runs[0].rate:,.0f} to {runs[-1].rate:,.0f})"
        yield [name, spread, middle.p50, middle.p99, *peers]


def judged(about: dict[str, Any], rates: dict[str, float]) -> bool:
    """The goals, as far as their peers are here."""
    queries, renders = about["queries"], about["renders"]
    met = [
        goal(f"a guide takes {queries} queries, at most {MOST_QUERIES}", queries <= MOST_QUERIES),
        goal(f"a guide takes {renders} Markdown renders, none", renders == 0),
    ]
    if "Wagtail" in rates:
        times = rates["uncached"] / rates["Wagtail"]
        words = f"uncached is {times:.1f} x Wagtail, at least {LEAST_OVER_WAGTAIL:.0f} x"
        met.append(goal(words, times >= LEAST_OVER_WAGTAIL))
    if "nginx" in rates:
        times = rates["cached"] / rates["nginx"]
        words = f"cached is {times:.2f} x nginx, at least {LEAST_OF_NGINX:.1f} x"
        met.append(goal(words, times >= LEAST_OF_NGINX))
    return all(met)


def server() -> dict[str, Any]:
    """The command that serves on PORT, as `manage.py serve` has it."""
    from kb.web.management.commands.serve import granian

    return {"server": granian(HOST, WORKERS)}


def facts() -> dict[str, Any]:
    """A guide of middling length: its path and bytes, and the queries and renders that one GET takes."""
    from django.db import connection
    from django.db.models.functions import Length
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from kb.guides.models import Guide

    guides = Guide.objects.published().select_related("tool").order_by(Length("page_html"), "slug")
    path = guides[guides.count() // 2].get_absolute_url()
    client = Client(headers={"host": HOST})
    client.get(path)
    with CaptureQueriesContext(connection) as queries, counted_renders() as renders:
        page = client.get(path)
    assert page.status_code == 200
    return {"path": path, "bytes": len(page.content), "queries": len(queries), "renders": len(renders)}


@contextmanager
def counted_renders() -> Iterator[list[str]]:
    """The texts that are rendered from Markdown within the block."""
    from markdown import Markdown

    seen: list[str] = []
    convert = Markdown.convert

    def counting(self: Markdown, source: str) -> str:
        seen.append(source)
        return convert(self, source)

    with patch.object(Markdown, "convert", counting):
        yield seen


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings")
    import django

    django.setup()
    print(json.dumps(server() | ({} if sys.argv[1:] else facts())))
