"""Loads and publishing beside reports and decisions that aren't finished yet: locks of PostgreSQL."""

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.test import Client

from kb.evidence.models import State
from kb.evidence.receiving import wait_for_turn
from kb.guides.loading import load
from kb.guides.models import Guide, Tool
from kb.team import editing
from kb.team.models import Draft
from tests.evidence import made
from tests.guides import files
from tests.guides.test_admin import form_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer"),
]
TOKEN = files.guide("token").replace('synonyms = ["token money"]', 'related = ["coin"]')


@pytest.fixture
def neighbours(shelf: Path) -> Path:
    """The small library, where the page of `token` shows `coin`; its folder."""
    files.write(shelf, coin=files.guide("coin"), token=TOKEN)
    load(shelf)
    return shelf


def beside(begin: Callable[[], Any], change: Callable[[], Any], finish: Callable[[], Any]) -> Any:
    """Begins a transaction, runs `change` on a connection of its own until it is done or waits for that
    transaction, then finishes it. What `change` gave or raised."""
    results: list[Any] = []

    def work() -> None:
        try:
            results.append(change())
        except Exception as error:
            results.append(error)
        finally:
            connections.close_all()

    thread = Thread(target=work)
    try:
        with transaction.atomic():
            begin()
            thread.start()
            while thread.is_alive() and not waits_for_me():
                time.sleep(0.01)
            finish()
    finally:
        thread.join()
    return results[0]


def waits_for_me() -> bool:
    """Whether another connection waits for what this one has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        return cursor.fetchone() is not None


def change_of_file(folder: Path) -> Callable[[], Any]:
    """Loads a new title of `coin`."""
    files.write(folder, coin=files.guide("coin", title="Out of coins"), token=TOKEN)
    return lambda: load(folder)


def change_in_browser(folder: Path) -> Callable[[], Any]:
    """Publishes a new title of `coin`."""
    guide = Guide.objects.select_related("tool").get(slug="coin")
    boss = User.objects.create_superuser("boss")
    text = files.guide("coin", title="Out of coins")
    draft = Draft.objects.create(
        tool=guide.tool, guide=guide, slug="coin", by=boss, base=guide.text, text=text, why="Shorter"
    )
    return lambda: editing.publish(draft, boss, draft.revision, guide.text)


def change_in_admin(folder: Path) -> Callable[[], Any]:
    """Gives the tool another name, which stands on all pages of its guides."""
    change_of_file(folder)()
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss"))
    url = f"/admin/guides/tool/{Tool.objects.get(slug='gate').pk}/change/"
    data = form_of(boss, url) | {"name": "Gatehouse", "marks": "gatelib"}
    return lambda: boss.post(url, data)


WAYS = pytest.mark.parametrize("way", [change_of_file, change_in_browser, change_in_admin])


@WAYS
def test_a_report_is_kept_and_a_change_is_made_at_the_same_moment(
    neighbours: Path, way: Callable[[Path], Callable[[], Any]]
) -> None:
    guide = Guide.objects.select_related("tool").get(slug="coin")
    outcome = beside(
        lambda: wait_for_turn({"guide": guide, "tool": guide.tool}),
        way(neighbours),
        lambda: made.report(guide),
    )
    assert not isinstance(outcome, Exception), outcome
    assert guide.reports.count() == 1
    assert Guide.objects.get(slug="coin").title == "Out of coins"


@WAYS
def test_a_decision_stays_on_a_page_that_is_composed_for_its_neighbour(
    neighbours: Path, way: Callable[[Path], Callable[[], Any]]
) -> None:
    token = Guide.objects.select_related("tool").get(slug="token")
    report = made.report(token, story="Seen on Mondays.")
    made.reviewer()
    outcome = beside(lambda: made.decide(report, State.ACCEPTED), way(neighbours), lambda: None)
    assert not isinstance(outcome, Exception), outcome
    page = Guide.objects.get(slug="token").page_html
    assert "Seen on Mondays." in page
    assert "Out of coins" in page
