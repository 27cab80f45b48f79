"""Which guides are due, and that each is told of once; releases are small made-up wheels."""

import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from kb.guides.loading import load
from kb.guides.models import Guide, Release, Tool
from kb.notices.models import Delivery, Subscription
from kb.notices.tasks import sweep
from kb.team import due
from kb.team.due import (
    Change,
    Cited,
    Noted,
    changes,
    fixed_parts,
    looked_at_since,
    newest_cited,
    not_noted,
)
from kb.team.management.commands import note_release
from kb.team.models import Note, ReleaseFile
from kb.team.releases import as_in
from kb.team.roles import Role
from tests.guides import files

THEN, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
ORDER = {"1.0": 0, "2.0": 1, "3.0": 2}
Wheel = Callable[..., Path]


@pytest.fixture
def editor(db: None) -> User:
    """Somebody who may write."""
    user = User.objects.create_user("erin", password="a long password")
    user.groups.add(Group.objects.get(name=Role.EDITOR.label))
    return user


@pytest.fixture
def desk(editor: User, client: Client) -> Client:
    """The editor's browser."""
    client.force_login(editor)
    return client


@pytest.fixture
def wheel(tmp_path: Path) -> Wheel:
    """Makes a wheel of the package `gate`; its files say who they are."""

    def make(version: str, name: str = "gate", says: str = "", **paths: str) -> Path:
        file = tmp_path / f"gate-{says or version}-py3-none-any.whl"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(
                f"gate-{version}.dist-info/METADATA",
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
            )
            for path, text in paths.items():
                archive.writestr(f"gate/{path}.py", text)
        return file

    return make


def note_wheel(file: Path, **more: Any) -> str:
    """What the command says."""
    out = StringIO()
    call_command("note_release", str(file), stdout=out, **more)
    return out.getvalue()


# The pure part


def had(words: str | None, sha256: str = "x") -> Noted:
    """A file with the words `w` (yes), without them (no), or in which nobody looked for them (None)."""
    return Noted(sha256, NOW, {} if words is None else {"w": words == "yes"})


def test_of_several_releases_the_newest_citations_count() -> None:
    older = [Cited(1, "1.0", "a", "w"), Cited(3, "0.1", "a", "w")]
    newer = [Cited(1, "2.0", "a", "w"), Cited(1, "2.0", "a", "v"), Cited(2, "1.0", "a", "w")]
    assert newest_cited(older + newer, ORDER) == newer


@pytest.mark.parametrize(
    ("now", "gone", "due"),
    [
        (had("no"), False, True),
        (had(None, ""), True, True),
        (had("yes"), False, False),
        (had("yes", "another digest"), False, False),
        (had(None), False, False),
        (None, False, False),
    ],
)
def test_words_are_looked_for_in_the_newest_release_that_was_noted(
    now: Noted | None, gone: bool, due: bool
) -> None:
    known = {("1.0", "a"): had("yes"), ("2.0", "a"): had("no"), ("3.0", "b"): had("yes"), ("3.0", "a"): now}
    files = {key: noted for key, noted in known.items() if noted}
    change = Change(1, "a", ("w",), "1.0", "3.0", gone, NOW)
    assert changes([Cited(1, "1.0", "a", "w")], files, ORDER) == [change] * due


def test_all_lost_words_of_a_file_are_one_change() -> None:
    now = {("3.0", "a"): Noted("x", NOW, {"v": False, "w": False, "still": True})}
    rows = [Cited(1, "1.0", "a", words) for words in ("w", "still", "v", "w")]
    assert changes(rows, now, ORDER) == [Change(1, "a", ("w", "v"), "1.0", "3.0", False, NOW)]


@pytest.mark.parametrize(
    ("then", "due"), [(had("yes"), True), (had("no"), False), (had(None), False), (None, False)]
)
def test_a_message_s_words_count_only_where_the_older_release_had_them(then: Noted | None, due: bool) -> None:
    known = {("1.0", "a"): then, ("3.0", "a"): had("no")}
    files = {key: noted for key, noted in known.items() if noted}
    assert bool(changes([Cited(1, "1.0", "a", "w", proven=False)], files, ORDER)) is due


def test_a_guide_that_cites_the_newest_release_is_not_due_because_of_older_ones() -> None:
    known = {("1.0", "a"): had("yes"), ("2.0", "a"): had("no")}
    assert changes([Cited(1, "3.0", "a", "w")], known, ORDER) == []
    assert changes([Cited(1, "2.0", "a", "w")], known, ORDER) == []
    assert changes([], {}, ORDER) == []


