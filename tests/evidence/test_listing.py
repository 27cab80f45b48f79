"""The public list of a guide's reports: filtered by the URL, paged, and nothing unreviewed anywhere."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from kb.evidence.models import Draft, State
from kb.guides.loading import load
from kb.guides.models import Guide
from tests.evidence import made

pytestmark = pytest.mark.django_db
LIST = "/errors/gate/coin/reports/"


@pytest.fixture
def guide(library: Any) -> Guide:
    """The guide on coins."""
    return Guide.objects.select_related("tool").get(slug="coin")


def stories(client: Client, query: str = "") -> list[str]:
    """The reports that the list shows."""
    return re.findall(r'<p class="story"[^>]*>([^<]*)</p>', client.get(LIST + query).content.decode())


def test_it_shows_accepted_reports_whole_and_newest_first(guide: Guide, client: Client) -> None:
    now = timezone.now()
    made.accepted(
        guide, story="old " * 200, created=now - timedelta(days=3), text="The coin is spent: 3 of 2"
    )
    made.accepted(guide, story="new", created=now)
    made.accepted(Guide.objects.get(slug="token"), story="elsewhere")
    shown = stories(client)
    assert [story.split()[0] for story in shown] == ["new", "old"]
    assert shown[1].count("old") == 200
    assert b"The coin is spent: 3 of 2" in client.get(LIST).content


def test_what_readers_wrote_is_plain_text(guide: Guide, client: Client) -> None:
    made.accepted(guide, story="<img src=x> [a](javascript:b)", text="<script>c</script>", version="<b>")
    page = client.get(LIST).content.decode()
    assert "&lt;img src=x&gt; [a](javascript:b)" in page
    assert "&lt;script&gt;c&lt;/script&gt;" in page
    assert "<img src=x" not in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"a", "b", "c", "d"}),
        ("?version=2.0", {"b", "c"}),
        ("?version=-", {"d"}),
        ("?outcome=same", {"a", "b"}),
        ("?outcome=different", {"c"}),
        ("?outcome=helped", {"b"}),
        ("?outcome=failed", {"d"}),
        ("?version=2.0&outcome=same", {"b"}),
        ("?version=1.0&outcome=different", set()),
    ],
)
def test_filters_stand_in_the_url(query: str, found: set[str], guide: Guide, client: Client) -> None:
    made.accepted(guide, story="a", version="1.0", fits="same")
    made.accepted(guide, story="b", version="2.0", fits="same", fix="raise-coin", helped="yes")
    made.accepted(guide, story="c", version="2.0", fits="different")
    made.accepted(guide, story="d", fix="raise-coin", helped="no")
    assert set(stories(client, query)) == found


def test_a_filter_that_makes_no_sense_is_named(guide: Guide, client: Client) -> None:
    made.accepted(guide, version="1.0")
    answer = client.get(LIST, {"version": "9.9<b>"})
    assert answer.status_code == 400
    assert (
        "No report here has the version “9.9&lt;b&gt;”. Choose one from the list." in answer.content.decode()
    )


def test_a_long_list_is_paged_and_keeps_its_filters(guide: Guide, client: Client) -> None:
    made.reports(guide, 45, version="1.0")
    assert len(stories(client)) == 20
    assert len(stories(client, "?version=1.0&page=3")) == 5
    assert "?version=1.0&amp;page=2" in client.get(LIST, {"version": "1.0"}).content.decode()
    for number in ("0", "-1", "99", "x"):
        assert client.get(LIST, {"page": number}).status_code == 200


def test_a_list_without_reports_and_of_an_unknown_guide(guide: Guide, client: Client) -> None:
    assert "Nobody has reported yet" in client.get(LIST).content.decode()
    assert client.get("/errors/gate/nowhere/reports/").status_code == 404
    assert client.post(LIST).status_code == 405


def test_anybody_may_keep_the_list_and_it_sets_no_cookie(guide: Guide, client: Client) -> None:
    answer = client.get(LIST)
    assert "public" in answer["Cache-Control"]
    assert not answer.cookies


def test_a_retired_guide_keeps_its_reports(guide: Guide, client: Client, library: Path) -> None:
    made.accepted(guide, story="still here")
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    load(library)
    assert stories(client) == ["still here"]
    assert b"still here" in client.get("/errors/gate/coin/").content


# Nothing unreviewed is public

CANARY = "platypus{}"
WORDS = ("version", "text", "story", "link")


def hidden_reports(guide: Guide) -> None:
    """A report with canaries in every field for each state that isn't public, and a draft."""
    for number, way in enumerate(
        ([], [State.REJECTED], [State.ACCEPTED, State.SUPERSEDED], [State.ACCEPTED, State.PENDING])
    ):
        word = CANARY.format(number)
        fields = dict.fromkeys(WORDS, word) | {"link": f"https://{word}.example/"}
        found = made.report(guide, fix="raise-coin", helped="no", fits="different", **fields)
        for state in way:
            made.decide(found, state, f"{word} reason")
    Draft.objects.create(guide=guide, fields={"story": CANARY.format(9)})


def crawl(client: Client, start: list[str]) -> dict[str, str]:
    """Every page that links lead to from `start`, as an anonymous reader gets it."""
    seen: dict[str, str] = {}
    waiting = list(start)
    while waiting:
        url = waiting.pop().partition("#")[0]
        if url in seen or not url.startswith("/") or url.startswith(("/admin", "/static")):
            continue
        answer = client.get(url, follow=True)
        seen[url] = answer.content.decode() if not answer.streaming else ""
        waiting += [link.replace("&amp;", "&") for link in re.findall(r'href="(/[^"]*)"', seen[url])]
        waiting += [url.partition("?")[0] + link for link in re.findall(r'href="(\?[^"]*)"', seen[url])]
    return seen


def test_nothing_unreviewed_is_on_any_page(guide: Guide, client: Client) -> None:
    hidden_reports(guide)
    made.accepted(guide, story="a wombat, reviewed", version="1.0")
    queries = [f"{LIST}?outcome={word}" for word in ("different", "failed")]
    asked = [f"/search/?q={CANARY.format(number)}" for number in range(4)]
    pages = crawl(client, ["/", "/errors/", "/match/", LIST, *queries, *asked, "/feed.atom", "/sitemap.xml"])
    assert {"/", "/errors/gate/coin/", LIST, "/categories/quota-rate/"} <= set(pages)
    assert "wombat" in pages["/errors/gate/coin/"]
    assert "wombat" in pages[LIST]
    matched = client.post("/match/", {"text": "The coin is spent: 3 of 2"}).content.decode()
    for url, page in (pages | {"the match": matched}).items():
        if url not in asked:
            assert "platypus" not in page, url
    for url in asked:
        assert "No guide has these words" in pages[url]


def test_what_is_hidden_counts_nowhere(guide: Guide, client: Client) -> None:
    before = client.get("/errors/gate/coin/").content
    hidden_reports(guide)
    assert client.get("/errors/gate/coin/").content == before
    assert stories(client) == []
    assert client.get(LIST, {"version": CANARY.format(0)}).status_code == 400


def test_no_report_is_in_the_search_index(guide: Guide) -> None:
    hidden_reports(guide)
    made.accepted(guide, story="a wombat, reviewed")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM guides_search")
        rows = str(cursor.fetchall())
    assert "coin" in rows
    assert "platypus" not in rows
    assert "wombat" not in rows
