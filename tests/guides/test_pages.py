"""The library's pages as a reader meets them."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.utils.html import strip_tags
from pytest_django import DjangoAssertNumQueries

from kb.guides.contents import chain
from kb.guides.loading import load
from kb.guides.models import Guide
from kb.guides.vocabulary import Hop
from kb.web import markdown
from tests.guides import files

pytestmark = pytest.mark.django_db


def test_home_shows_the_paste_box_and_what_is_new(library: Path, client: Client) -> None:
    page = client.get("/").content.decode()
    assert 'action="/match/"' in page
    assert "<textarea" in page
    assert "/errors/gate/coin/" in page


def test_home_shows_what_is_met_most_once_something_was_met(library: Path, client: Client) -> None:
    client.post("/match/", {"text": "The token is spent: 1 of 1"})
    assert Guide.objects.get(slug="token").met == 1
    page = client.get("/").content.decode()
    assert "met most" in page.lower()


def test_the_list_is_filtered_by_what_stands_in_the_url(library: Path, client: Client) -> None:
    other = files.guide("token").replace('hop = "budget"', 'hop = "limit"')
    other = other.replace('versions = ["1.0", "2.0"]', 'versions = ["2.0"]')
    files.write(library, coin=files.guide("coin"), token=other)
    load(library)
    for query, found in (
        ("", {"coin", "token"}),
        ("?hop=budget", {"coin"}),
        ("?hop=limit", {"token"}),
        ("?version=1.0", {"coin"}),
        ("?version=2.0", {"coin", "token"}),
        ("?category=quota_rate&tool=gate", {"coin", "token"}),
        ("?category=local_runtime", set()),
        ("?q=token+spent", {"token"}),
        ("?q=token&hop=budget", set()),
    ):
        answer = client.get(f"/errors/{query}")
        assert {guide.slug for guide in answer.context["page"]} == found, query


def test_the_front_page_starts_only_where_some_guide_says_that_calls_break(
    library: Path, client: Client
) -> None:
    page = client.get("/").content.decode()
    assert "/errors/?hop=budget" in page
    assert "?hop=tls" not in page


def test_the_address_above_a_guides_own_leads_to_the_guides_of_its_tool(
    library: Path, client: Client
) -> None:
    answer = client.get("/errors/gate/", follow=True)
    assert answer.redirect_chain == [("/errors/?tool=gate", 302)]
    assert {guide.slug for guide in answer.context["page"]} == {"coin", "token"}
    assert client.get("/errors/none/").status_code == 404


def test_an_unknown_filter_is_named_and_kept(library: Path, client: Client) -> None:
    answer = client.get("/errors/", {"hop": "purse", "q": "typed text"})
    assert answer.status_code == 400
    page = answer.content.decode()
    assert "There is no hop “purse”" in page
    assert "typed text" in page


def test_a_page_number_that_makes_no_sense_shows_a_page(library: Path, client: Client) -> None:
    for number in ("0", "-1", "999", "x", "1e9"):
        assert client.get("/errors/", {"page": number}).status_code == 200


def test_a_category_lists_its_guides(library: Path, client: Client) -> None:
    page = client.get("/categories/quota-rate/").content.decode()
    assert "/errors/gate/coin/" in page
    assert "Quota and rate" in page
    assert client.get("/categories/money/").status_code == 404


REVIEW = "[review]\nread = 2026-11-25\nstatements = 41\ncorrected = 3\ncommands = 1\n\n[[message]]"


def plain(html: str) -> str:
    """The words of a page."""
    return " ".join(strip_tags(html).split())


def test_a_guide_says_how_it_was_verified_and_by_a_second_reader(library: Path, client: Client) -> None:
    alone = plain(client.get("/errors/gate/coin/").content.decode())
    assert "last verified 24 November 2026 against lab runs, source code" in alone
    assert "second reader" not in alone
    files.write(
        library, coin=files.guide("coin").replace("[[message]]", REVIEW, 1), token=files.guide("token")
    )
    load(library)
    read = plain(client.get("/errors/gate/coin/").content.decode())
    assert "second reader 25 November 2026: 41 statements and 1 command checked, 3 corrected" in read
    none = files.guide("coin").replace("[[message]]", REVIEW.replace("= 3", "= 0"), 1)
    files.write(library, coin=none, token=files.guide("token"))
    load(library)
    assert "1 command checked, none corrected" in plain(client.get("/errors/gate/coin/").content.decode())


def test_a_guide_page_has_all_that_a_reader_needs(library: Path, client: Client) -> None:
    page = client.get("/errors/gate/coin/").content.decode()
    for section in (
        "What it means", "Why it happens", "Causes", "Quick fixes", "Platform checks", "Step by step",
        "Prevention", "FAQ", "Sources checked", "What readers reported",
    ):  # fmt: skip
        assert section in page, section
    assert "The key of coin is spent." in page
    assert "Proxy admin" in page
    assert "does not help" in page
    for anchor in ("message", "means", "causes", "raise-coin", "retry-coin", "sources", "reported"):
        assert f'id="{anchor}"' in page, anchor
        assert f'href="#{anchor}"' in page, anchor


def test_chips_carry_their_sources_number_for_print(library: Path, client: Client) -> None:
    page = client.get("/errors/gate/coin/").text
    listed = re.findall(r'<li id="source-([^"]+)">', page)
    assert listed == ["code-coin", "lab-coin"]
    chips = re.findall(r'<a [^>]*class="chip"[^>]*>', page)
    numbers = [re.findall(r'href="#source-([^"]+)" data-number="(\d+)"', chip) for chip in chips]
    assert len(chips) > 5
    assert {key: number for ((key, number),) in numbers} == {"code-coin": "1", "lab-coin": "2"}


def test_braces_are_explained_only_where_a_message_has_some(library: Path, client: Client) -> None:
    whole = files.guide("token").replace("is spent: {cost} of {limit}'", "is spent: all of it'")
    files.write(library, coin=files.guide("coin"), token=whole)
    load(library)
    assert "<var>{braces}</var>" in client.get("/errors/gate/coin/").text
    assert "<var>{braces}</var>" not in client.get("/errors/gate/token/").text


def test_the_chain_of_hops_marks_the_broken_one(library: Path, client: Client) -> None:
    links = chain(Hop.BUDGET)
    assert [link.hop for link in links if link.state == "broken"] == ["budget"]
    assert [link.hop for link in links if link.state == "passed"][-1] == "key"
    assert "breaks here" in client.get("/errors/gate/coin/").content.decode()


def test_a_guide_page_renders_no_markdown_and_asks_five_queries_at_most(
    library: Path,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    rendered: list[str] = []
    monkeypatch.setattr(markdown.markdown, "markdown", lambda *a, **k: rendered.append("x") or "")
    with django_assert_max_num_queries(1):
        assert client.get("/errors/gate/coin/").status_code == 200
    for url in ("/", "/errors/", "/categories/quota-rate/", "/search/?q=coin", "/match/"):
        assert client.get(url).status_code == 200
    client.post("/match/", {"text": "The coin is spent: 3 of 2"})
    assert rendered == []


def test_a_retired_guide_says_so(library: Path, client: Client) -> None:
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    load(library)
    assert "retired" in client.get("/errors/gate/coin/").content.decode().lower()


def test_an_unknown_guide_suggests_near_ones(library: Path, client: Client) -> None:
    answer = client.get("/errors/gate/coins/")
    assert answer.status_code == 404
    assert b"/errors/gate/coin/" in answer.content


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_pages_that_only_show_refuse_other_methods(library: Path, client: Client, method: str) -> None:
    for url in ("/", "/errors/", "/errors/gate/coin/", "/search/", "/sitemap.xml", "/robots.txt"):
        assert getattr(client, method)(url).status_code == 405


def test_every_page_forbids_inline_code_and_foreign_hosts(library: Path, client: Client) -> None:
    for url in ("/", "/errors/", "/errors/gate/coin/", "/search/?q=coin", "/match/", "/nowhere/"):
        answer = client.get(url)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        page = answer.content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick=" not in page
        assert 'src="http' not in page


def test_no_page_sets_a_cookie(library: Path, client: Client) -> None:
    for url in ("/", "/errors/", "/errors/gate/coin/", "/search/?q=coin", "/match/"):
        assert not client.get(url).cookies
    assert not client.post("/match/", {"text": "The coin is spent: 3 of 2"}).cookies
