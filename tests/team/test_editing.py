"""The editor: a form of a guide's parts, its panels, and that nothing typed is ever lost."""

import html
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import Settings

from kb.diagnosis.text import Redacted, redact
from kb.evidence.models import EvidenceReport
from kb.guides.loading import load
from kb.guides.models import Guide, UnmatchedError
from kb.team.editing import clean
from kb.team.models import Draft, Stage
from tests.guides import files
from tests.team.desk import EDIT, form_of, person, send

HX = {"HX-Request": "true"}

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("odd", ["x = " + "1" * 5000, "x = " + "[" * 5000, "[review]\nread = 1" + "0" * 5000])
def test_facts_that_no_reader_of_toml_takes_are_kept_and_named(author: Client, odd: str) -> None:
    data = form_of(author) | {"part_message": f"{odd}\n"}
    page = author.post(EDIT, data | {"deed": "check"})
    assert page.status_code == 200
    assert "the facts are not TOML" in page.content.decode()
    assert author.post(EDIT, data | {"deed": "save"}).status_code == 302
    assert odd[:4] in form_of(author)["part_all_facts"].replace("\r\n", "\n")


def test_only_editors_come_in(shelf: Path, client: Client, author: Client) -> None:
    assert client.get(EDIT)["Location"].startswith("/sign-in/?next=")
    for group in ("Readers", "Reporters", "Reviewers"):
        assert person(group, group).get(EDIT).status_code == 403
    answer = author.get(EDIT)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


def test_the_guide_links_to_its_editor_for_those_who_may(shelf: Path, client: Client, author: Client) -> None:
    anonymous = client.get("/errors/gate/coin/")
    assert EDIT not in anonymous.content.decode()
    assert "Cookie" not in anonymous.get("Vary", "")
    assert EDIT not in person("reader", "Readers").get("/errors/gate/coin/").content.decode()
    assert f'href="{EDIT}"' in author.get("/errors/gate/coin/").content.decode()


def test_opening_the_editor_writes_nothing_and_saving_makes_a_draft(author: Client) -> None:
    author.get(EDIT)
    assert not Draft.objects.exists()
    answer = send(author, summary="Coins are short.", reason="Shorter")
    assert answer["Location"] == EDIT
    draft = Draft.objects.get()
    assert draft.text == files.guide("coin").replace("The key of coin is spent.", "Coins are short.")
    assert (draft.base, draft.why, draft.revision, draft.stage) == (
        files.guide("coin"),
        "Shorter",
        1,
        "writing",
    )
    assert "Coins are short." in author.get(EDIT).content.decode()
    assert "Coins are short." not in Client().get("/errors/gate/coin/").content.decode()


def test_an_unchanged_form_changes_no_byte(author: Client) -> None:
    send(author)
    assert Draft.objects.get().text == Guide.objects.get(slug="coin").text


def test_two_tabs_never_overwrite_each_other(author: Client) -> None:
    first, second = form_of(author), form_of(author)
    author.post(EDIT, first | {"part_title": "From the first tab"})
    late = author.post(EDIT, second | {"part_title": "From the second tab"})
    assert late.status_code == 409
    page = html.unescape(late.content.decode())
    assert "From the first tab" in page
    assert 'value="From the second tab"' in page
    assert "From the first tab" in Draft.objects.get().text
    data = second | {"part_title": "From the second tab", "revision": late.context["form"].seen}
    assert author.post(EDIT, data).status_code == 302
    assert "From the second tab" in Draft.objects.get().text


def test_the_script_saves_with_the_same_rules(author: Client) -> None:
    headers = {"X-Autosave": "1"}
    data = form_of(author)
    saved = author.post(EDIT, data | {"part_title": "One"}, headers=headers)
    assert saved.json()["revision"] == 1
    assert author.post(EDIT, data | {"part_title": "Two"}, headers=headers).status_code == 409
    again = author.post(EDIT, data | {"part_title": "Two", "revision": 1}, headers=headers)
    assert again.json()["revision"] == 2
    client = Client()
    assert "still here" in client.post(EDIT, data, headers=headers).json()["words"]


