"""A real identity provider for the tests: a second Django project, run as a process on loopback."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[3]
CLIENT = "culprit-tests"
SECRET = "not-a-secret-of-anybody-but-these-tests"
PASSWORD = "what the company asks for"


@dataclass(frozen=True, slots=True)
class Provider:
    """A running provider. `issuer` is what OIDC_ISSUER is set to."""

    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.address}/o"

    def know(self, name: str, groups: list[str], email: str = "") -> None:
        """Makes a person, or changes their groups and address."""
        given = {"name": name, "password": PASSWORD, "groups": groups, "email": email}
        requests.post(f"{self.address}/people/", json=given, timeout=10).raise_for_status()

    def let_in(self, url: str, name: str, back: str) -> str:
        """Follows the way from `url` as a browser would, signing in as `name`; where it leads back to."""
        with requests.Session() as browser:
            for _ in range(8):
                if url.startswith(back):
                    return url
                answer = browser.get(url, allow_redirects=False, timeout=10)
                if answer.status_code == 200:
                    form = {"username": name, "password": PASSWORD}
                    form["csrfmiddlewaretoken"] = browser.cookies["csrftoken"]
                    answer = browser.post(answer.url, data=form, allow_redirects=False, timeout=10)
                assert answer.status_code == 302, answer.text
                url = requests.compat.urljoin(answer.url, answer.headers["Location"])
        raise AssertionError(f"the provider leads nowhere: {url}")


@contextmanager
def running(*redirects: str) -> Iterator[Provider]:
    """A provider that leads back to these addresses, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="provider-") as folder:
        told = {
            "PROVIDER_FOLDER": folder,
            "PROVIDER_PORT": str(port),
            "PROVIDER_REDIRECTS": " ".join(redirects),
            "DJANGO_SETTINGS_MODULE": "tests.team.provider.settings",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.team.provider"], cwd=ROOT, env={**os.environ, **told}
        )
        try:
            wait_for(port, process)
            yield Provider(port)
        finally:
            process.terminate()
            process.wait(timeout=20)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Until the provider answers; a minute at most."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        try:
            client.request("GET", "/o/.well-known/openid-configuration")
            if client.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            client.close()
    raise AssertionError("the identity provider did not start")
