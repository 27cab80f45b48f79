"""History: who changed what and when, old texts that come back, files that changed too, and retiring."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from kb.guides.exporting import export
from kb.guides.loading import load
from kb.guides.models import Guide
from kb.guides.search import find
from kb.team.models import Draft
from tests.guides import files
from tests.team.desk import EDIT, HISTORY, person, publish, send, waiting

pytestmark = pytest.mark.django_db


def edited(author: Client, second: Client, **changes: str) -> None:
    """A change that was published."""
    assert publish(second, waiting(author, **changes)).status_code == 302


def test_history_is_for_editors(shelf: Path, client: Client, author: Client) -> None:
    assert client.get(HISTORY).status_code == 302
    assert person("reader", "Readers").get(HISTORY).status_code == 403
    page = author.get(HISTORY).content.decode()
    assert "file" in page
    assert author.get("/errors/gate/nothing/history/").status_code == 404


def test_any_two_texts_are_compared(author: Client, second: Client) -> None:
    for title in ("One", "Two", "Three"):
        edited(author, second, title=title, reason=f"Now {title}")
    keys = list(Guide.objects.get(slug="coin").revisions.values_list("pk", flat=True))
    page = author.get(HISTORY).content.decode()
    for words in ("Now One", "Now Two", "Now Three", "author", "browser", "read by second"):
        assert words in page
    assert "<ins>Three</ins>" in page
    compared = author.get(HISTORY, {"before": keys[3], "after": keys[1]}).content.decode()
    assert "<ins>Two</ins>" in compared
    assert author.get(HISTORY, {"before": keys[0], "after": keys[0]}).context["sections"] == []


def test_texts_of_other_guides_are_not_shown(author: Client) -> None:
    other = Guide.objects.get(slug="token").revisions.get().pk
    assert author.get(HISTORY, {"before": other, "after": other}).status_code == 404
    assert author.post(HISTORY, {"deed": "bring_back", "revision": other}).status_code == 404
    assert author.get(HISTORY, {"before": "x", "after": "9" * 40}).status_code in (200, 404)


def test_an_old_text_comes_back_as_a_draft(author: Client, second: Client) -> None:
    edited(author, second, title="A mistake")
    oldest = Guide.objects.get(slug="coin").revisions.last()
    assert oldest is not None
    answer = author.post(HISTORY, {"deed": "bring_back", "revision": oldest.pk})
    assert answer["Location"] == EDIT
    assert Guide.objects.get(slug="coin").title == "A mistake"
    draft = Draft.objects.get(stage="writing")
    assert draft.text == files.guide("coin")
    assert "Bring back the text of" in draft.why
    again = author.post(HISTORY, {"deed": "bring_back", "revision": oldest.pk})
    assert again.status_code == 422
    publish(second, waiting(author))
    assert Guide.objects.get(slug="coin").text == files.guide("coin")
    assert not Guide.objects.get(slug="coin").edited


@pytest.fixture
def twice(shelf: Path, author: Client, second: Client) -> Guide:
    """A guide that was edited here and in its file."""
    edited(author, second, title="Edited here")
    theirs = files.guide("coin").replace("Set a soft limit", "Set a hard limit")
    files.write(shelf, coin=theirs, token=files.guide("token"))
    assert load(shelf).conflicts == ["coin"]
    return Guide.objects.get(slug="coin")


def settle(client: Client, deed: str) -> int:
    """Presses one of the three buttons."""
    data = {"deed": deed, "theirs": client.get(HISTORY).context["theirs"]}
    return client.post(HISTORY, data).status_code


def test_both_differences_are_shown(twice: Guide, author: Client) -> None:
    page = author.get(HISTORY).content.decode()
    assert "Its file changed while it was edited here" in page
    assert "<ins>hard</ins>" in page
    assert "Edited" in page


def test_a_guide_that_was_edited_twice_is_listed_until_that_is_settled(twice: Guide, author: Client) -> None:
    assert f'<a href="{HISTORY}">Edited here</a>' in author.get("/drafts/").content.decode()
    assert "Its file changed too" in author.get(EDIT).content.decode()
    settle(author, "ours")
    assert "Edited here and in their files" not in author.get("/drafts/").content.decode()
    assert "Its file changed too" not in author.get(EDIT).content.decode()


def test_the_file_s_words_are_taken(twice: Guide, author: Client, shelf: Path) -> None:
    assert settle(author, "theirs") == 302
    guide = Guide.objects.get(slug="coin")
    assert (guide.text == guide.base, guide.theirs, guide.title) == (True, "", "The coin is spent")
    assert load(shelf).unchanged == 2


def test_what_is_served_is_kept(twice: Guide, author: Client, shelf: Path) -> None:
    assert settle(author, "ours") == 302
    guide = Guide.objects.get(slug="coin")
    assert (guide.title, guide.theirs) == ("Edited here", "")
    assert load(shelf).conflicts == []
    assert Guide.objects.get(slug="coin").title == "Edited here"


def test_both_are_brought_together_in_a_draft(
    twice: Guide, author: Client, second: Client, shelf: Path
) -> None:
    assert settle(author, "merge") == 302
    text = Draft.objects.get(stage="writing").text
    assert "Edited here" in text
    assert "Set a hard limit" in text
    assert "Set a hard limit" not in Guide.objects.get(slug="coin").text
    publish(second, waiting(author))
    assert "Set a hard limit" in Guide.objects.get(slug="coin").text
    assert load(shelf).conflicts == []


def test_a_draft_that_brings_both_together_and_is_discarded_leaves_the_conflict_open(
    twice: Guide, author: Client, shelf: Path
) -> None:
    settle(author, "merge")
    assert send(author, EDIT, "discard").status_code == 302
    assert Draft.objects.first().stage == "discarded"
    assert "Its file changed while it was edited here" in author.get(HISTORY).content.decode()
    assert load(shelf).conflicts == ["coin"]
    assert export(shelf).conflicts == [shelf / "gate" / "coin.md"]
    assert "Set a hard limit" in (shelf / "gate" / "coin.md").read_text()


def test_lines_that_both_changed_are_shown_and_decided_by_the_author(
    twice: Guide, author: Client, second: Client, shelf: Path
) -> None:
    theirs = twice.theirs.replace("The coin is spent", "Said in the file")
    files.write(shelf, coin=theirs, token=files.guide("token"))
    load(shelf)
    assert settle(author, "merge") == 302
    page = author.get(EDIT).content.decode()
    assert "Said in the file" in page
    assert "Edited here" in page
    assert "Your draft began with the words of the guide" in page
    send(author, EDIT, "rebase_theirs")
    text = Draft.objects.get(stage="writing").text
    assert 'title = "Edited here"' in text
    assert "Set a hard limit" in text
    publish(second, waiting(author))
    assert "Set a hard limit" in Guide.objects.get(slug="coin").text
    assert Guide.objects.get(slug="coin").title == "Edited here"
    assert load(shelf).conflicts == []


def test_a_retired_guide_does_not_come_back_by_the_words_of_its_file(twice: Guide, author: Client) -> None:
    data = {"deed": "theirs", "theirs": author.get(HISTORY).context["theirs"]}
    Guide.objects.filter(slug="coin").update(retired=timezone.now())
    answer = author.post(HISTORY, data)
    assert (answer.status_code, "This guide is retired" in answer.content.decode()) == (422, True)
    assert "Take the file" not in author.get(HISTORY).content.decode()
    assert Guide.objects.get(slug="coin").retired


def test_an_open_draft_is_not_overwritten_by_a_merge(twice: Guide, author: Client) -> None:
    send(author, title="Under way")
    assert settle(author, "merge") == 422
    assert Guide.objects.get(slug="coin").theirs == twice.theirs
    assert "Under way" in Draft.objects.get(stage="writing").text


def test_a_file_that_changed_again_is_looked_at_again(twice: Guide, author: Client) -> None:
    data = {"deed": "theirs", "theirs": author.get(HISTORY).context["theirs"]}
    Guide.objects.update(theirs="something newer")
    assert author.post(HISTORY, data).status_code == 422
    assert Guide.objects.get(slug="coin").title == "Edited here"


def test_a_guide_with_a_file_is_not_retired_here(boss: Client) -> None:
    answer = boss.post("/errors/gate/coin/retire/")
    assert answer.status_code == 422
    assert "This guide has a file" in answer.content.decode()
    assert Guide.objects.get(slug="coin").retired is None


def made_here(shelf: Path) -> None:
    """Makes `coin` a guide that has no file."""
    Guide.objects.filter(slug="coin").update(base="")
    (shelf / "gate" / "coin.md").unlink()
    (shelf / "gate" / "slugs.txt").write_text("token\n")


def test_a_guide_made_here_is_retired_and_comes_back(shelf: Path, boss: Client, client: Client) -> None:
    made_here(shelf)
    url = "/errors/gate/coin/retire/"
    for other in (person("writer"), person("reader", "Readers")):
        assert other.get(url).status_code == 403
        assert other.post(url).status_code == 403
    assert boss.get(url).status_code == 200
    assert Guide.objects.get(slug="coin").retired is None
    assert boss.post(url)["Location"] == "/errors/gate/coin/"
    assert Guide.objects.get(slug="coin").retired
    assert "Retired on" in client.get("/errors/gate/coin/").content.decode()
    assert "/errors/gate/coin/" not in client.get("/errors/").content.decode()
    assert find("coin") == []
    assert load(shelf).unchanged == 1
    assert boss.post(url).status_code == 302
    assert Guide.objects.get(slug="coin").retired is None
    assert "Retired on" not in client.get("/errors/gate/coin/").content.decode()
    assert len(find("coin")) == 1
    history = boss.get(HISTORY).content.decode()
    assert "Retired" in history
    assert "Brought back into the lists" in history


def test_a_guide_that_others_name_is_not_retired(author: Client, second: Client, boss: Client) -> None:
    edited(author, second, related="token")
    Guide.objects.filter(slug="token").update(base="")
    answer = boss.post("/errors/gate/token/retire/")
    assert "Take it out of the related guides of coin first." in answer.content.decode()


def test_a_retired_guide_is_not_published_in(
    shelf: Path, author: Client, second: Client, boss: Client
) -> None:
    Guide.objects.filter(slug="coin").update(base="")
    key = waiting(author, title="Late")
    boss.post("/errors/gate/coin/retire/")
    assert publish(second, key).status_code == 422
    assert Guide.objects.get(slug="coin").retired


def test_history_survives_the_person(author: Client, second: Client) -> None:
    edited(author, second, title="Theirs")
    User.objects.get(username="author").delete()
    page = second.get(HISTORY).content.decode()
    assert "browser" in page
    assert "read by second" in page
