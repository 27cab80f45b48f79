"""What accepted reports do to a guide's page: counts, the order of its fixes, and at once."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from kb.evidence.edition import edition
from kb.evidence.models import State
from kb.evidence.summary import ROWS, matrix
from kb.guides import matching
from kb.guides.models import Guide, QuickFix
from kb.web.front import Front
from kb.wsgi import django_application
from tests.evidence import made

pytestmark = pytest.mark.django_db
GUIDE = "/errors/gate/coin/"


@pytest.fixture
def guide(library: Any) -> Guide:
    """The guide on coins."""
    return Guide.objects.select_related("tool").get(slug="coin")


def section(client: Client) -> str:
    """The HTML of what readers reported."""
    page = client.get(GUIDE).content.decode()
    found = re.search(r'<section aria-labelledby="reported">.*?</section>', page, re.DOTALL)
    assert found
    return found[0]


def words(html: str) -> str:
    """Its words, with single spaces."""
    return " ".join(strip_tags(html.replace("<", " <")).split())


def test_without_reports_it_says_so_and_how_to_report(guide: Guide, client: Client) -> None:
    made.report(guide)
    said = section(client)
    assert "Nobody has reported on this guide yet" in said
    assert f'href="{GUIDE}report/"' in said
    assert "<table" not in said


def test_it_counts_who_saw_the_same_and_who_did_not(guide: Guide, client: Client) -> None:
    for fits in ("same", "same", "different"):
        made.accepted(guide, fits=fits)
    said = words(section(client))
    assert "3 readers reported: 2 saw what the guide says, 1 something different." in said
    made.accepted(guide)
    assert "1 didn\u2019t compare" in words(section(client))
    assert f'href="{GUIDE}reports/"' in section(client)
    assert "All 4 reports" in section(client)


def test_versions_stand_newest_first_beside_the_deployments_that_occur(guide: Guide, client: Client) -> None:
    for version, deployment in (
        ("1.84.0", "docker"),
        ("1.108.7", "docker"),
        ("1.108.7", "kubernetes"),
        ("1.108.7", "kubernetes"),
        ("", "docker"),
        ("1.9", ""),
    ):
        made.accepted(guide, version=version, deployment=deployment)
    rows = [
        [words(cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>.*?</tr>", section(client), re.DOTALL)
    ]
    assert rows == [
        ["Version", "Docker", "Kubernetes", "not said", "All"],
        ["1.108.7", "1", "2", "0", "3"],
        ["1.84.0", "1", "0", "0", "1"],
        ["1.9", "0", "0", "1", "1"],
        ["not said", "1", "0", "0", "1"],
        ["All", "3", "2", "1", "6"],
    ]


def test_many_versions_share_a_row_and_none_is_lost() -> None:
    groups = [(f"1.{number}", "pip", "same", number + 1) for number in range(ROWS + 5)]
    shown = matrix(groups, {"docker": "Docker", "pip": "pip"})
    assert shown.columns == ("pip",)
    assert [row.title for row in shown.rows[:2]] == [f"1.{ROWS + 4}", f"1.{ROWS + 3}"]
    assert shown.rows[-1].title == "5 others"
    assert shown.sums == (sum(count for *_, count in groups),)


def test_a_fix_says_how_many_it_helped(guide: Guide, client: Client) -> None:
    made.accepted(guide, fix="raise-coin", helped="yes")
    few = "It helped 1 of 1 reader who reported: too few to say"
    assert words(client.get(GUIDE).content.decode()).count(few) == 2
    made.reports(guide, 6, fix="raise-coin", helped="yes")
    made.reports(guide, 2, fix="raise-coin", helped="no")
    guide.compose()
    page = words(client.get(GUIDE).content.decode())
    assert page.count("It helped 7 of 9 readers who reported") == 2
    assert "too few" not in page


def test_reports_on_a_fix_that_is_gone_are_still_counted_as_reports(guide: Guide, client: Client) -> None:
    made.accepted(guide, fix="an-older-fix", helped="yes", story="It was gone.")
    assert "1 reader reported" in words(section(client))
    assert "It was gone." in section(client)
    assert "Which fix helped" not in section(client)


def test_a_report_on_a_fix_that_is_gone_says_so_and_leads_nowhere(guide: Guide, client: Client) -> None:
    made.accepted(guide, fix="raise-coin", helped="yes")
    for page in (section(client), client.get(f"{GUIDE}reports/").content.decode()):
        assert "Raise the coin limit helped" in words(page)
    QuickFix.objects.filter(guide=guide).update(key="raise-more")
    guide.compose()
    for page in (section(client), client.get(f"{GUIDE}reports/?outcome=helped").content.decode()):
        assert "raise-coin (no longer in the guide) helped" in words(page)
        assert "#raise-coin" not in page


def test_fixes_stand_in_the_order_of_what_helped(guide: Guide, client: Client) -> None:
    second = made.second_fix(guide)
    made.accepted(guide, fix=second.key, helped="yes")
    assert order(client) == ["raise-coin", "wait"]
    made.reports(guide, 4, fix=second.key, helped="yes")
    guide.compose()
    assert order(client) == ["wait", "raise-coin"]
    first = client.post("/match/", {"text": "The coin is spent: 3 of 2"})
    assert first.context["fix"].key == "wait"
    assert "It helped 5 of 5 readers" in words(first.content.decode())


def order(client: Client) -> list[str]:
    """The fixes of the guide as its page has them."""
    page = client.get(GUIDE).content.decode()
    return re.findall(r'<h3 id="(raise-coin|wait)"', page)


def test_the_newest_five_are_shown_as_plain_text(guide: Guide, client: Client) -> None:
    now = timezone.now()
    for age in range(7):
        story = f"Story {age} <script>alert(1)</script> **loud** " + "x" * 400
        made.accepted(guide, story=story, created=now - timedelta(days=age))
    said = section(client)
    assert [int(number) for number in re.findall(r"Story (\d)", said)] == [0, 1, 2, 3, 4]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; **loud**" in said
    assert "x" * 301 not in said


def test_a_report_is_shown_with_its_facts_and_without_its_key(guide: Guide, client: Client) -> None:
    found = made.accepted(
        guide,
        version="1.84.0", deployment="docker", pods="2-5", store="postgresql", cache="redis_cluster",
        fits="different", link="https://threads.example/7", text="the error itself", by=made.reviewer(),
    )  # fmt: skip
    said = section(client)
    for fact in ("Gate 1.84.0", "Docker", "2 to 5", "PostgreSQL", "Redis Cluster or Sentinel", "differently"):
        assert fact in words(said), fact
    assert '<a href="https://threads.example/7" rel="nofollow ugc noopener">' in said
    for hidden in (found.id, found.form, "rita"):
        assert hidden not in client.get(GUIDE).content.decode()
        assert hidden not in client.get(f"{GUIDE}reports/").content.decode()


def test_a_page_takes_one_query_and_composing_a_fixed_number(guide: Guide, client: Client) -> None:
    def taken(do: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as queries:
            do()
        return len(queries)

    guide.compose()
    none = taken(guide.compose)
    for number in range(40):
        made.reports(guide, 5, version=f"1.{number}", fix="raise-coin", helped="yes", fits="same")
    assert taken(guide.compose) == none
    assert taken(lambda: client.get(GUIDE)) == 1
    assert "200 readers reported" in words(section(client))


def test_a_decision_is_no_news_of_the_content(guide: Guide) -> None:
    before = Guide.objects.get(pk=guide.pk)
    ruleset = matching.edition()
    made.accepted(guide)
    after = Guide.objects.get(pk=guide.pk)
    assert after.page_html != before.page_html
    assert after.updated == before.updated
    assert matching.edition() == ruleset


@pytest.fixture
def fronts(guide: Guide, monkeypatch: pytest.MonkeyPatch) -> list[Front]:
    """Two workers of one site, both with pages of their own."""
    monkeypatch.setattr("kb.web.front.close_old_connections", lambda: None)
    return [Front(django_application, edition) for _ in range(2)]


@contextmanager
def one_connection() -> Iterator[None]:
    """Requests within the block stay on the connection that holds this test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def get(front: Front, path: str) -> bytes:
    """The body of a GET at a worker that has just looked whether anything changed."""
    front.looked = 0.0
    environ = RequestFactory().get(path).environ | {"SERVER_NAME": "localhost", "HTTP_HOST": "localhost"}
    with one_connection():
        return b"".join(front(environ, lambda *_: None))