def test_what_was_never_looked_for_is_named_rather_than_taken_as_unchanged() -> None:
    known = {("3.0", "a"): had("yes")}
    rows = [Cited(1, "1.0", "a", "w"), Cited(2, "1.0", "a", "v"), Cited(3, "2.0", "b", "w")]
    assert not_noted(rows, known, ORDER) == {"3.0": 2}
    assert not_noted([rows[0], Cited(4, "1.0", "a", "v", proven=False)], known, ORDER) == {}
    assert not_noted(rows, {}, ORDER) == {}


def test_the_fixed_parts_of_a_message_are_looked_for() -> None:
    message = "The budget of {key} is spent: {cost} of {limit}, ask\nwhoever runs it {}"
    assert fixed_parts(message) == ["The budget of", "whoever runs it {}"]


def test_a_wheel_s_own_facts_are_found_under_another_version() -> None:
    assert as_in("2.0", "gate-1.0.dist-info/METADATA") == "gate-2.0.dist-info/METADATA"
    assert as_in("2.0", "gate/coin.py") == "gate/coin.py"


def test_a_guide_is_looked_at_by_its_date_and_on_that_day_by_its_last_edit() -> None:
    day = NOW.date()
    assert looked_at_since(day + timedelta(days=1), None, NOW)
    assert not looked_at_since(day - timedelta(days=1), NOW + timedelta(days=9), NOW)
    assert not looked_at_since(day, NOW - timedelta(hours=1), NOW)
    assert not looked_at_since(day, None, NOW)
    assert looked_at_since(day, NOW + timedelta(hours=1), NOW)


# Releases


OLD, NEW = "it is spent", "it is gone"  # with and without what the guides cite: `is spent`


def test_a_release_without_the_cited_words_makes_its_guide_due(library: Path, wheel: Wheel) -> None:
    said = note_wheel(wheel("2.0", coin=NEW, token=f"all else is new, but {OLD}"))
    assert "due: coin\n  gate/coin.py: 2.0 lacks what 1.0 had: is spent\n1 guide is due." in said
    assert "token" not in said
    assert "not compared" not in said


def test_a_release_without_the_fixed_words_of_a_message_makes_its_guide_due(
    library: Path, wheel: Wheel
) -> None:
    message, other = "'The coin is spent: {cost} of {limit}'", "'No coin at all is left for {cost}'"
    text = files.guide("coin").replace(message, other)
    assert other in text
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    had_it = f"{OLD}: No coin at all is left for"
    assert "0 guides are due." in note_wheel(wheel("2.0", coin=OLD, token=OLD))
    said = note_wheel(wheel("1.0", coin=had_it, token=OLD))
    assert "gate/coin.py: 2.0 lacks what 1.0 had: No coin at all is left for" in said


def test_words_that_a_guide_cites_since_are_looked_for_again(library: Path, wheel: Wheel) -> None:
    assert "not compared" not in note_wheel(wheel("2.0", coin=OLD, token=OLD))
    text = files.guide("coin").replace('contains = "is spent"', 'contains = "is counted"')
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    assert due.gaps(Tool.objects.get()) == {"2.0": 1}
    noted = ReleaseFile.objects.get(path="gate/coin.py").noted
    assert "2.0 lacks what 1.0 had: is counted" in note_wheel(wheel("2.0", coin=OLD, token=OLD))
    assert due.gaps(Tool.objects.get()) == {}
    assert ReleaseFile.objects.get(path="gate/coin.py").noted == noted


def test_who_wants_to_know_is_told_once_of_all_guides_that_a_release_made_due(
    library: Path, wheel: Wheel
) -> None:
    Subscription.objects.create(
        name="ops", kind="webhook", address="https://x.example/", events=["guide.due"]
    )
    note_wheel(wheel("1.0", coin=OLD, token=OLD))
    assert not Delivery.objects.exists()
    note_wheel(wheel("2.0", coin=NEW, token=NEW))
    told = Delivery.objects.get()
    assert (told.subject, told.path) == ("2 guides cite words that Gate 2.0 changed", "/due/")


def test_a_file_that_is_gone_makes_its_guide_due(library: Path, wheel: Wheel) -> None:
    assert "gate/coin.py: gone from 2.0 since 1.0" in note_wheel(wheel("2.0", token=OLD))


def test_a_guide_that_was_verified_since_is_not_due(library: Path, wheel: Wheel) -> None:
    note_wheel(wheel("2.0", coin=NEW, token=OLD))
    tool = Tool.objects.get()
    coin = Guide.objects.get(slug="coin")
    assert list(due.by_release(tool)) == [coin.pk]
    tomorrow = timezone.localdate() + timedelta(days=1)
    text = files.guide("coin").replace("verified = 2026-11-24", f"verified = {tomorrow}")
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    assert due.by_release(tool) == {}


