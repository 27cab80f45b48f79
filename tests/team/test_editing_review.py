"""A second reader publishes a draft or sends it back; nothing is overwritten, and nobody acts for another."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from kb.audit.models import Entry
from kb.guides import shelf as library_shelf
from kb.guides.loading import load
from kb.guides.loading import publish as bring_in
from kb.guides.models import Guide, QuickFix
from kb.guides.search import find
from kb.guides.source import parse
from kb.team.models import Draft, Stage
from tests.evidence import made
from tests.guides import files
from tests.team.desk import EDIT, form_of, person, publish, send, waiting

pytestmark = pytest.mark.django_db


def changed(slug: str, old: str, new: str) -> None:
    """Somebody else published other words meanwhile."""
    guide = Guide.objects.select_related("tool").get(slug=slug)
    text = guide.text.replace(old, new)
    assert text != guide.text
    bring_in(library_shelf.tool_source(guide.tool), guide, parse(text, slug, slug), None, "Elsewhere")


def test_a_second_reader_sees_the_difference_and_publishes(author: Client, second: Client) -> None:
    key = waiting(author, summary="Coins are <b>quokka</b> short.", reason="Shorter")
    assert f"/drafts/{key}/" in second.get("/drafts/").content.decode()
    page = second.get(f"/drafts/{key}/").content.decode()
    assert "<ins>" in page
    assert "&lt;b&gt;" in page
    assert "<b>quokka" not in page
    answer = publish(second, key)
    assert answer["Location"] == "/errors/gate/coin/history/"
    guide = Guide.objects.get(slug="coin")
    assert guide.summary == "Coins are <b>quokka</b> short."
    assert guide.base == files.guide("coin")
    assert find("quokka") == [guide.pk]
    revision = guide.revisions.first()
    assert revision is not None
    assert (revision.by and revision.by.username, revision.why) == ("author", "Shorter")
    assert "read by second" in second.get(answer["Location"]).content.decode()
    draft = Draft.objects.get(pk=key)
    assert (draft.stage, draft.reader and draft.reader.username) == (Stage.PUBLISHED, "second")
    assert Entry.objects.filter(what="guide.published").exists()


def test_a_new_guide_is_published_and_found(author: Client, second: Client, client: Client) -> None:
    url = author.post("/tools/gate/new/", {"slug": "purse"})["Location"]
    text = files.guide("purse").replace('origin = "lab:1.0/purse"', 'origin = "code:code-purse"')
    text = text.replace('kind = "lab"\ncapture = "1.0/purse"', 'kind = "docs"\nurl = "https://docs.example/"')
    data = form_of(author, url)
    data = {name: value for name, value in data.items() if not name.startswith("part_")}
    data |= {"shape": '[["area","all",""]]', "part_all": text, "why": "New", "deed": "ask"}
    assert author.post(url, data).status_code == 302
    key = Draft.objects.get().pk
    assert "Put in: " in second.get(f"/drafts/{key}/").content.decode()
    assert publish(second, key).status_code == 302
    assert "The purse counter passed its limit." in client.get("/errors/gate/purse/").content.decode()
    guide = Guide.objects.get(slug="purse")
    assert (guide.text, guide.base) == (text, "")
    assert author.get(url)["Location"] == f"/drafts/{key}/"
    assert author.post("/tools/gate/new/", {"slug": "purse"}).status_code == 422


def test_nobody_publishes_their_own_draft(author: Client) -> None:
    key = waiting(author, title="Mine")
    page = author.get(f"/drafts/{key}/")
    assert "Nobody publishes their own draft" in page.content.decode()
    queue = author.get("/drafts/").context
    assert (list(queue["waiting"]), [draft.pk for draft in queue["own"]]) == ([], [key])
    assert publish(author, key).status_code == 422
    assert send(author, deed="publish").status_code == 422
    assert Guide.objects.get(slug="coin").title == "The coin is spent"


def test_an_administrator_may_and_the_history_says_so(boss: Client) -> None:
    assert send(boss, deed="publish", title="By the boss", reason="Urgent").status_code == 302
    assert Guide.objects.get(slug="coin").title == "By the boss"
    assert "without a second reader" in boss.get("/errors/gate/coin/history/").content.decode()


def test_sent_back_with_a_remark_and_asked_again(author: Client, second: Client) -> None:
    key = waiting(author, title="First try")
    draft = Draft.objects.get(pk=key)
    url, data = f"/drafts/{key}/", {"deed": "send_back", "revision": draft.revision}
    assert second.post(url, data).status_code == 422
    too_long = second.post(url, data | {"remark": "x" * 1001})
    assert too_long.status_code == 422
    assert "x" * 1001 in too_long.content.decode()
    assert second.post(url, data | {"remark": "Say <i>which</i> coin"}).status_code == 302
    page = author.get(EDIT).content.decode()
    assert "Say &lt;i&gt;which&lt;/i&gt; coin" in page
    assert second.get(url).status_code == 404
    waiting(author, title="Second try")
    assert "Say <i>" not in second.get(url).content.decode()
    assert publish(second, key).status_code == 302


def test_who_waits_takes_it_back_to_write_on(author: Client) -> None:
    waiting(author, title="First try")
    assert send(author, title="Too soon").status_code == 422
    data = {"deed": "withdraw", "revision": Draft.objects.get().revision}
    assert author.post(EDIT, data).status_code == 302
    assert send(author, title="Now").status_code == 302


def test_asking_needs_a_reason_and_passing_checks(author: Client) -> None:
    assert send(author, deed="ask", title="No reason").status_code == 422
    answer = send(author, deed="ask", means="No source.", reason="Why not")
    assert answer.status_code == 422
    assert "names no source" in answer.content.decode()
    assert Draft.objects.get().stage == Stage.WRITING


def test_checks_are_run_again_on_publishing(shelf: Path, author: Client, second: Client) -> None:
    key = waiting(author, title="The token is spent or so", related="token")
    Guide.objects.filter(slug="token").update(retired=timezone.now())
    page = second.get(f"/drafts/{key}/")
    assert "related names" in page.content.decode()
    assert "Publish it" not in page.content.decode()
    assert publish(second, key).status_code == 409
    assert Guide.objects.get(slug="coin").title == "The coin is spent"


def test_a_guide_that_changed_elsewhere_is_brought_together(author: Client, second: Client) -> None:
    key = waiting(author, title="A better title")
    changed("coin", "Set a soft limit", "Set a hard limit")
    assert "both are brought together" in second.get(f"/drafts/{key}/").content.decode()
    assert publish(second, key).status_code == 302
    text = Guide.objects.get(slug="coin").text
    assert "A better title" in text
    assert "Set a hard limit" in text


def test_a_guide_that_changed_in_the_same_place_is_not_overwritten(author: Client, second: Client) -> None:
    key = waiting(author, title="Ours")
    changed("coin", 'The coin is spent"', 'Theirs"')
    page = second.get(f"/drafts/{key}/").content.decode()
    assert "The guide changed in the same places" in page
    assert "Publish it" not in page
    assert "Send it back" in page
    answer = publish(second, key)
    assert answer.status_code == 409
    assert Guide.objects.get(slug="coin").title == "Theirs"
    author.post(EDIT, {"deed": "withdraw", "revision": Draft.objects.get().revision})
    editor = author.get(EDIT).content.decode()
    assert "The guide changed since you began" in editor
    assert "Both changed: Title" in editor
    assert send(author, deed="rebase_ours").status_code == 302
    draft = Draft.objects.get()
    assert 'title = "Ours"' in draft.text
    assert draft.base == Guide.objects.get(slug="coin").text
    waiting(author)
    assert publish(second, key).status_code == 302


def test_the_guide_s_words_can_be_taken_where_both_changed(author: Client) -> None:
    send(author, title="Ours", summary="Ours alone.")
    changed("coin", 'The coin is spent"', 'Theirs"')
    send(author, deed="rebase_theirs")
    text = Draft.objects.get().text
    assert 'title = "Theirs"' in text
    assert 'summary = "Ours alone."' in text


def test_a_page_open_since_yesterday_begins_from_what_it_showed(author: Client, second: Client) -> None:
    data = form_of(author) | {"part_title": "Typed since yesterday", "why": "Old page", "deed": "ask"}
    changed("coin", "Set a soft limit", "Set a hard limit")
    assert author.post(EDIT, data).status_code == 302
    draft = Draft.objects.get()
    assert draft.base == files.guide("coin")
    publish(second, draft.pk)
    assert "Set a hard limit" in Guide.objects.get(slug="coin").text


def test_a_reader_who_saw_an_older_text_looks_again(author: Client, second: Client) -> None:
    key = waiting(author, title="One")
    page = second.get(f"/drafts/{key}/").context
    seen = {"deed": "publish", "revision": page["draft"].revision, "served": page["served"]}
    changed("coin", "Set a soft limit", "Set a hard limit")
    assert second.post(f"/drafts/{key}/", seen).status_code == 422
    author.post(EDIT, {"deed": "withdraw", "revision": Draft.objects.get().revision})
    waiting(author, title="Two")
    fresh = second.get(f"/drafts/{key}/").context["served"]
    assert second.post(f"/drafts/{key}/", seen | {"served": fresh}).status_code == 409
    assert Guide.objects.get(slug="coin").title == "The coin is spent"


REVIEW = "[review]\nread = 2026-11-24\nstatements = 41\ncorrected = 2\ncommands = 1\n\n[[message]]"
OLDER = "The count of the second reader (41 statements, read on 2026-11-24) is older than these words"


def test_a_second_reader_s_count_that_is_older_than_the_words_is_told(
    shelf: Path, author: Client, second: Client
) -> None:
    (shelf / "gate" / "coin.md").write_text(files.guide("coin").replace("[[message]]", REVIEW, 1))
    load(shelf)
    assert OLDER not in send(author, deed="check").content.decode()
    assert OLDER in send(author, deed="check", title="Rewritten").content.decode()
    key = waiting(author, title="Rewritten")
    assert OLDER in second.get(f"/drafts/{key}/").content.decode()
    author.post(EDIT, {"deed": "withdraw", "revision": Draft.objects.get().revision})
    waiting(author, title="Rewritten", review="")
    page = second.get(f"/drafts/{key}/").content.decode()
    assert OLDER not in page
    assert "Publish it" in page
    assert publish(second, key).status_code == 302


def test_readers_are_told_of_edits_since_a_second_reader_counted(
    shelf: Path, author: Client, second: Client, client: Client
) -> None:
    """Until the words are read again, are those that were read, or come from the file."""
    file = shelf / "gate" / "coin.md"
    file.write_text(files.guide("coin").replace("[[message]]", REVIEW, 1))

    def told() -> bool:
        page = client.get("/errors/gate/coin/").content.decode()
        assert "41 statements and 1 command checked, 2 corrected" in page
        return "2 corrected; edited since" in page

    load(shelf)
    assert not told()
    publish(second, waiting(author, title="Rewritten"))
    assert told()
    publish(second, waiting(author, title="The coin is spent"))
    assert not told()
    publish(second, waiting(author, title="Rewritten"))
    again = form_of(author)["part_review"].replace("2026-11-24", "2026-11-25")
    publish(second, waiting(author, title="Read again", review=again))
    assert not told()
    publish(second, waiting(author, title="Rewritten again"))
    assert told()
    file.write_text(Guide.objects.get(slug="coin").text)
    load(shelf)
    assert not told()


def test_reports_on_a_fix_whose_key_is_gone_are_told(author: Client, second: Client) -> None:
    made.reports(Guide.objects.get(slug="coin"), 3, fix="raise-coin", helped="yes")
    form = form_of(author)
    renamed = {name: form[f"part_{name}"].replace("raise-coin", "lift-coin") for name in ("fix", "fixes")}
    told = "3 accepted reports hang on the fix raise-coin, which these words no longer have."
    assert told in send(author, deed="check", **renamed).content.decode()
    key = waiting(author, **renamed)
    assert told in second.get(f"/drafts/{key}/").content.decode()


def test_it_is_published_once(author: Client, second: Client) -> None:
    key = waiting(author, title="Once")
    page = second.get(f"/drafts/{key}/").context
    seen = {"deed": "publish", "revision": page["draft"].revision, "served": page["served"]}
    assert second.post(f"/drafts/{key}/", seen).status_code == 302
    assert second.post(f"/drafts/{key}/", seen).status_code == 422
    assert Guide.objects.get(slug="coin").revisions.count() == 2


def test_a_failure_midway_publishes_nothing(
    author: Client, second: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = waiting(author, title="Half")
    before = Guide.objects.values().get(slug="coin")
    second.raise_request_exception = False

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(QuickFix, "save", broken)
    page = second.get(f"/drafts/{key}/").context
    data = {"deed": "publish", "revision": page["draft"].revision, "served": page["served"]}
    assert second.post(f"/drafts/{key}/", data).status_code == 500
    assert Guide.objects.values().get(slug="coin") == before
    assert Draft.objects.get().stage == Stage.REVIEW


def test_drafts_of_others_are_read_in_review_alone_and_changed_never(author: Client, second: Client) -> None:
    send(author, title="Private")
    key = Draft.objects.get().pk
    url = f"/drafts/{key}/"
    assert second.get(url).status_code == 404
    assert second.get(f"{url}edit/").status_code == 404
    assert second.post(f"{url}edit/", {"deed": "save"}).status_code == 404
    assert "Private" not in second.get("/drafts/").content.decode()
    waiting(author)
    assert second.get(url).status_code == 200
    assert second.get(f"{url}edit/").status_code == 403
    before = Draft.objects.values().get(pk=key)
    for deed in ("save", "withdraw", "discard", "ask"):
        assert second.post(f"{url}edit/", {"deed": deed, "revision": 2}).status_code == 403
    assert Draft.objects.values().get(pk=key) == before
    assert person("reader", "Readers").get(url).status_code == 403
    for forged in ("999999", "9" * 30):
        assert second.get(f"/drafts/{forged}/").status_code == 404


def test_what_may_not_be_posted_is_not_looked_at(author: Client, boss: Client) -> None:
    boss_key = User.objects.get(username="boss").pk
    posted = {"stage": "published", "by": boss_key, "reader": boss_key, "base": "x", "slug": "token",
              "tool": 99, "guide": 99, "remark": "Fine", "id": 7, "pk": 7}  # fmt: skip
    author.post(EDIT, form_of(author) | {"part_title": "Typed", "deed": "save"} | posted)
    draft = Draft.objects.get()
    assert (draft.stage, draft.by and draft.by.username, draft.reader) == (Stage.WRITING, "author", None)
    assert (draft.base, draft.slug, draft.remark) == (files.guide("coin"), "coin", "")


def test_a_base_that_was_forged_overwrites_nothing(author: Client, second: Client) -> None:
    other = Guide.objects.get(slug="token").revisions.get().pk
    for forged in (other, "x", "-1", "9" * 40):
        send(author, deed="discard")
        data = form_of(author) | {"part_title": "Mine", "began": forged, "why": "Forged", "deed": "ask"}
        author.post(EDIT, data)
        draft = Draft.objects.get(stage=Stage.REVIEW)
        assert publish(second, draft.pk).status_code == 409
        author.post(EDIT, {"deed": "withdraw", "revision": draft.revision})
    assert Guide.objects.get(slug="coin").title == "The coin is spent"


def test_a_load_after_publishing_keeps_the_words(shelf: Path, author: Client, second: Client) -> None:
    publish(second, waiting(author, title="Published here"))
    assert load(shelf).conflicts == []
    assert Guide.objects.get(slug="coin").title == "Published here"


@pytest.mark.parametrize("size", [1_000_000, 300_000])
def test_a_text_that_is_too_large_is_refused_with_its_size(author: Client, size: int) -> None:
    answer = send(author, faq="### Q {#q}\n\n" + "word " * (size // 5))
    assert answer.status_code == 413
    assert "256,000 is the most" in answer.content.decode()
    assert len(answer.context["form"].values["faq"]) > size
    assert not Draft.objects.exists()
    for deed in ("preview", "check", "try"):
        data = form_of(author) | {"part_faq": "x" * size, "deed": deed}
        assert "is the most" in author.post(EDIT, data, headers={"HX-Request": "true"}).content.decode()


def test_too_many_lines_are_refused(author: Client) -> None:
    assert send(author, faq="a\n" * 6000 + "b").status_code == 413


def test_an_empty_text_is_refused(author: Client) -> None:
    data = form_of(author) | {"shape": '[["area","all",""]]', "part_all": " \n "}
    assert author.post(EDIT, data).status_code == 422


HOSTILE = '"><script>alert(1)</script>\u202e\0</textarea><img src=x onerror=alert(2)>'


def test_hostile_words_are_harmless_wherever_they_are_shown(author: Client, second: Client) -> None:
    data = form_of(author)
    for name in data:
        if name.startswith("part_") and name != "part_verified":
            data[name] = f"{data[name]} {HOSTILE}".replace('"', "'" if name == "part_title" else '"')
    data |= {"why": HOSTILE, "trial_text": HOSTILE}
    pages = [author.post(EDIT, data | {"deed": deed}) for deed in ("preview", "check", "try_all", "ask")]
    author.post(EDIT, data | {"deed": "save"})
    key = Draft.objects.get().pk
    pages += [author.get(EDIT), author.get(f"/drafts/{key}/"), author.get("/drafts/")]
    Draft.objects.update(stage=Stage.REVIEW, remark=HOSTILE.replace("\0", ""))
    past_the_form = second.get(f"/drafts/{key}/")  # the remark wasn't cleaned: the form would have done it
    pages += [second.get("/drafts/")]
    author.logout()
    pages.append(author.post(EDIT, data))
    for page in (*pages, past_the_form):
        body = page.content.decode()
        assert "<script>alert" not in body
        assert "<img src=x" not in body
        assert "\0" not in body
        assert "\u202e" not in body or page is past_the_form


def test_hostile_words_that_pass_the_checks_are_harmless_in_the_guide(author: Client, second: Client) -> None:
    words = (
        "Call <script>alert(1)</script> [it](javascript:alert(2)) <img src=x onerror=alert(3)>. [^code-coin]"
    )
    publish(
        second, waiting(author, means=words, title="<script>alert(4)</script>", reason="<script>x</script>")
    )
    for url in ("/errors/gate/coin/", "/errors/gate/coin/history/", "/drafts/", "/", "/audit/"):
        body = second.get(url).content.decode()
        assert "<script>alert" not in body
        assert "<script>x" not in body
        assert "javascript:alert" not in body or url != "/errors/gate/coin/"
        assert "<img src=x" not in body
