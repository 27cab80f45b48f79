"""Pages in front of Django: the same bytes, fresh after a change, never somebody else's."""

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import OperationalError, close_old_connections
from django.test import RequestFactory

from kb.guides.loading import load
from kb.guides.matching import edition
from kb.web.front import Front
from kb.wsgi import django_application
from tests.guides import files

pytestmark = pytest.mark.django_db


class Counting:
    """Django, with a count of what reached it."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.asked += 1
        return django_application(environ, start)


def get(front: Front, path: str, **headers: str) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body of a GET through the front."""
    environ = RequestFactory(headers=headers).get(path).environ
    environ["SERVER_NAME"] = environ["HTTP_HOST"] = "localhost"
    got: list[Any] = []
    body = b"".join(front(environ, lambda status, fields, *rest: got.append((status, dict(fields)))))
    return got[0][0], got[0][1], body


@pytest.fixture
def front(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """A front whose requests stay on the connection that holds this test's transaction."""
    monkeypatch.setattr("kb.web.front.close_old_connections", lambda: None)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield Front(Counting(), edition)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def asked(front: Front) -> int:
    """How many requests reached Django."""
    assert isinstance(front.application, Counting)
    return front.application.asked


GUIDE = "/errors/gate/coin/"


def test_a_page_is_made_once_and_then_sent_as_it_was(front: Front) -> None:
    first = get(front, GUIDE)
    again = get(front, GUIDE)
    assert asked(front) == 1
    assert again == first
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "ETag", "Cache-Control"):
        assert again[1][name]


def test_the_compressed_page_is_the_same_page(front: Front) -> None:
    plain = get(front, GUIDE)[2]
    _, headers, packed = get(front, GUIDE, **{"Accept-Encoding": "gzip, br"})
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert int(headers["Content-Length"]) == len(packed)


def test_a_browser_that_has_the_page_gets_304(front: Front) -> None:
    etag = get(front, GUIDE)[1]["ETag"]
    status, _, body = get(front, GUIDE, **{"If-None-Match": etag})
    assert (status, body) == ("304 Not Modified", b"")
    assert get(front, GUIDE, **{"If-None-Match": '"other"'})[0] == "200 OK"


def test_a_change_of_content_is_seen_at_once(front: Front, library: Path) -> None:
    assert b"Out of coins" not in get(front, GUIDE)[2]
    files.write(library, coin=files.guide("coin", title="Out of coins"), token=files.guide("token"))
    load(library)
    front.looked = 0.0
    assert b"Out of coins" in get(front, GUIDE)[2]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (GUIDE, {"Cookie": "sessionid=abc"}),
        ("/search/?q=coin", {}),
        ("/errors/gate/nowhere/", {}),
        ("/errors/?hop=nonsense", {}),
        ("/match/", {}),
        ("/healthz", {}),
        (GUIDE, {"HX-Request": "true"}),
    ],
)
def test_what_is_not_for_everybody_reaches_django(front: Front, path: str, headers: dict[str, str]) -> None:
    get(front, path, **headers)
    get(front, path, **headers)
    assert asked(front) == 2


def test_pages_of_other_queries_and_hosts_are_other_pages(front: Front) -> None:
    assert get(front, "/errors/?q=coin")[2] != get(front, "/errors/?q=token")[2]
    assert asked(front) == 2


def test_the_oldest_pages_go_when_there_is_no_room(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.web.front.ROOM", 1)
    get(front, GUIDE)
    get(front, GUIDE)
    assert asked(front) == 2
    assert front.size == 0


def test_without_a_database_nothing_old_is_sent(front: Front) -> None:
    get(front, GUIDE)

    def away() -> object:
        raise OperationalError("away")

    front.edition, front.looked = away, 0.0
    get(front, GUIDE)
    assert asked(front) == 2
