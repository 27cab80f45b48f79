"""The team's notes on guides: who sees them, who writes them, and that nothing is lost or leaks."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from kb.audit.models import Entry
from kb.guides.loading import load
from kb.guides.models import Guide
from kb.team.models import Note
from kb.team.note_forms import LONGEST_WORDS, without_headings
from kb.team.roles import Role
from tests.guides import files

pytestmark = pytest.mark.django_db

COIN = "/errors/gate/coin/"
NOTE = f"{COIN}note/"
KEY = "sk-proj-" + "Zq8" * 12
PLAIN = {
    "words": "Ask **Ops** first.",
    "owner": "",
    "next_review": "",
    "runbook": "",
    "proxies": "",
    "seen": "0",
}


def somebody(name: str, role: Role) -> User:
    """A user with a role."""
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=role.label))
    return user


def browser(user: User) -> Client:
    """A browser in which somebody is signed in."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def editor(db: None) -> User:
    """Somebody who may write."""
    return somebody("erin", Role.EDITOR)


@pytest.fixture
def desk(library: Path, editor: User) -> Client:
    """The editor's browser, in front of the library."""
    return browser(editor)


@pytest.fixture
def reader(library: Path) -> Client:
    """The browser of somebody who is signed in and may do nothing else."""
    return browser(somebody("rene", Role.READER))


def written(desk: Client, **fields: Any) -> Any:
    """Sends the form; a note is expected to be saved."""
    answer = desk.post(NOTE, PLAIN | fields)
    assert answer.status_code == 302, answer.context["form"].errors
    return answer


def test_a_note_stands_above_the_guide_for_who_is_signed_in(
    desk: Client, reader: Client, editor: User
) -> None:
    written(
        desk,
        owner=str(editor.pk),
        next_review="2027-01-31",
        runbook="https://wiki.example/coin",
        proxies="eu, us",
    )
    for browser_ in (desk, reader):
        page = browser_.get(COIN).content.decode()
        assert "<strong>Ops</strong>" in page
        assert page.index("<h1>") < page.index("Our notes") < page.index('<div class="article">')
        for told in ("erin", "31 January 2027", 'href="https://wiki.example/coin"', "eu, us"):
            assert told in page, told
    assert "Edit note" in desk.get(COIN).content.decode()
    assert "Edit note" not in reader.get(COIN).content.decode()


def test_without_a_note_readers_see_nothing_and_editors_a_way_to_write_one(
    desk: Client, reader: Client
) -> None:
    assert "Our notes" not in reader.get(COIN).content.decode()
    assert "Write a note" in desk.get(COIN).content.decode()
    written(desk, words="")
    assert "Our notes" not in reader.get(COIN).content.decode()


def test_words_survive_a_session_that_ended_and_a_new_one(library: Path) -> None:
    client = Client(enforce_csrf_checks=True)
    sent = PLAIN | {"words": f"Ask Ops.\n\n{KEY}", "runbook": "https://wiki.example/coin"}
    lost = client.post(NOTE, sent)
    page = lost.content.decode()
    assert (lost.status_code, KEY in page) == (403, False)
    assert "Ask Ops." in page
    assert "https://wiki.example/coin" in page
    client.force_login(somebody("erin", Role.EDITOR))
    assert client.post(NOTE, sent).context["shown"] == lost.context["shown"]
    fields = lost.context["carried"] | {name: value for name, _, value in lost.context["shown"]}
    assert client.post(NOTE, fields | {"csrfmiddlewaretoken": "x" * 64}).status_code == 403
    assert not Note.objects.exists()
    token = {"csrfmiddlewaretoken": str(lost.context["csrf_token"])}
    assert client.post(NOTE, fields | token).status_code == 302
    assert Note.objects.get().words.startswith("Ask Ops.")