def test_noting_the_same_again_changes_nothing(library: Path, wheel: Wheel) -> None:
    note_wheel(wheel("2.0", coin=NEW))
    before = list(ReleaseFile.objects.values())
    note_wheel(wheel("2.0", coin=NEW))
    assert list(ReleaseFile.objects.values()) == before
    assert {row["path"]: (bool(row["sha256"]), row["words"]["is spent"]) for row in before} == {
        "gate/coin.py": (True, False),
        "gate/token.py": (False, False),
    }


def test_a_retired_guide_is_not_due(library: Path, wheel: Wheel) -> None:
    note_wheel(wheel("2.0", coin=NEW, token=OLD))
    Guide.objects.filter(slug="coin").update(retired=timezone.now())
    assert due.by_release(Tool.objects.get()) == {}


def test_a_file_that_is_no_wheel_is_refused(library: Path, tmp_path: Path, wheel: Wheel) -> None:
    torn = tmp_path / "gate-1.0-py3-none-any.whl"
    torn.write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(CommandError, match="can't be read as a wheel"):
        note_wheel(torn)
    with pytest.raises(CommandError, match="can't be read as a wheel"):
        note_wheel(tmp_path / "gate-7.whl")
    with zipfile.ZipFile(torn, "w") as archive:
        archive.writestr("gate/coin.py", "no metadata")
    with pytest.raises(CommandError, match="is no wheel"):
        note_wheel(torn)
    assert not ReleaseFile.objects.exists()


def test_what_a_wheel_says_of_itself_counts(library: Path, wheel: Wheel) -> None:
    with pytest.raises(CommandError, match="holds other, not gate"):
        note_wheel(wheel("1.0", name="other"))
    with pytest.raises(CommandError, match=r"no release 9\.0 here .it has 1\.0, 2\.0.. Add it"):
        note_wheel(wheel("9.0", says="1.0"))
    assert not ReleaseFile.objects.exists()


