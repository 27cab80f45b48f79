"""From a pasted text to its guide, in the browser's eyes; nothing typed is lost, nothing secret is kept."""

import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from kb.diagnosis.text import NORMAL_FORM_CHARACTERS, redact
from kb.guides import matching
from kb.guides.models import Guide, Revision, Signature, Tool, UnmatchedError

pytestmark = pytest.mark.django_db
ERROR = "Traceback:\n  gatelib: The coin is spent: 3 of 2\n"
SECRET = "sk-proj-" + "Zq8" * 12


def post(client: Client, text: str, htmx: bool = False) -> str:
    """The page after pasting `text`."""
    headers = {"HX-Request": "true"} if htmx else {}
    answer = client.post("/match/", {"text": text}, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_pasted_error_finds_its_guide_with_the_deciding_part_marked(library: Path, client: Client) -> None:
    page = post(client, ERROR)
    assert "<html" in page
    assert "/errors/gate/coin/" in page
    assert "<mark>The coin is spent:</mark>" in page
    assert "Raise the coin limit" in page
    assert "Raise the limit of coin." in page


def test_the_first_fix_leads_to_the_cause_that_it_remedies_and_how_to_confirm_it(
    library: Path, client: Client
) -> None:
    page = post(client, ERROR)
    guide = client.get("/errors/gate/coin/").text
    for anchor in ("spent-coin", "spent-coin_confirm"):
        assert f'href="/errors/gate/coin/#{anchor}"' in page
        assert f'id="{anchor}"' in guide


def test_htmx_gets_the_result_alone(library: Path, client: Client) -> None:
    page = post(client, ERROR, htmx=True)
    assert "<html" not in page
    assert "<mark>The coin is spent:</mark>" in page


def test_a_program_that_asks_for_json_gets_the_match_object(library: Path, client: Client) -> None:
    asks = {"Accept": "application/json"}
    answer = client.post("/match/", {"text": ERROR}, headers=asks)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == matching.as_object(matching.judge(redact(ERROR)))
    assert answer.json()["matches"][0]["url"] == "/errors/gate/coin/"
    assert "Accept" in answer["Vary"]
    nothing = client.post("/match/", {"text": f"Error: the moon, {SECRET}"}, headers=asks)
    assert (nothing.status_code, nothing.json()["verdict"], nothing.json()["matches"]) == (200, "none", [])
    assert UnmatchedError.objects.count() == 1
    assert SECRET not in nothing.content.decode()


@pytest.mark.parametrize(("text", "status"), [("  ", 422), ("x" * 1_000_001, 413)])
def test_a_program_is_told_in_json_what_is_wrong(
    library: Path, client: Client, text: str, status: int
) -> None:
    answer = client.post("/match/", {"text": text}, headers={"Accept": "application/json"})
    assert (answer.status_code, list(answer.json())) == (status, ["error"])
    assert answer.json()["error"].endswith(".")


def test_what_nothing_fits_is_said_and_kept_for_the_editors(library: Path, client: Client) -> None:
    page = post(client, "Error: the moon is too loud, token 7")
    assert "Nothing we know fits" in page
    assert "v1:" in page
    row = UnmatchedError.objects.get()
    assert "the moon is too loud" in row.normal_form
    post(client, "Error: the moon is too loud, token 8")
    row.refresh_from_db()
    assert row.count == 2


def test_the_paste_box_says_what_is_kept_who_reads_it_and_for_how_long(library: Path, client: Client) -> None:
    for page in (client.get("/").text, client.get("/match/").text):
        hint = page.partition('id="paste_hint">')[2].partition("</p>")[0]
        assert "its words are kept" in hint
        assert "other names are not: take them out first" in hint
        assert "whoever writes guides here can read them" in hint
        assert f"{NORMAL_FORM_CHARACTERS:,} characters at most" in hint
        assert f"until {matching.CATALOGUE_LIMIT:,} others are newer" in hint
    nothing = post(client, 'KeyError: customer John Smith of Acme, user "bob"')
    assert "Kept for those who write guides here: the words of it" in nothing
    kept = UnmatchedError.objects.get().normal_form
    assert "customer john smith of acme" in kept
    assert "bob" not in kept
    assert "Kept for those who write guides" not in post(client, ERROR)


def test_search_results_are_named_as_such(library: Path, client: Client) -> None:
    page = post(client, "Error: something about token money")
    assert "Nothing we know fits" in page
    assert "search" in page.lower()
    assert "/errors/gate/token/" in page


def test_a_secret_is_never_shown_stored_or_logged(
    library: Path, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bearer = f"Error: unheard of, Authorization: Bearer {SECRET}"
    for text, kind in ((f"{ERROR} key={SECRET}", "api_key"), (bearer, "bearer_token")):
        page = post(client, text)
        assert SECRET not in page
        assert f"&lt;{kind}&gt;" in page
    assert SECRET not in json.dumps(list(UnmatchedError.objects.values()), default=str)
    assert SECRET not in caplog.text


def test_a_secret_is_not_shown_back_when_the_text_is_refused(library: Path, client: Client) -> None:
    answer = client.post("/match/", {"text": SECRET + "x" * 1_000_001})
    assert answer.status_code == 413
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize("text", ["", "   \n\t"])
def test_an_empty_box_is_answered_with_what_to_do(library: Path, client: Client, text: str) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post("/match/", {"text": text}, headers=headers)
        assert answer.status_code == 422
        assert "Paste an error text first." in answer.content.decode()


def test_a_text_above_one_megabyte_is_refused_and_kept(library: Path, client: Client) -> None:
    text = "kept words " * 100_000
    answer = client.post("/match/", {"text": text})
    assert answer.status_code == 413
    page = answer.content.decode()
    assert "1,100,000 bytes" in page
    assert text.strip() in page


def test_one_megabyte_exactly_is_judged(library: Path, client: Client) -> None:
    text = ERROR + "x" * (1_000_000 - len(ERROR))
    page = post(client, text)
    assert "<mark>The coin is spent:</mark>" in page
    assert "characters left out" in page


@pytest.mark.parametrize(
    "text",
    [
        "\0\0The coin is spent:\0",
        "\ud800The coin is spent:\udfff",
        "\u202eThe coin is spent:\u202c",
        "\x1b[31mThe coin is spent:\x1b[0m",
        "<script>alert(1)</script> The coin is spent:",
        "The coin is spent:" + "\\" * 50_000,
        "a" * 999_000 + " The coin is spent:",
        '{"error": "The coin\\n is spent:"}',
    ],
)
def test_whatever_is_pasted_is_answered(library: Path, client: Client, text: str) -> None:
    answer = client.post(
        "/match/",
        b"text=" + percent(text),
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "/errors/gate/coin/" in page
    assert "<script>alert" not in page
    assert "\u202e" not in page


def percent(text: str) -> bytes:
    """A text as a form sends it, half characters included."""
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass")).encode()


def test_nobody_takes_the_site_from_the_others(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.throttle.time.time", lambda: 1_000_000_005.0)
    answers = [client.post("/match/", {"text": "x"}) for _ in range(121)]
    assert answers[119].status_code == 200
    assert answers[120].status_code == 429
    assert int(answers[120]["Retry-After"]) <= 60
    other = client.post("/match/", {"text": "x"}, REMOTE_ADDR="192.0.2.7")
    assert other.status_code == 200


def test_a_script_may_post_json(library: Path, client: Client) -> None:
    def sent(body: str) -> Any:
        headers = {"Accept": "application/json"}
        return client.post("/match/", body, content_type="application/json", headers=headers)

    found = sent('{"text": "The coin is spent: 3 of 2"}')
    assert [match["slug"] for match in found.json()["matches"]] == ["coin"]
    for wrong in ("{", '"text"', '{"text": 3}', '{"error": "x"}', "[" * 100_000):
        answer = sent(wrong)
        assert (answer.status_code, '{"text": "…"}' in answer.json()["error"]) == (400, True)
    assert sent('{"text": " "}').status_code == 422


def test_a_script_reads_in_json_that_there_is_no_such_page(library: Path, client: Client) -> None:
    answer = client.get("/errors/gate/none/", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()) == (404, {"error": "There is no such page."})
    assert answer["Cache-Control"] == "no-store"  # a browser that asks next gets the page


def test_other_marks_of_a_tool_count_at_once(library: Path, client: Client) -> None:
    Signature.objects.filter(guide__slug="coin").update(in_tool=True)
    said = "<mark>The coin is spent:</mark>"
    text = "otherlib: The coin is spent: 3 of 2"
    assert said not in post(client, text)
    Tool.objects.filter(slug="gate").update(marks=["otherlib"])
    assert said in post(client, text)


def test_what_a_process_keeps_ready_is_read_without_the_pages_of_the_guides(library: Path) -> None:
    with CaptureQueriesContext(connection) as asked:
        matching.prepare()
    assert any("any_of" in query["sql"] for query in asked)
    assert not [query["sql"] for query in asked if "page_html" in query["sql"]]


def test_a_text_that_is_published_late_with_an_earlier_time_is_seen(
    library: Path, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """It has an earlier time and an earlier key than another one, which was seen already."""
    coin = Guide.objects.get(slug="coin")
    newest = Revision.objects.latest("pk").pk
    Guide.objects.filter(slug="token").update(updated=coin.updated + timedelta(hours=1))
    Revision.objects.create(pk=newest + 5, guide=Guide.objects.get(slug="token"), text="Seen")
    with django_assert_num_queries(3):
        before = matching.edition()
    Guide.objects.filter(slug="coin").update(updated=coin.updated + timedelta(minutes=1))
    Revision.objects.create(pk=newest + 1, guide=coin, text="Late")
    assert matching.edition() != before


def test_beyond_the_share_of_a_minute_the_text_comes_back_without_its_secrets(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.throttle.time.time", lambda: 1_000_000_005.0)
    monkeypatch.setattr("kb.guides.views.PER_MINUTE", 2)
    text = {"text": "The coin is spent: 3 of 2 with sk-proj-" + "Zq8" * 12}
    answers = [client.post("/match/", text) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429]
    for answer in answers[2:4]:
        page = answer.content.decode()
        assert "The coin is spent: 3 of 2" in page
        assert "send it again in" in page
        assert answer["Retry-After"] == "15"
        assert "Zq8" not in page
    assert "The coin is spent" not in answers[4].content.decode()
    assert Guide.objects.get(slug="coin").met == 2


def test_an_error_that_does_not_say_whose_it_is_leads_to_its_guide_with_that_condition(
    library: Path, client: Client
) -> None:
    Signature.objects.filter(guide__slug="coin").update(in_tool=True)
    Guide.objects.update(updated=timezone.now())
    text = "Traceback:\n  The coin is spent: 3 of 2\n"
    page = post(client, text)
    said = "One guide fits, if this comes from Gate"
    assert f"<title>{said} · Culprit</title>" in page
    assert f'<h1 id="verdict" tabindex="-1" data-result>{said}</h1>' in page
    assert f"**{said}.**" in page
    assert f"<title>{said} · Culprit</title>" in post(client, text, htmx=True)
    for denied in ("Nothing we know fits", "No guide recognises this text", "Nothing known fits"):
        assert denied not in page
    assert "If it comes from Gate" in page
    assert page.count('href="/errors/gate/coin/"') == 1
    answer = client.post("/match/", {"text": text}, headers={"Accept": "application/json"}).json()
    assert (answer["verdict"], answer["matches"]) == ("none", [])
    assert [(one["tool"], one["slug"]) for one in answer["unsaid"]] == [("gate", "coin")]
    assert "If it comes from" not in post(client, ERROR)


def test_an_error_that_an_error_holds_is_shown_as_the_one_inside(library: Path, client: Client) -> None:
    Signature.objects.filter(guide__slug="token").update(
        all_of=["unhealthy places:"], any_of=[], none_of=[], pattern="", quotes=True
    )
    Guide.objects.update(updated=timezone.now())
    text = f"unhealthy places: {ERROR}"
    page = post(client, text)
    assert '<h1 id="verdict" tabindex="-1" data-result>' + Guide.objects.get(slug="token").title in page
    inside = page[page.index("The error inside") :]
    assert 'href="/errors/gate/coin/"' in inside[: inside.index("</section>")]
    assert "Others that fit less well" not in page
    answer = client.post("/match/", {"text": text}, headers={"Accept": "application/json"}).json()
    assert [(one["slug"], one["quoted"]) for one in answer["matches"]] == [("token", False), ("coin", True)]
