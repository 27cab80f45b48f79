"""Search finds the same on both databases: exact wording first, bounded whatever is asked."""

from pathlib import Path

import pytest
from django.test import Client

from kb.guides.loading import load
from kb.guides.models import Guide
from kb.guides.search import MAX_WORDS, find, index, query_words, search, snippet
from tests.guides import files

pytestmark = pytest.mark.django_db


def slugs(query: str, typing: bool = False) -> list[str]:
    """Slugs of what is found, best first."""
    return [hit.guide.slug for hit in search(query, typing=typing)]


def test_the_exact_wording_of_a_message_comes_first(library: Path) -> None:
    assert slugs("The token is spent")[0] == "token"
    assert slugs("The coin is spent: 3 of 2")[0] == "coin"


def test_exact_wording_with_a_word_twice_is_found_first(library: Path) -> None:
    text = files.guide("coin").replace("is spent: {cost} of {limit}", "is spent, coin after coin: {cost}")
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    assert slugs("the coin is spent, coin after coin") == ["coin"]


def test_synonyms_find_their_guide(library: Path) -> None:
    assert slugs("coin money") == ["coin"]


def test_a_whole_synonym_comes_before_the_wording_of_a_message(library: Path) -> None:
    spent = files.guide("coin").replace('synonyms = ["coin money"]', 'synonyms = ["the token is spent"]')
    files.write(library, coin=spent, token=files.guide("token"))
    load(library)
    assert slugs("The token is spent") == ["coin", "token"]
    assert slugs("token spent: 3")[0] == "token"


def test_the_best_guide_is_found_among_many_that_share_its_words(library: Path) -> None:
    last = Guide.objects.get(slug="token")
    for number in range(150):
        facts = {name: getattr(last, name) for name in ("tool", "category", "hop", "verified")}
        index(
            Guide.objects.create(
                slug=f"other-{number}", title=f"Part {number}", summary="A lever, then a wheel.", **facts
            )
        )
    best = Guide.objects.create(slug="best", title="The lever of the wheel", summary="Both.", **facts)
    index(best)
    assert find("lever wheel")[0] == best.pk


def test_word_endings_and_case_do_not_matter(library: Path) -> None:
    assert slugs("COINS") == ["coin"]


def test_while_typing_the_beginning_of_a_word_is_enough(library: Path) -> None:
    assert slugs("tok", typing=True) == ["token"]
    assert slugs("tok") == []


def test_a_name_with_underscores_is_found_by_its_words(library: Path) -> None:
    text = files.guide("coin").replace("counter passed", "coin_counter_total passed")
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    assert slugs("coin_counter_total") == ["coin"]
    assert slugs("counter total")[0] == "coin"


def test_retired_guides_are_not_found(library: Path) -> None:
    assert slugs("coin") == ["coin"]
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    load(library)
    assert slugs("coin") == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        '"',
        "* OR NOT (",
        "coin AND",
        "a:b:*",
        "'; DROP TABLE guides_guide; --",
        "😀",
        "\0",
        "-",
        "x" * 5000,
    ],
)
def test_no_query_breaks_the_search(library: Path, query: str) -> None:
    assert isinstance(search(query), list)
    assert Guide.objects.count() == 2


def test_operators_of_the_databases_are_only_words(library: Path) -> None:
    assert slugs("coin NOT coin")[0] == "coin"
    assert slugs("coin | ! & (")[0] == "coin"


def test_a_long_query_is_cut(library: Path) -> None:
    assert len(query_words("one two three four five six seven eight nine ten " * 400)) <= MAX_WORDS
    assert find("spent " * 10_000) != []


def test_snippets_are_escaped_before_they_are_marked() -> None:
    text = "before <script>alert('coin')</script> after"
    assert snippet(text, ["coin"]) == (
        "before &lt;script&gt;alert(&#x27;<mark>coin</mark>&#x27;)&lt;/script&gt; after"
    )
    assert "<script" not in snippet("<script>" * 50, ["script"])


def test_the_page_keeps_the_query_and_works_without_htmx(library: Path, client: Client) -> None:
    answer = client.get("/search/", {"q": "coin <b>"})
    assert answer.status_code == 200
    assert b"<html" in answer.content
    assert b'value="coin &lt;b&gt;"' in answer.content
    assert b"/errors/gate/coin/" in answer.content


