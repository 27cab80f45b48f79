"""All data as JSON and back: nothing lost, no secret carried, nothing half taken in."""

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connection

from kb.evidence import moderation
from kb.evidence.models import EvidenceReport, State
from kb.guides.loading import load
from kb.guides.models import Guide
from kb.guides.search import find
from kb.team import transfer
from kb.team.models import Draft, Note
from tests.evidence import test_moderation
from tests.guides import files

pytestmark = pytest.mark.django_db(transaction=True)
in_threads = test_moderation.in_threads


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """An instance with something in every room."""
    emptied()
    folder = files.two(tmp_path)
    load(folder)
    ada = User.objects.create_user("ada", "ada@example.com", "long enough words")
    ada.groups.add(Group.objects.get(name="Editors"))
    guide = Guide.objects.get(slug="coin")
    for place in range(3):
        report = EvidenceReport.objects.create(
            tool=guide.tool,
            guide=guide,
            form=f"form-{place}",
            version="1.0",
            story="It fits — 😀",
            fits="same",
        )
        if place:
            moderation.decide(report, State.ACCEPTED, "", ada, 0)
    Note.objects.create(guide=guide, words="Ask Bob", owner=ada)
    Draft.objects.create(tool=guide.tool, guide=guide, slug="coin", text=guide.text, by=ada)
    return folder


def exported() -> str:
    out = io.StringIO()
    transfer.export(out)
    return out.getvalue()


def emptied() -> None:
    call_command("flush", interactive=False, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM guides_search")


def everything() -> dict[str, object]:
    """All rows that travel, by table."""
    left_out = {"id", "password", "digest", "updated", "object_id", "last_login"}
    return {
        model._meta.label: sorted(
            repr([(k, v) for k, v in row.items() if k not in left_out and not k.endswith("_id")])
            for row in model._default_manager.values()
        )
        for model in transfer.moved()
    }


def test_an_empty_instance_becomes_the_same(filled: Path) -> None:
    text, before, found = exported(), everything(), find("coin")
    page = Guide.objects.get(slug="coin").page_html
    emptied()
    transfer.take_in(text)
    assert everything() == before
    assert len(found) == len(find("coin")) == 1
    assert Guide.objects.get(slug="coin").page_html == page
    assert load(filled).unchanged == 2
    ada = User.objects.get(username="ada")
    assert ada.has_perm("guides.write")
    assert not ada.has_usable_password()
    again = EvidenceReport.objects.get(form="form-0")
    assert moderation.decide(again, State.REJECTED, "Twice", ada, 0).by == ada


class Meanwhile(io.StringIO):
    """A file during whose writing, once, somebody else writes into the database."""

    def __init__(self, busy: Callable[[], object]) -> None:
        super().__init__()
        self.busy: Callable[[], object] | None = busy

    def write(self, text: str) -> int:
        if '"auth.user"' in text and self.busy:
            self.busy, busy = None, self.busy
            busy()
        return super().write(text)


def test_an_export_is_of_one_moment_and_holds_up_nobody(
    in_threads: Callable[..., list[Any]], tmp_path: Path
) -> None:
    def work() -> None:
        user = User.objects.create_user("late")
        Note.objects.create(guide=Guide.objects.get(slug="coin"), words="Later", owner=user)

    def export() -> tuple[str, list[Any]]:
        done: list[Any] = []
        User.objects.create_user("early")
        out = Meanwhile(lambda: done.extend(in_threads(work)))
        transfer.export(out)
        return out.getvalue(), done

    ((text, done),) = in_threads(export)
    assert done == [None]
    rows = json.loads(text)["rows"]
    assert [row["fields"]["username"] for row in rows if row["model"] == "auth.user"] == ["early"]
    assert not [row for row in rows if row["model"] == "team.note"]


def test_new_rows_can_be_made_after_an_import(filled: Path) -> None:
    text = exported()
    emptied()
    transfer.take_in(text)
    assert User.objects.create_user("bob").pk
    assert Draft.objects.create(tool=Guide.objects.all()[0].tool, slug="x", text="x").pk


def test_no_secret_leaves_the_instance(filled: Path) -> None:
    subscription = apps.get_model("notices", "Subscription")
    subscription.objects.create(
        name="Chat", kind="slack", address="https://hooks.example/T0/B0/verysecret", events=["report.new"]
    )
    hashed = User.objects.get(username="ada").password
    text = exported()
    assert "Chat" in text
    assert hashed not in text
    assert "verysecret" not in text
    assert "whsec_" not in text


def test_an_instance_in_use_takes_nothing_in(filled: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.json"
    call_command("export_data", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = everything()
    with pytest.raises(CommandError, match="import into an empty instance"):
        call_command("import_data", file)
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_data", file)
    assert everything() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[: len(text) // 2], "no JSON, or it breaks off"),
        (lambda text: "[]", "no export of Culprit"),
        (lambda text: text.replace('"guides.0001_initial"', '"guides.9999_later"'), "newer version"),
        (lambda text: text.replace('"slug": "token"', '"slug": "coin"'), "breaks off or was changed"),
        (lambda text: text.replace('"state": "pending"', '"state": "public"'), "breaks off or was changed"),
        (lambda text: text.replace('"model": "team.note"', '"model": "sessions.session"'), "was changed"),
        (lambda text: drop(text, "guides.tool"), "breaks off or was changed"),
    ],
    ids=["cut", "other JSON", "newer", "doubled", "forged state", "strange table", "row missing"],
)
def test_a_file_that_is_wrong_anywhere_changes_nothing(filled: Path, change: object, words: str) -> None:
    text = exported()
    emptied()
    with pytest.raises(transfer.Refused, match=words):
        transfer.take_in(change(text))  # type: ignore[operator]
    assert not Guide.objects.exists()
    assert not User.objects.exists()
    assert find("coin") == []


def drop(text: str, model: str) -> str:
    """The export without the rows of one table."""
    data = json.loads(text)
    data["rows"] = [row for row in data["rows"] if row["model"] != model]
    return json.dumps(data)