def test_words_survive_a_session_that_ended(author: Client) -> None:
    data = form_of(author) | {"part_summary": "Typed before the session ended."}
    author.logout()
    lost = author.post(EDIT, data)
    assert lost.status_code == 403
    kept = files.guide("coin").replace("The key of coin is spent.", "Typed before the session ended.")
    assert lost.context["text"] == kept
    assert html.unescape(lost.content.decode()).count(kept)
    assert not Draft.objects.exists()
    author.force_login(User.objects.get(username="author"))
    whole = {"part_all": lost.context["text"], "shape": lost.context["whole_shape"]}
    more = {"began": data["began"], "revision": data["revision"], "deed": "save"}
    assert author.post(EDIT, whole | more).status_code == 302
    assert Draft.objects.get().text == kept


def test_words_survive_a_form_that_is_not_trusted_any_more(author: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="author"))
    data = form_of(strict) | {"part_title": "Typed", "csrfmiddlewaretoken": "x" * 64}
    answer = strict.post(EDIT, data)
    assert answer.status_code == 403
    assert 'title = "Typed"' in answer.context["text"]
    token = answer.context["csrf_token"]
    whole = {"part_all": answer.context["text"], "shape": answer.context["whole_shape"]}
    more = {"began": data["began"], "csrfmiddlewaretoken": str(token)}
    assert strict.post(EDIT, whole | more).status_code == 302


def test_broken_toml_is_saved_shown_and_pointed_at(author: Client) -> None:
    signatures = '[[signature]]\nid = "plain\nall_of = ["The coin is spent:"]'
    send(author, signature=signatures)
    page = author.get(EDIT)
    (problem,) = page.context["form"].problems
    assert (problem.field, "not TOML" in problem.text) == ("all_facts", True)
    lines = page.context["form"].values["all_facts"].split("\n")
    assert lines[problem.line - 1] == 'id = "plain'
    send(author, all_facts=page.context["form"].values["all_facts"].replace('"plain', '"plain"'))
    assert Draft.objects.get().text == files.guide("coin")


def test_the_preview_is_the_page_and_writes_nothing(author: Client) -> None:
    before = list(Guide.objects.order_by("pk").values())
    words = "**Strong** <script>alert(1)</script> words. [^code-coin]"
    data = form_of(author) | {"part_means": words, "deed": "preview"}
    answer = author.post(EDIT, data, headers=HX).content.decode()
    assert "<strong>Strong</strong>" in answer
    assert "<script>alert" not in answer
    assert "code 1.0</a>" in answer
    assert "<html" not in answer
    assert list(Guide.objects.order_by("pk").values()) == before
    assert not Draft.objects.exists()


