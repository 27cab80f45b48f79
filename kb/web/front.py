"""Keeps finished pages in front of Django: a page that anybody may see is made once, then sent as bytes.

A view opts in with `Cache-Control: public`. Pages are kept per process and forgotten as soon as the content's
edition changes (looked up four times a second at most), or after a minute. Readers with a session always
reach Django.
"""

import gzip
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.db import Error, close_old_connections

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]
Edition = Callable[[], object]

POLL = 0.25  # seconds for which an edition is believed
LIFE = 60.0  # seconds that a page is kept at most
ROOM = 64_000_000  # bytes of pages kept per process
LARGEST = 1_000_000  # bytes of a page that is kept


@dataclass(frozen=True, slots=True)
class Page:
    """A finished answer, plain and compressed."""

    headers: tuple[tuple[str, str], ...]
    etag: str
    body: bytes
    packed: bytes
    until: float

    @property
    def size(self) -> int:
        return len(self.body) + len(self.packed)


class Front:
    """A WSGI application around another one. `edition()` says by any value which content is current."""

    def __init__(self, application: Application, edition: Edition) -> None:
        self.application = application
        self.edition = edition
        self.pages: OrderedDict[str, Page] = OrderedDict()
        self.size = 0
        self.current: object = None
        self.looked = 0.0

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        key = page_key(environ)
        if key is None:
            return self.application(environ, start)
        self.look()
        page = self.pages.get(key)
        if page is None or page.until < time.monotonic():
            return self.make(key, environ, start)
        return send(page, environ, start)

    def look(self) -> None:
        """Forgets all pages if the content changed, or if nobody can tell."""
        now = time.monotonic()
        if now - self.looked < POLL:
            return
        self.looked = now
        try:
            edition = self.edition()
        except (Error, OSError):
            edition = object()
        finally:
            close_old_connections()
        if edition != self.current:
            self.pages.clear()
            self.size = 0
            self.current = edition

    def make(self, key: str, environ: Environ, start: Start) -> Iterable[bytes]:
        """Asks Django, and keeps the answer if its view says that anybody may see it."""
        made: list[tuple[str, list[tuple[str, str]]]] = []
        edition = self.current

        def remember(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            made.append((status, headers))
            return None

        answer = self.application(environ, remember)
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        status, headers = made[0]
        page = keepable(status, headers, body)
        if page is None or edition != self.current:
            start(status, headers)
            return [body]
        self.keep(key, page)
        return send(page, environ, start)

    def keep(self, key: str, page: Page) -> None:
        """Adds a page and drops the oldest above ROOM."""
        self.pages[key] = page
        self.size += page.size
        while self.size > ROOM:
            try:
                _, oldest = self.pages.popitem(last=False)
            except KeyError:  # another thread has just emptied it
                self.size = 0
                return
            self.size -= oldest.size


def page_key(environ: Environ) -> str | None:
    """What tells pages apart, or None for a request that must reach Django."""
    if settings.CULPRIT_PRIVATE:
        return None
    if environ["REQUEST_METHOD"] != "GET" or "HTTP_HX_REQUEST" in environ:
        return None
    if (
        environ.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer "
    ):  # Django says whether the token is good
        return None
    if settings.SESSION_COOKIE_NAME in environ.get("HTTP_COOKIE", ""):
        return None
    if environ["PATH_INFO"].startswith(settings.STATIC_URL):
        return None
    parts = ("wsgi.url_scheme", "HTTP_X_FORWARDED_PROTO", "HTTP_HOST", "PATH_INFO", "QUERY_STRING")
    return "\0".join(environ.get(name, "") for name in parts)


def keepable(status: str, headers: list[tuple[str, str]], body: bytes) -> Page | None:
    """The page to keep, or None if the view didn't say so."""
    fields = {name.lower(): value for name, value in headers}
    public = "public" in fields.get("cache-control", "")
    if not status.startswith("200") or not public or "set-cookie" in fields or len(body) > LARGEST:
        return None
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    kept = tuple((name, value) for name, value in headers if name.lower() != "content-length")
    kept = (*kept, ("ETag", etag), ("Vary", "Accept-Encoding"))
    return Page(kept, etag, body, gzip.compress(body, 6, mtime=0), time.monotonic() + LIFE)


def send(page: Page, environ: Environ, start: Start) -> Iterable[bytes]:
    """The page as this reader's browser takes it, or 304 if it has it already."""
    if page.etag in environ.get("HTTP_IF_NONE_MATCH", ""):
        start("304 Not Modified", list(page.headers))
        return [b""]
    packed = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
    body = page.packed if packed else page.body
    headers = [*page.headers, ("Content-Length", str(len(body)))]
    start("200 OK", [*headers, ("Content-Encoding", "gzip")] if packed else headers)
    return [body]