def test_anonymous_pages_are_the_same_with_and_without_a_note(
    desk: Client, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    before = client.get(COIN)
    written(desk)
    with django_assert_num_queries(1):
        after = client.get(COIN)
    assert after.content == before.content
    assert after.headers["Cache-Control"] == before.headers["Cache-Control"]
    assert "public" in after.headers["Cache-Control"]


def test_a_note_costs_who_is_signed_in_no_query_more(
    desk: Client, reader: Client, editor: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with CaptureQueriesContext(connection) as without:
        reader.get(COIN)
    count = len(without)  # before another request clears the log
    assert count == 5, "session, user, rights of the user and of the groups, the guide with its note"
    written(desk, owner=str(editor.pk))
    with django_assert_num_queries(count):
        page = reader.get(COIN)
    assert "erin" in page.content.decode()
    assert "private" in page.headers["Cache-Control"]


def test_a_load_leaves_notes_alone_and_a_retired_guide_keeps_its_note(desk: Client, library: Path) -> None:
    written(desk)
    before = Note.objects.values().get()
    files.write(library, coin=files.guide("coin", title="The coin is gone"), token=files.guide("token"))
    load(library)
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    load(library)
    assert Guide.objects.get(slug="coin").retired
    assert Note.objects.values().get() == before
    page = desk.get(COIN).content.decode()
    assert "Retired on" in page
    assert "Ask <strong>Ops</strong> first." in page
    written(desk, words="Still edited.", seen="1")


def test_the_second_of_two_editors_sees_both_and_loses_nothing(desk: Client) -> None:
    other = browser(somebody("omar", Role.EDITOR))
    written(other, words="The words of Omar", proxies="eu")
    answer = desk.post(NOTE, PLAIN | {"words": "The words of Erin", "next_review": "2027-05-05"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "The words of Omar" in page
    assert "The words of Erin" in page
    assert "omar" in page
    assert 'value="2027-05-05"' in page
    assert Note.objects.get().words == "The words of Omar"
    seen = str(answer.context["form"]["seen"].value())
    written(desk, words="The words of both", seen=seen)
    assert Note.objects.get().words == "The words of both"
    late = other.post(NOTE, PLAIN | {"words": "Late words", "seen": "1"})
    assert late.status_code == 409
    assert "Late words" in late.content.decode()
    assert "The words of both" in late.content.decode()


@pytest.mark.parametrize("seen", ["", "x", "-1", "99999999999", None])
def test_a_form_that_does_not_say_what_it_saw_saves_nothing(desk: Client, seen: str | None) -> None:
    fields = {name: value for name, value in (PLAIN | {"seen": seen}).items() if value is not None}
    answer = desk.post(NOTE, fields)
    assert answer.status_code == 422
    assert "Ask **Ops** first." in answer.content.decode()
    assert not Note.objects.exists()


def test_secrets_never_reach_the_database_and_it_is_said_what_was_removed(desk: Client) -> None:
    answer = written(desk, words=f"The key is {KEY}.", proxies=f"eu {KEY}")
    page = desk.get(answer.headers["Location"]).content.decode()
    assert "Taken out before anything was kept: 2 API keys." in page
    assert KEY not in page
    assert KEY not in str(Note.objects.values().get())
    assert KEY not in str(list(Entry.objects.values()))


def test_a_secret_is_not_shown_back_with_an_error_either(desk: Client) -> None:
    answer = desk.post(NOTE, PLAIN | {"words": f"The key is {KEY}.", "next_review": "soon"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert KEY not in page
    assert "1 API key" in page
    assert "Give a date such as 2026-12-24" in page
    assert 'value="soon"' in page


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)",
        "data:text/html,<script>x</script>",
        "//evil.example", "https://user:secretword@host.example/", "https://name@host.example/", "not a link",
        f"https://host.example/?key={KEY}", "ftp://host.example/",
        "https://host.example/" + "x" * 600,
    ],
)  # fmt: skip
def test_a_runbook_is_a_web_address_without_a_secret(desk: Client, link: str) -> None:
    answer = desk.post(NOTE, PLAIN | {"runbook": link})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert answer.context["form"].errors["runbook"]
    assert 'href="javascript' not in page.lower()
    assert "<script>alert" not in page
    assert "secretword" not in page
    assert KEY not in page
    assert "Ask **Ops** first." in page
    assert not Note.objects.exists()


def test_an_address_that_came_in_another_way_becomes_no_link(desk: Client) -> None:
    Note.objects.create(guide=Guide.objects.get(slug="coin"), words="x", runbook="javascript:alert(1)")
    for url in (COIN, "/notes/"):
        page = desk.get(url).content.decode()
        assert "javascript:alert(1)" in page
        assert 'href="javascript' not in page


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) \"' {{ 7 }} {% now %}"
)


def test_hostile_words_are_harmless_wherever_they_are_shown(
    desk: Client, reader: Client, editor: User
) -> None:
    link = 'https://x.example/"><script>alert(3)</script>'
    User.objects.filter(pk=editor.pk).update(first_name="<script>alert(2)</script>", last_name="\u202eevil")
    written(
        desk, words=HOSTILE, proxies=HOSTILE, owner=str(editor.pk), next_review="2020-01-01", runbook=link
    )
    other = browser(somebody("omar", Role.EDITOR))
    conflict = other.post(NOTE, PLAIN | {"words": HOSTILE, "proxies": HOSTILE})
    assert conflict.status_code == 409
    pages = [
        desk.get(url)
        for url in (COIN, NOTE, "/notes/", "/due/", f"/notes/?q={HOSTILE}", f"/notes/?owner={HOSTILE}")
    ]
    for answer in (*pages, reader.get(COIN), reader.get("/notes/"), conflict):
        page = answer.content.decode()
        assert "<script>alert" not in page
        assert "<img" not in page
        assert 'href="javascript' not in page
        assert "onerror=alert(1)>" not in page.replace("onerror=alert(1)&gt;", "")


def test_signs_that_turn_text_around_are_taken_out(desk: Client, reader: Client) -> None:
    written(
        desk, words="safe \u202egnp.exe\u202c \u2066x", proxies="eu\u200f us", runbook="https://a.example/x"
    )
    page = reader.get(COIN).content.decode()
    assert not set("\u202e\u202c\u2066\u200f\u061c") & set(page)
    assert "<bdi>" in page


@pytest.mark.parametrize(
    ("field", "length", "most"), [("words", LONGEST_WORDS + 1, LONGEST_WORDS), ("proxies", 301, 300)]
)
def test_what_is_too_long_is_refused_and_kept(desk: Client, field: str, length: int, most: int) -> None:
    text = "word " * (length // 5) + "w" * (length % 5 or 5)
    answer = desk.post(NOTE, PLAIN | {field: text})
    assert answer.status_code == 422
    assert f"{most} is the most. Shorten it." in answer.content.decode()
    assert text.strip() in answer.content.decode()


def test_control_characters_are_no_trouble(desk: Client) -> None:
    written(desk, words="a\0b \x1bc", proxies="p\0q")
    assert Note.objects.get().words == "a\ufffdb \x1bc"


def test_the_owner_is_somebody_who_may_still_sign_in(desk: Client, editor: User) -> None:
    gone = User.objects.create_user("gone", is_active=False)
    for value in (str(gone.pk), "99999", "x", "<b>"):
        answer = desk.post(NOTE, PLAIN | {"owner": value})
        assert answer.status_code == 422, value
        assert "Choose one from the list" in answer.content.decode()
    User.objects.filter(pk=gone.pk).update(is_active=True)
    written(desk, owner=str(gone.pk))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    assert "account switched off" in desk.get(COIN).content.decode()
    written(desk, owner=str(gone.pk), seen="1", words="Others may still save the rest.")


def test_headings_do_not_disturb_the_page_s_own() -> None:
    text = "# One\nwords\n### Three ##\n```bash\n# no heading\n```"
    assert without_headings(text) == "\n**One**\n\nwords\n\n**Three**\n\n```bash\n# no heading\n```"


def test_rights_from_both_sides(library: Path, client: Client, reader: Client, desk: Client) -> None:
    reviewer = browser(somebody("rio", Role.REVIEWER))
    assert client.get(NOTE).headers["Location"].endswith(f"?next={NOTE}")
    assert client.post(NOTE, PLAIN).status_code == 403
    assert client.post(NOTE).status_code == 302
    assert client.get("/notes/").headers["Location"].endswith("?next=/notes/")
    for browser_ in (reader, reviewer):
        assert browser_.get(NOTE).status_code == 403
        assert browser_.post(NOTE, PLAIN).status_code == 403
        assert browser_.get("/notes/").status_code == 200
    assert not Note.objects.exists()
    assert desk.get(NOTE).status_code == 200
    assert desk.get("/errors/gate/nonsense/note/").status_code == 404
    for answer in (desk.get(NOTE), reader.get("/notes/")):
        assert "no-store" in answer.headers["Cache-Control"]
        assert answer.headers["X-Robots-Tag"] == "noindex"


def test_saving_needs_the_form_s_own_token(library: Path, editor: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(editor)
    assert strict.post(NOTE, PLAIN).status_code == 403
    assert not Note.objects.exists()


def test_who_saved_a_note_is_written_down(desk: Client) -> None:
    written(desk)
    entry = Entry.objects.get(what="note.saved")
    assert (entry.who, entry.path) == ("erin", COIN)


def test_the_list_is_filtered_by_words_and_owner(desk: Client, reader: Client, editor: User) -> None:
    written(desk, owner=str(editor.pk), proxies="eu-prod")
    desk.post("/errors/gate/token/note/", PLAIN | {"words": "Nobody looks after this"})
    for query, found in (
        ("", ["coin", "token"]),
        ("?q=NOBODY+looks", ["token"]),
        ("?q=eu-prod", ["coin"]),
        ("?q=token+is+spent", ["token"]),
        (f"?owner={editor.pk}", ["coin"]),
        ("?owner=nobody", ["token"]),
        ("?q=quokka", []),
        ("?q=%25", []),
    ):
        page = reader.get(f"/notes/{query}")
        assert [note.guide.slug for note in page.context["page"]] == found, query
    wrong = reader.get("/notes/?owner=77777&q=kept")
    assert wrong.status_code == 400
    assert "There is no owner “77777” here." in wrong.content.decode()
    assert 'value="kept"' in wrong.content.decode()


def test_from_the_list_of_what_is_due_an_editor_comes_back_to_it(desk: Client) -> None:
    assert 'action="/errors/gate/coin/note/?then=due"' in desk.get(f"{NOTE}?then=due").content.decode()
    assert desk.post(f"{NOTE}?then=due", PLAIN).headers["Location"] == "/due/"
    away = desk.post(f"{NOTE}?then=https://evil.example/", PLAIN | {"seen": "1"})
    assert away.headers["Location"] == COIN