def test_an_unchanged_preview_is_the_page_that_is_served(author: Client) -> None:
    data = form_of(author) | {"deed": "preview"}
    shown = author.post(EDIT, data).context["preview_html"]
    assert shown == Guide.objects.get(slug="coin").page_html


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("message", '"2.0"', '"9.9"'), ("fix", "spent-coin", "nothing"), ("category", "quota_rate", "money"),
        ("related", "", "nothing"), ("verified", "2026-11-24", "yesterday"), ("title", "The", "T" * 200),
        ("causes", "#### Confirm", "#### Conform"), ("source", "[[source]]", "[[sauce]]"),
        ("fix", "raise-coin", "lower-coin"), ("message", "400", "-400000"), ("fix", "now", "sometimes"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_the_same_checks_and_breaks_no_panel(
    author: Client, part: str, old: str, new: str
) -> None:
    data = form_of(author)
    data[f"part_{part}"] = data[f"part_{part}"].replace(old, new, 1) if old else new
    for deed in ("preview", "try", "try_all"):
        assert author.post(EDIT, data | {"deed": deed}, headers=HX).status_code == 200
    found = author.post(EDIT, data | {"deed": "check"}).context["found"]
    assert found or new == "-400000"
    assert {one.field for one in found} <= {part, "all_facts", "all", "fixes", "source", "related"}


def test_a_problem_has_its_field_and_the_line_in_it(author: Client) -> None:
    data = form_of(author)
    data["part_causes"] = data["part_causes"].replace(" [^lab-coin]", "", 1)
    page = author.post(EDIT, data | {"deed": "check"}).content.decode()
    assert '<a href="#part_causes">Causes, line 3</a>' in page
    assert 'id="part_causes"' in page


def test_what_a_draft_would_break_in_another_guide_is_told(author: Client) -> None:
    data = form_of(author)
    data["part_signature"] = '[[signature]]\nid = "plain"\nall_of = ["The token is spent: 3 of 2"]'
    found = author.post(EDIT, data | {"deed": "check"}).context["found"]
    assert "gate/token.md" in {one.elsewhere for one in found}


def test_no_draft_is_blamed_for_what_is_wrong_without_it(shelf: Path, author: Client) -> None:
    data = form_of(author) | {"deed": "check"}
    assert author.post(EDIT, data).context["found"] == []
    (shelf / "gate" / "draft-of-a-file.md").write_text("Not listed in the ledger yet.")
    (shelf / "gate" / "captures" / "1.0" / "token.json").unlink()
    assert author.post(EDIT, data).context["found"] == []


def test_signatures_are_tried_on_a_pasted_text_that_is_redacted_first(author: Client) -> None:
    key = "sk-proj-" + "Zq8" * 12
    data = form_of(author) | {"trial_text": f"Purse empty! {key}", "deed": "try"}
    assert author.post(EDIT, data).context["after"] == ""
    data["part_signature"] += '\n\n[[signature]]\nid = "purse"\nall_of = ["Purse empty!"]'
    answer = author.post(EDIT, data)
    assert (answer.context["before"], answer.context["after"]) == ("", "gate/coin")
    assert "This guide wins" in answer.content.decode()
    assert key not in answer.content.decode()
    assert "&lt;api_key&gt;" in answer.content.decode()


def test_signatures_are_tried_on_all_that_is_stored(author: Client) -> None:
    UnmatchedError.objects.create(fingerprint="v1:1", normal_form="the purse is out of <n>")
    data = form_of(author) | {"deed": "try_all"}
    data["part_signature"] = '[[signature]]\nid = "purse"\nall_of = ["The purse is out of"]'
    stored = {kind.title: kind.changes for kind in author.post(EDIT, data).context["stored"]}
    (lost,) = stored["samples of all guides"]
    assert (lost.before, lost.after, lost.wins) == ("gate/coin", "", False)
    (won,) = stored["texts that nothing fits so far"]
    assert (won.before, won.after, won.wins) == ("", "gate/coin", True)


def test_signatures_are_tried_on_accepted_reports_alone(author: Client) -> None:
    tool = Guide.objects.get(slug="coin").tool
    for state in ("pending", "accepted", "rejected"):
        text = f"The purse is out of coins, said the {state} one"
        EvidenceReport.objects.create(tool=tool, form=state, text=text, state=state)
    data = form_of(author) | {"deed": "try_all"}
    data["part_signature"] += '\n\n[[signature]]\nid = "purse"\nall_of = ["The purse is out of"]'
    stored = {kind.title: kind for kind in author.post(EDIT, data).context["stored"]}
    reports = stored["texts of accepted reports"]
    assert (reports.count, [change.wins for change in reports.changes]) == (1, [True])
    assert "said the accepted one" in reports.changes[0].text


def test_in_private_mode_signed_out_people_get_their_words_and_no_other(
    author: Client, settings: Settings
) -> None:
    settings.CULPRIT_PRIVATE = True
    data = form_of(author) | {"part_summary": "Typed before the session ended."}
    stranger = Client()
    assert stranger.get(EDIT)["Location"].startswith("/sign-in/")
    assert stranger.get("/drafts/1/edit/")["Location"].startswith("/sign-in/")
    lost = stranger.post(EDIT, data)
    assert lost.status_code == 403
    assert "Typed before the session ended." in lost.content.decode()
    assert "The coin is spent" not in stranger.post(EDIT, {"part_all": "x"}).content.decode()
    assert not Draft.objects.exists()


def test_what_signed_out_people_send_is_read_only_while_it_may_be_a_guide(
    shelf: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.post(EDIT, {"part_all": "word " * 50_000}).status_code == 403
    asked: list[str] = []
    monkeypatch.setattr("kb.team.edit_views.EditForm.posted", asked.append)
    refused = client.post(EDIT, {"part_all": "word " * 200_000})
    assert (refused.status_code, asked) == (413, [])
    assert "your words still stand in the form" in refused.content.decode()


def test_signed_out_people_are_throttled_and_the_script_s_requests_do_not_count(
    author: Client, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.turned_away.PER_MINUTE", 1)
    data = form_of(author)
    for headers in (HX, {"X-Autosave": "1"}):
        assert [client.post(EDIT, data, headers=headers).status_code for _ in range(2)] == [403, 403]
    assert [client.post(EDIT, data).status_code for _ in range(2)] == [403, 429]
    assert author.post(EDIT, data).status_code == 302


def test_blank_and_known_lines_do_not_cut_a_long_text_into_small_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts: list[str] = []

    def watched(text: str) -> Redacted:
        texts.append(text)
        return redact(text)

    monkeypatch.setattr("kb.team.editing.redact", watched)
    for typed in ("a\n\n" * 9_000, "a\nknown\n" * 9_000):
        assert clean(typed, "known\n\nmore").text == typed
    assert len(texts) == 2
    assert clean("a\n\nknown\n\n\nb\n", "known\n\nmore").text == "a\n\nknown\n\n\nb\n"


def test_panels_are_throttled(author: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.team.panels.PER_MINUTE", 1)
    data = form_of(author) | {"deed": "check"}
    assert [author.post(EDIT, data, headers=HX).status_code for _ in range(2)] == [200, 429]


def test_secrets_are_taken_out_before_anything_is_kept(author: Client) -> None:
    key = "sk-proj-" + "Zq8" * 12
    answer = send(author, means=f"Call it with {key}. [^code-coin]", reason=f"Because of {key}")
    assert answer.status_code == 302
    assert "1 API key" in author.get(EDIT).content.decode()
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, why, base FROM team_draft")
        assert key not in str(cursor.fetchall())
    assert "<api_key>" in Draft.objects.get().text


def test_made_up_keys_that_stood_there_stay(shelf: Path, author: Client) -> None:
    text = files.guide("coin").replace("3 of 2'''", f"3 of 2 {'a1' * 32}'''")
    files.write(shelf, coin=text, token=files.guide("token"))
    load(shelf)
    send(author, summary="Coins are short.")
    assert "a1" * 32 in Draft.objects.get().text


def test_a_new_guide_begins_with_its_name(author: Client, second: Client) -> None:
    for slug in ("Coin Purse", "coin", "", "a--b", "-a", "a" * 121, "../x", "<script>", "a\0b"):
        answer = author.post("/tools/gate/new/", {"slug": slug})
        assert answer.status_code == 422, slug
        assert "<script>" not in answer.content.decode().replace('<script src="', "")
    answer = author.post("/tools/gate/new/", {"slug": "purse"})
    draft = Draft.objects.get(slug="purse")
    assert answer["Location"] == f"/drafts/{draft.pk}/edit/"
    assert 'versions = ["2.0"]' in draft.text
    assert author.get(answer["Location"]).status_code == 200
    assert author.post("/tools/gate/new/", {"slug": "purse"})["Location"] == answer["Location"]
    taken = second.post("/tools/gate/new/", {"slug": "purse"})
    assert "is writing a guide purse already" in taken.content.decode()
    assert author.get("/tools/nothing/new/").status_code == 404


def test_a_name_that_was_published_once_is_never_used_again(shelf: Path, author: Client) -> None:
    (shelf / "gate" / "slugs.txt").write_text("coin\ntoken\nretired penny\n")
    assert author.post("/tools/gate/new/", {"slug": "penny"}).status_code == 422


def test_a_draft_can_be_discarded_and_its_words_stay(author: Client) -> None:
    send(author, title="Thrown away")
    send(author, deed="discard")
    draft = Draft.objects.get()
    assert draft.stage == Stage.DISCARDED
    assert "Thrown away" in author.get(f"/drafts/{draft.pk}/").content.decode()
    assert "Thrown away" not in author.get(EDIT).content.decode()


def test_a_page_that_was_open_while_its_draft_was_published_loses_nothing(
    author: Client, second: Client
) -> None:
    send(author, title="One")
    data = form_of(author) | {"part_summary": "Typed on and on."}
    Draft.objects.update(stage=Stage.DISCARDED)
    answer = author.post(EDIT, data)
    assert answer.status_code == 422
    assert "Typed on and on." in answer.content.decode()
    again = data | {"revision": answer.context["form"].seen}
    assert author.post(EDIT, again).status_code == 302
    assert "Typed on and on." in Draft.objects.get(stage="writing").text
