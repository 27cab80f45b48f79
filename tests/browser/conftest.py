"""A real Chromium in front of the real site: served as production serves it, with the published content."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

# Playwright keeps an event loop in this thread; Django would refuse its database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"

# Whoever waits for a page waits as long on a busy machine: what it takes is a matter of benchmarks.
expect.set_options(timeout=30_000)

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOW = "no Chromium on this machine: install one (Debian: apt-get install chromium) to run the browser tests"
FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a Chromium these tests are skipped, in CI they fail."""
    if item.get_closest_marker("browser") and not CHROMIUM and not os.environ.get("CI"):
        pytest.skip(HOW)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    """Debian's Chromium; as root it runs without its own sandbox."""
    if not CHROMIUM:
        pytest.fail(HOW)
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    return {"executable_path": CHROMIUM, "args": flags}


def free_port() -> int:
    """A port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def site_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the running site and commands on its database run with."""
    database = f"sqlite:///{tmp_path_factory.mktemp('site')}/site.sqlite3"
    usual = {"DATABASE_URL": database, "CULPRIT_REPORTS": "1000", "CULPRIT_WEBHOOKS": "loopback"}
    return {**usual, **os.environ, "PORT": str(free_port())}


@pytest.fixture(scope="session")
def base_url(site_environment: dict[str, str]) -> Iterator[str]:
    """The address of a running site: `manage.py serve` on a database of its own."""
    port = int(site_environment["PORT"])
    server = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=site_environment)
    try:
        wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="session")
def on_site(base_url: str, site_environment: dict[str, str]) -> Callable[[str], str]:
    """Runs Python lines on the running site's database, as `manage.py shell` does; gives what they print."""

    def run(lines: str) -> str:
        command = [sys.executable, "manage.py", "shell", "--no-imports", "--command", lines]
        ran = subprocess.run(
            command, cwd=ROOT, env=site_environment, stdout=subprocess.PIPE, check=True, text=True
        )
        return ran.stdout

    return run


SIGN_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
user, _ = User.objects.get_or_create(username={name!r})
user.groups.set(Group.objects.filter(name="Editors"))
store = import_module(settings.SESSION_ENGINE).SessionStore()
store[SESSION_KEY] = str(user.pk)
store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
store[HASH_SESSION_KEY] = user.get_session_auth_hash()
store.save()
print(store.session_key)
"""


@pytest.fixture(scope="session")
def editor_cookie(on_site: Callable[[str], str], base_url: str) -> Callable[[str], Any]:
    """What makes a browser the editor's of that user name, who need not be there yet."""

    @cache
    def sign_in(name: str) -> Any:
        key = on_site(SIGN_IN.format(name=name)).split()[-1]
        return {"name": "sessionid", "value": key, "url": base_url}

    return sign_in


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Until the site answers; a busy machine takes minutes to load the content."""
    end = time.monotonic() + 300
    while time.monotonic() < end and server.poll() is None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            client.request("GET", "/readyz")
            if client.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            client.close()
    pytest.fail("the site did not start")


@pytest.fixture
def strict_page(page: Page) -> Iterator[Page]:
    """A page on which no script fails, nothing breaks the security policy, and no other host is called."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith("http://127.0.0.1") else said.append(request.url),
    )
    yield page
    expected = "Failed to load resource: the server responded with a status of 4"
    assert [line for line in said if not line.startswith(expected) and not line.startswith("data:")] == []


@pytest.fixture
def without_javascript(new_context: Any) -> Page:
    """A page in a browser that runs no script."""
    context: BrowserContext = new_context(java_script_enabled=False)
    return context.new_page()