@pytest.mark.parametrize(
    "version", ["1.82.7", "1.82.8", "1.107.0", "1.107", "v1.82.07", "1.82.8.0", "1.82.7+x"]
)
def test_a_compromised_release_is_neither_fetched_nor_read(
    library: Path, wheel: Wheel, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetched(*args: Any, **more: Any) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr("subprocess.run", fetched)
    tool = Tool.objects.create(slug="litellm", name="LiteLLM")
    Release.objects.create(tool=tool, version=version, position=1)
    wheels = wheel(version, name="LiteLLM")
    with pytest.raises(CommandError, match="reported as compromised"):
        note_wheel(wheels.rename(wheels.with_name(f"litellm-{version}-py3-none-any.whl")))
    if not version.startswith("v"):
        with pytest.raises(CommandError, match="reported as compromised"):
            call_command("note_release", f"LiteLLM=={version}")
    assert not ReleaseFile.objects.exists()


@pytest.mark.parametrize(
    "asked", ["gate", "gate>=1", "gate==1.*", "--index-url=x", "gate==1.0 other", "-r x"]
)
def test_nothing_but_one_release_can_be_asked_for(library: Path, asked: str) -> None:
    with pytest.raises(note_release.releases.CannotNote, match="give PACKAGE==VERSION"):
        note_release.note(asked, None)


def test_a_release_is_fetched_as_a_wheel_and_nothing_of_it_is_installed(
    library: Path, wheel: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    class Done:
        returncode, stderr = 0, ""

    def run(command: list[str], **more: Any) -> Done:
        ran.append(command)
        wheel("1.0", coin="x").rename(Path(command[-1]) / "gate-1.0-py3-none-any.whl")
        return Done()

    monkeypatch.setattr("subprocess.run", run)
    out = StringIO()
    call_command("note_release", "gate==1.0", stdout=out)
    assert "Noted: Gate 1.0." in out.getvalue()
    assert {"download", "--no-deps", "--only-binary=:all:", "gate==1.0"} < set(ran[0])
    with pytest.raises(CommandError, match="There is no tool 'other'"):
        call_command("note_release", "other==1.0")
    assert len(ran) == 1


# Dates, owners and reminders


def noted(slug: str, **fields: Any) -> Note:
    """A note on a guide."""
    return Note.objects.create(guide=Guide.objects.get(slug=slug), **fields)


def slugs(guides: Any) -> list[str]:
    """What a list holds."""
    return [guide.slug for guide in guides]


def test_dates_sort_guides_into_overdue_and_soon(library: Path) -> None:
    today = date(2027, 1, 1)
    for days, late, next_ in ((-1, ["coin"], []), (0, [], ["coin"]), (14, [], ["coin"]), (15, [], [])):
        Note.objects.all().delete()
        noted("coin", next_review=today + timedelta(days=days))
        assert (slugs(due.overdue(today)), slugs(due.soon(today))) == (late, next_), days


def test_a_guide_of_somebody_who_left_has_no_owner(library: Path, editor: User) -> None:
    noted("coin", owner=editor)
    assert slugs(due.unowned()) == ["token"]
    editor.is_active = False
    editor.save()
    assert slugs(due.unowned()) == ["coin", "token"]


def test_the_page_shows_each_reason_with_its_guides(
    library: Path, desk: Client, editor: User, wheel: Wheel
) -> None:
    note_wheel(wheel("2.0", coin=NEW, token=OLD))
    noted("token", owner=editor, next_review=timezone.localdate() - timedelta(days=3))
    page = desk.get("/due/")
    assert page.context["tabs"] == [
        ("overdue", "Overdue", 1), ("release", "Changed by a release", 1),
        ("soon", "Due within 14 days", 0), ("unowned", "Without an owner", 1),
    ]  # fmt: skip
    assert "/errors/gate/token/" in page.content.decode()
    assert "review was due" in page.content.decode()
    page = desk.get("/due/?why=release").content.decode()
    assert "<code>gate/coin.py</code> lacks in 2.0 what it had in 1.0: <q><code>is spent</code></q>" in page
    assert "No review falls into the next two weeks." in desk.get("/due/?why=soon").content.decode()
    assert "/errors/gate/coin/" in desk.get("/due/?why=unowned").content.decode()
    assert desk.get("/due/?why=<script>").context["here"] == "overdue"


def test_the_page_says_what_can_not_be_compared(library: Path, desk: Client, wheel: Wheel) -> None:
    note_wheel(wheel("2.0", coin=OLD, token=OLD))
    ReleaseFile.objects.update(words={})
    page = desk.get("/due/?why=release").content.decode()
    assert "2 guides cite words" in page
    assert "looked for in Gate 2.0" in page


def test_who_may_not_write_does_not_see_what_is_due(library: Path, client: Client) -> None:
    assert client.get("/due/").headers["Location"].endswith("?next=/due/")
    reviewer = User.objects.create_user("rio")
    reviewer.groups.add(Group.objects.get(name=Role.REVIEWER.label))
    client.force_login(reviewer)
    assert client.get("/due/").status_code == 403
    reviewer.user_permissions.add(Permission.objects.get(codename="write"))
    assert client.get("/due/").status_code == 200


def remind() -> str:
    """What the daily command says."""
    out = StringIO()
    call_command("remind", stdout=out)
    return out.getvalue()


def test_an_overdue_guide_is_told_of_once_for_each_date(library: Path, editor: User) -> None:
    Subscription.objects.create(name="mail", kind="email", address="team@example.com", events=["guide.due"])
    yesterday = timezone.localdate() - timedelta(days=1)
    note = noted("coin", owner=editor, next_review=yesterday)
    noted("token", next_review=timezone.localdate())
    assert remind() == "overdue: coin, owner: erin\n1 reminder given.\n"
    assert remind() == "0 reminders given.\n"
    told = Delivery.objects.get()
    assert (told.event, told.path) == ("guide.due", "/errors/gate/coin/")
    assert dict(told.facts)["Owner"] == "erin"
    Note.objects.filter(pk=note.pk).update(next_review=yesterday - timedelta(days=7), owner=None)
    assert "owner: nobody" in remind()
    assert Delivery.objects.count() == 2


def test_a_retired_guide_is_not_told_of(library: Path) -> None:
    noted("coin", next_review=date(2020, 1, 1))
    Guide.objects.update(retired=timezone.now())
    assert remind() == "0 reminders given.\n"


def test_a_reminder_that_could_not_be_announced_is_given_later(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted("coin", next_review=date(2020, 1, 1))

    def broken(*args: Any) -> None:
        raise OSError("no queue")

    with monkeypatch.context() as patched:
        patched.setattr(due, "announce", broken)
        with pytest.raises(OSError, match="no queue"):
            remind()
    assert "1 reminder given." in remind()


def test_two_runs_at_once_remind_once(library: Path) -> None:
    note = noted("coin", next_review=date(2020, 1, 1))
    same = Note.objects.select_related("guide__tool", "owner").get(pk=note.pk)
    assert due.told(note) is True
    assert due.told(same) is False


def test_the_worker_s_sweep_gives_reminders_too(library: Path) -> None:
    Subscription.objects.create(name="mail", kind="email", address="a@example.com", events=["guide.due"])
    noted("coin", next_review=date(2020, 1, 1))
    sweep()
    sweep()
    assert [told.event for told in Delivery.objects.all()] == ["guide.due"]
