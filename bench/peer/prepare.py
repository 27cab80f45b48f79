"""Fills the Wagtail peer: `python -m bench.peer.prepare SIZE` prints the path of a page of SIZE bytes."""

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.peer.models import GuidePage
    from bench.words import Writer

PAGES = 50
FRAME, BLOCK = 600, 55  # bytes that the template adds to a page and to a block


def main(size: int) -> None:
    """Makes the tables and the pages; prints the path, the bytes and the queries of one page."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peer.settings")
    import django

    from bench.peer.settings import FOLDER

    (FOLDER / "peer_migrations").mkdir()
    (FOLDER / "peer_migrations" / "__init__.py").touch()
    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    call_command("makemigrations", "peer", verbosity=0)
    call_command("migrate", interactive=False, verbosity=0)
    path = fill(size)
    client = Client(headers={"host": "127.0.0.1"})
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(path)
    print(json.dumps({"path": path, "bytes": len(page.content), "queries": len(queries)}))


def fill(size: int) -> str:
    """A home page, a few pages in the menu, and guides: as flat a tree as there can be."""
    from wagtail.models import Page, Site

    from bench.peer.models import GuidePage
    from bench.words import Writer

    writer = Writer(4)
    root = Page.objects.get(depth=1)
    home = root.add_child(instance=GuidePage(title="Home", slug="peer", show_in_menus=True))
    Site.objects.update(root_page=home, hostname="127.0.0.1")
    for name in ("Guides", "Categories", "About"):
        home.add_child(instance=GuidePage(title=name, slug=name.lower(), show_in_menus=True))
    for place in range(PAGES):
        home.add_child(instance=guide(writer, place, size))
    return f"/guide-{PAGES // 2}/"


def guide(writer: "Writer", place: int, size: int) -> "GuidePage":
    """A page whose blocks together fill `size` bytes."""
    from bench.peer.models import GuidePage

    body: list[tuple[str, str]] = []
    while size - FRAME > sum(len(value) + BLOCK for _, value in body):
        body += [
            ("heading", writer.phrase().capitalize()),
            ("text", f"<p>{' '.join(writer.words(90))} <b>{writer.phrase()}</b></p>"),
            ("code", "\n".join(writer.router() for _ in range(4))),
        ]
    return GuidePage(
        title=f"Guide {place}", slug=f"guide-{place}", summary=f"<p>{writer.phrase()}</p>", body=body
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
