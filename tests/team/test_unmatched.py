"""What nothing fits, in editors' hands: grouped, counted, and begun as a guide with its draft filled in."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

from kb.diagnosis.text import MAX_BYTES, fingerprint, normal_form
from kb.guides.models import Guide, UnmatchedError
from kb.guides.releases import table
from kb.guides.releases.scanning import scan
from kb.team.models import Draft
from tests.team.desk import form_of, person, send

pytestmark = pytest.mark.django_db
TEXT = "GateError: the passport of alice has no stamp of the harbour office, number 7"
SECRET = "sk-proj-" + "Zq8" * 12


def paste(text: str) -> None:
    """Somebody pastes a text."""
    assert Client().post("/match/", {"text": text}).status_code == 200


def test_texts_are_grouped_by_fingerprint_and_counted_most_first(author: Client) -> None:
    paste("The moon is much too loud tonight")
    for number in (7, 8, 9):
        paste(TEXT.replace("7", str(number)))
    page = author.get("/unmatched/")
    rows = page.context["rows"]
    assert [one.row.count for one in rows] == [3, 1]
    assert rows[0].row.fingerprint == fingerprint(TEXT)
    assert "pasted 3 times" in page.content.decode()
    assert [one.row.count for one in author.get("/unmatched/?q=MOON").context["rows"]] == [1]
    assert len(author.get(f"/unmatched/?q={fingerprint(TEXT)}").context["rows"]) == 1
    assert "No text that nothing fits has these words." in author.get("/unmatched/?q=sun").content.decode()


def test_the_next_page_asks_for_the_same_words(author: Client) -> None:
    for number in range(26):
        UnmatchedError.objects.create(fingerprint=f"v1:{number}", normal_form="moons & suns 100% <n>")
    first = author.get("/unmatched/", {"q": "moons & suns 100%"})
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first.content.decode())
    assert len(author.get(f"/unmatched/{unescape(following)}").context["rows"]) == 1


def test_only_editors_see_the_list(author: Client, client: Client) -> None:
    assert client.get("/unmatched/")["Location"].startswith("/sign-in/")
    assert person("reader", "Readers").get("/unmatched/").status_code == 403


def test_the_list_leads_to_a_draft_with_signature_and_sample_filled_in(author: Client) -> None:
    paste(TEXT)
    page = author.get(f"/tools/gate/new/?unmatched={fingerprint(TEXT)}")
    assert "has no stamp of the harbour office" in page.content.decode()
    data = {"slug": "passport-without-stamp", "text": page.context["text"]}
    answer = author.post("/tools/gate/new/", data)
    form = author.get(answer["Location"]).context["form"]
    assert (
        "gateerror: the passport of alice has no stamp of the harbour office, number"
        in form.values["signature"]
    )
    assert normal_form(TEXT) in form.values["sample"]
    tried = author.post(answer["Location"], form_of(author, answer["Location"]) | {"deed": "try_all"})
    (won,) = {kind.title: kind for kind in tried.context["stored"]}["texts that nothing fits so far"].changes
    assert (won.wins, won.of) == (True, "pasted 1 time")


def test_an_editor_writes_a_guide_of_what_they_just_pasted_without_its_secrets(author: Client) -> None:
    text = f"{TEXT}\nAuthorization: Bearer {SECRET}"
    page = author.post("/match/", {"text": text}).content.decode()
    assert "Write this guide" in page
    assert "csrfmiddlewaretoken" in page
    asked = author.post("/tools/gate/new/", {"text": text})
    assert asked.status_code == 200
    assert asked.context["literals"] == [
        "GateError: the passport of alice has no stamp of the harbour office, number"
    ]
    refused = author.post("/tools/gate/new/", {"text": text, "slug": "No Good"})
    assert refused.status_code == 422
    assert refused.context["text"].startswith("GateError")
    author.post("/tools/gate/new/", {"text": text, "slug": "no-stamp"})
    draft = Draft.objects.get(slug="no-stamp")
    assert SECRET not in draft.text + refused.content.decode() + asked.content.decode()
    assert TEXT in draft.text


@pytest.mark.parametrize(
    "text",
    ["quotes ''' in it, and more words", "ends with a quote that stays'", "\x1b[31mred\x1b[0m words in it"],
)
def test_any_text_makes_a_draft_that_can_be_read(author: Client, text: str) -> None:
    author.post("/tools/gate/new/", {"text": text, "slug": "odd"})
    form = form_of(author, f"/drafts/{Draft.objects.get(slug='odd').pk}/edit/")
    assert "part_sample" in form


def test_no_secret_is_cut_in_two_and_missed(author: Client) -> None:
    secret = "hf_" + "Ab1" * 12
    lead = "x\n" * ((MAX_BYTES - 32) // 2)  # the largest text ends in the midst of the secret
    text = f"{lead}error: the key {secret} opens no door of the harbour"
    assert secret[:9] not in author.post("/tools/gate/new/", {"text": text}).content.decode()


def test_readers_are_offered_nothing_to_write(author: Client, client: Client) -> None:
    page = client.post("/match/", {"text": TEXT})
    assert "Write this guide" not in page.content.decode()
    assert not page.cookies


def test_what_a_guide_recognises_by_now_is_said(author: Client) -> None:
    UnmatchedError.objects.create(fingerprint="v1:old", normal_form="gatelib: the coin is spent: <n> of <n>")
    page = author.get("/unmatched/").content.decode()
    assert "Recognised by now" in page
    assert "/errors/gate/coin/" in page
    assert "Write this guide" not in page


def test_a_name_that_no_release_has_is_said(shelf: Path, author: Client) -> None:
    made = table.made({"1.0": scan({"gate/coin.py": b"class CoinSpentError(Exception): pass"})}, ["1.0"])
    (shelf / "gate" / table.NAME).write_text(table.written(made))
    paste("gate.CoinSpentTwiceError: the harbour office is shut")
    paste("gate.CoinSpentError: the harbour office is open")
    page = author.get("/unmatched/").content.decode()
    assert page.count("No such error.") == 1
    assert "<code>gate.coinspenttwiceerror</code>" in page
    assert "<code>CoinSpentError</code>" in page


def test_a_signature_that_steals_says_whose_samples(author: Client) -> None:
    other = Guide.objects.get(slug="token")
    greedy = '[[signature]]\nid = "greedy"\nall_of = ["is spent: 3 of 2"]\nany_of = ["The token", "The coin"]'
    answer = send(author, deed="try_all", signature=greedy)
    samples = {kind.title: kind for kind in answer.context["stored"]}["samples of all guides"]
    stolen = [change for change in samples.changes if change.steals]
    assert [(change.before, change.after, change.of) for change in stolen] == [
        ("gate/token", "gate/coin", f"sample of gate/{other.slug}")
    ]
    assert "1 of them would be taken from other guides." in answer.content.decode()
    assert "Would steal" in answer.content.decode()


@pytest.mark.django_db
def test_a_name_and_text_come_back_when_the_session_has_ended(client: Client, library: Path) -> None:
    told = client.post("/tools/gate/new/", {"slug": "a-new-guide", "text": "the coin fell into the slot"})
    assert told.status_code == 403
    page = told.content.decode()
    assert "a-new-guide" in page
    assert "the coin fell into the slot" in page
