"""How much of a release is answered: counted by a load, shown by release and area."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import QuerySet
from django.test import Client

from kb.guides import coverage
from kb.guides.loading import publish
from kb.guides.models import Coverage, Guide, Tool
from kb.guides.releases import table
from kb.guides.releases.scanning import scan
from kb.guides.shelf import tool_source
from kb.guides.source import parse
from kb.notices.tasks import sweep
from tests.guides import files

CODE = {
    "gate/proxy/auth/check.py": """
def check(cost, limit):
    raise HTTPException(status_code=400, detail=f"The coin is spent: {cost} of {limit}")

def again(cost, limit):
    raise HTTPException(status_code=400, detail=f"The token is spent: {cost} of {limit}")

def look(name):
    raise ValueError(f"Nobody knows the name {name} <here>")
""",
    "litellm/llms/bank/chat.py": """
def open():
    raise ValueError("The bank is shut on Sundays")
""",
}
MORE = CODE | {
    "gate/proxy/hooks/fresh.py": "def new():\n    raise ValueError('A door that was not there before')\n"
}


@pytest.fixture
def counted(db: None, tmp_path: Path, settings: Any) -> Path:
    """A library whose two releases were read and counted."""
    settings.CONTENT_DIR = files.two(tmp_path)
    scans = {
        version: scan({path: text.encode() for path, text in code.items()})
        for version, code in {"1.0": CODE, "2.0": MORE}.items()
    }
    (tmp_path / "gate" / table.NAME).write_text(table.written(table.made(scans, ["1.0", "2.0"])))
    call_command("load_content", verbosity=0)
    return tmp_path


def row(version: str, area: str) -> Coverage:
    return Coverage.objects.get(version=version, area=area)


def test_errors_are_counted_by_release_and_area(counted: Path) -> None:
    auth = row("1.0", "sdk")
    assert (auth.errors, auth.answered, auth.general, auth.unknown) == (3, 2, 0, 1)
    assert auth.guides == {"coin": 1, "token": 1}
    assert auth.texts == [
        ["gate/proxy/auth/check.py", "look", "ValueError", 0, "Nobody knows the name {name} <here>"]
    ]
    assert row("1.0", "llms/bank").unknown == 1
    assert row("2.0", "sdk").errors == 4


def test_a_text_that_only_a_general_signature_recognises_is_counted_apart(counted: Path) -> None:
    file = counted / "gate" / "coin.md"
    file.write_text(file.read_text().replace('id = "plain"', 'id = "plain"\ngeneral = true'))
    call_command("load_content", verbosity=0)
    assert (row("1.0", "sdk").answered, row("1.0", "sdk").general) == (1, 1)


def test_nothing_is_counted_twice_for_the_same_guides_and_releases(counted: Path) -> None:
    assert coverage.renew() == []
    (counted / "gate" / table.NAME).write_text("releases a=1.0\n")
    assert coverage.renew() == ["gate"]
    assert not Coverage.objects.exists()


def test_what_was_published_in_the_browser_is_counted_by_the_worker(counted: Path) -> None:
    guide = Guide.objects.select_related("tool").get(slug="coin")
    text = guide.text.replace('all_of = ["The coin is spent:"]', 'all_of = ["Nobody knows the name"]')
    publish(tool_source(guide.tool), guide, parse(text, "coin", "coin"), None, "Another error")
    sweep()
    assert [found[1] for found in row("1.0", "sdk").texts] == ["check"]


def test_the_page_shows_the_newest_release_and_leads_to_the_others(counted: Path, client: Client) -> None:
    shown = client.get("/coverage/gate/").content.decode()
    assert "Gate 2.0: 2 of 5 errors have a guide" in shown
    assert "?version=1.0" in shown
    assert "Connections to providers" in shown
    assert "area=llms/bank" in shown
    assert (
        "Gate 1.0: 2 of 4 errors have a guide" in client.get("/coverage/gate/?version=1.0").content.decode()
    )


def test_an_area_names_its_guides_and_what_nobody_answers(counted: Path, client: Client) -> None:
    shown = client.get("/coverage/gate/?version=1.0&area=sdk").content.decode()
    assert Guide.objects.get(slug="coin").get_absolute_url() in shown
    assert "1 that no guide recognises" in shown
    assert "&lt;here&gt;" in shown
    assert "<code>gate/proxy/auth/check.py</code>" in shown


def test_a_long_list_is_paged(counted: Path, client: Client) -> None:
    texts = [["a.py", "f", "ValueError", 0, f"Odd thing {n} happened"] for n in range(150)]
    Coverage.objects.filter(version="2.0", area="sdk").update(errors=150, answered=0, general=0, texts=texts)
    first = client.get("/coverage/gate/?version=2.0&area=sdk").content.decode()
    assert "Odd thing 99 happened" in first
    assert "Odd thing 100 happened" not in first
    second = client.get("/coverage/gate/?version=2.0&area=sdk&page=2").content.decode()
    assert "Odd thing 100 happened" in second


@pytest.mark.parametrize("query", ["?version=9.9", "?version=1.0&area=nowhere", "?area=<b>", "?area=%00"])
def test_what_was_not_counted_is_not_found(counted: Path, client: Client, query: str) -> None:
    assert client.get(f"/coverage/gate/{query}").status_code == 404


def test_a_tool_whose_releases_were_not_read_says_so(library: Path, client: Client) -> None:
    assert "No release of Gate was read yet" in client.get("/coverage/gate/").content.decode()
    assert client.get("/coverage/none/").status_code == 404


def test_the_list_of_guides_leads_there(counted: Path, client: Client) -> None:
    assert 'href="/coverage/gate/"' in client.get("/errors/").content.decode()


def test_a_text_that_the_newest_release_no_longer_prints_says_so(counted: Path, client: Client) -> None:
    file = counted / "gate" / "coin.md"
    file.write_text(file.read_text().replace('versions = ["1.0", "2.0"]', 'versions = ["1.0"]'))
    scans = {"1.0": scan({"a.py": CODE["gate/proxy/auth/check.py"].encode()}), "2.0": []}
    made = table.made(scans, ["1.0", "2.0"])
    (counted / "gate" / table.NAME).write_text(table.written(made))
    call_command("load_content", verbosity=0)
    assert "no longer printed by 2.0" in client.get("/errors/gate/coin/").content.decode()
    assert "no longer printed" not in client.get("/errors/gate/token/").content.decode()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
@pytest.mark.django_db(transaction=True)
def test_two_loads_at_once_both_count(counted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, together = Tool.objects.get(), Barrier(2)
    create = QuerySet.bulk_create

    def after_the_other(*args: Any, **kwargs: Any) -> Any:
        with suppress(BrokenBarrierError):
            together.wait(0.5)  # until both have deleted what there was, if they are let so far
        return create(*args, **kwargs)

    def keep(stamp: str) -> None:
        try:
            coverage.keep(gate, {("1.0", "sdk"): coverage.Area(errors=1)}, {}, stamp)
        finally:
            connection.close()

    monkeypatch.setattr(QuerySet, "bulk_create", after_the_other)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(keep, ("one", "other")))
    assert row("1.0", "sdk").errors == 1