def test_htmx_gets_the_list_alone(library: Path, client: Client) -> None:
    answer = client.get("/search/", {"q": "coi"}, headers={"HX-Request": "true"})
    assert b"<html" not in answer.content
    assert b"/errors/gate/coin/" in answer.content
    assert "HX-Request" in answer["Vary"]


def test_words_that_tell_nothing_find_nothing(library: Path) -> None:
    assert slugs("that is what it was") == []
    assert slugs("what is the coin about") == ["coin"]


def test_snippets_show_the_words_and_not_their_citations(library: Path) -> None:
    shown = search("counter")[0].snippet
    assert "code 1.0" not in shown
    assert "<mark>counter</mark>" in shown


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Not before the coin limit is raised.", "Not before the quokka of the limit is raised."),
        ("All calls of coin were paid for.", "All calls of the quokka were paid for."),
        ("1. Raise the limit of coin.", "1. Raise the limit of the quokka."),
        ("### Alert on coin", "### Alert on the quokka"),
    ],
)
def test_snippets_show_the_place_found_be_it_far_below(library: Path, old: str, new: str) -> None:
    text = files.guide("coin").replace(old, new)
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    (hit,) = search("quokka")
    assert "<mark>quokka</mark>" in hit.snippet
    assert new.partition("quokka")[0].lstrip("#1. ") in hit.snippet


def test_a_word_of_another_message_is_shown_in_it(library: Path) -> None:
    second = '[[message]]\nversions = ["2.0"]\ntext = "No quokka left"\nsource = "code-coin"\n\n[[signature]]'
    text = files.guide("coin").replace("[[signature]]", second, 1)
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    assert "No <mark>quokka</mark> left" in search("quokka")[0].snippet


def test_the_page_says_how_many_and_whether_that_may_not_be_all(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lead(query: str) -> str:
        page = client.get("/search/", {"q": query}).content.decode()
        return page.partition('<p class="lead">')[2].partition("A search")[0].strip()

    assert lead("spent") == "2 guides, best first."
    assert lead("nowhere") == ""
    monkeypatch.setattr("kb.guides.views.MOST", 2)
    assert lead("spent") == "The 2 best guides, best first."


def test_a_word_spelled_wrong_finds_the_nearest_and_says_so(library: Path, client: Client) -> None:
    answer = client.get("/search/", {"q": "tokne"})
    assert "/errors/gate/token/" in answer.text
    assert 'This is for <a href="/search/?q=token">token</a>' in answer.text
    assert "This is for" not in client.get("/search/", {"q": "token"}).text


def test_each_word_that_no_guide_has_is_corrected_and_the_others_stay(library: Path, client: Client) -> None:
    answer = client.get("/search/", {"q": "spent toekn limit"})
    page = answer.text
    assert [hit.guide.slug for hit in answer.context["hits"]] == ["token"]
    assert "No guide has the word <q>toekn</q>." in page
    assert 'This is for <a href="/search/?q=spent%20token%20limit">spent token limit</a>' in page
    typing = client.get("/search/", {"q": "toekn spen"}, headers={"HX-Request": "true"}).text
    assert "No guide has the word <q>toekn</q>." in typing
    assert "/errors/gate/token/" in typing
    assert "This is for" not in client.get("/search/", {"q": "limit zebra"}).text


def test_the_filter_of_the_list_corrects_words_too(library: Path, client: Client) -> None:
    answer = client.get("/errors/", {"q": "toekn"})
    assert [guide.slug for guide in answer.context["page"]] == ["token"]
    assert 'This is for <a href="/errors/?q=token">token</a>' in answer.text
    assert "This is for" not in client.get("/errors/", {"q": "tok"}).text


def test_a_short_word_is_not_read_as_another(library: Path, client: Client) -> None:
    page = client.get("/search/", {"q": "coen"}).text
    assert "No guide has these words." in page
    assert "This is for" not in page


@pytest.mark.parametrize("query", ["to", "what is it", "***"])
def test_what_is_too_common_to_search_by_is_said_to_be_so(library: Path, client: Client, query: str) -> None:
    page = client.get("/search/", {"q": query}).text
    assert f"<q>{query}</q> has no word to search by" in page
    assert "No guide has these words." not in page
    listed = client.get("/errors/", {"q": query})
    assert "has no word to search by, so it filters nothing" in listed.text
    assert len(listed.context["page"]) == 2


def test_words_like_no_other_are_not_replaced(library: Path, client: Client) -> None:
    answer = client.get("/search/", {"q": "zebra"}).text
    assert "No guide has these words." in answer
    assert "This is for" not in answer