@pytest.mark.parametrize("path", [GUIDE, f"{GUIDE}reports/"])
def test_a_decision_shows_at_every_worker_and_so_does_taking_it_back(
    fronts: list[Front], guide: Guide, path: str
) -> None:
    assert [b"quokka" in get(front, path) for front in fronts] == [False, False]
    found = made.accepted(guide, story="A quokka did it.")
    assert [b"quokka" in get(front, path) for front in fronts] == [True, True]
    made.decide(found, State.PENDING)
    assert [b"quokka" in get(front, path) for front in fronts] == [False, False]


def test_a_report_that_is_deleted_is_gone_at_every_worker(
    fronts: list[Front], guide: Guide, admin_client: Client
) -> None:
    found = made.accepted(guide, story="A quokka did it.")
    made.accepted(guide, story="A wombat did it.")
    assert [b"quokka" in get(front, GUIDE) for front in fronts] == [True, True]
    admin_client.post(f"/admin/evidence/evidencereport/{found.pk}/delete/", {"post": "yes"})
    assert [b"quokka" in get(front, GUIDE) for front in fronts] == [False, False]
    assert b"wombat" in get(fronts[0], GUIDE)


def test_pages_are_kept_as_long_as_nothing_is_decided(fronts: list[Front], guide: Guide) -> None:
    made.report(guide)
    get(fronts[0], GUIDE)
    kept = fronts[0].pages
    first = next(iter(kept.values()))
    made.report(guide)
    get(fronts[0], GUIDE)
    assert next(iter(kept.values())) is first
