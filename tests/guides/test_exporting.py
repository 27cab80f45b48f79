"""Guides that were edited in the browser keep their words, and go back into files byte for byte."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from kb.guides import shelf
from kb.guides.loading import load, publish
from kb.guides.models import Guide, Release, Tool
from kb.guides.source import ContentError, parse
from tests.guides import files

pytestmark = pytest.mark.django_db


def edit(slug: str, old: str, new: str) -> Guide:
    """The guide after somebody published it in the browser with `new` for `old`."""
    guide = Guide.objects.select_related("tool").get(slug=slug)
    text = guide.text.replace(old, new)
    assert text != guide.text
    with transaction.atomic():
        publish(shelf.tool_source(guide.tool), guide, parse(text, slug, slug), None, "Tried out")
    return Guide.objects.get(slug=slug)


def contents(folder: Path) -> dict[str, bytes]:
    """Every content file below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_load_export_load_changes_no_byte(real_library: Path, tmp_path: Path) -> None:
    call_command("export_content", tmp_path)
    written = contents(tmp_path)
    assert len(written) > 40
    for name, data in written.items():
        if not name.endswith("tool.toml"):
            assert data == (real_library / name).read_bytes(), name
    before = {guide.slug: guide.page_html for guide in Guide.objects.all()}
    assert load(real_library).unchanged == len(before)


def test_exporting_over_its_own_folder_writes_nothing(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(library)
    call_command("export_content", library)
    assert contents(library) == before
    assert "0 files written" in capsys.readouterr().out


def test_an_edited_guide_shows_at_once_and_survives_the_next_load(library: Path) -> None:
    edit("coin", "The key of coin is spent.", "No coin is left.")
    again = load(library)
    assert (again.changed, again.conflicts, again.unchanged) == ([], [], 2)
    assert "No coin is left." in Guide.objects.get(slug="coin").page_html


def test_every_text_that_was_served_is_kept_with_who_and_why(library: Path) -> None:
    guide = edit("coin", "The key of coin is spent.", "No coin is left.")
    load(library)
    assert [(row.why, "No coin is left." in row.text) for row in guide.revisions.all()] == [
        ("Tried out", True),
        ("", False),
    ]


def test_an_export_brings_the_edit_into_its_file_and_the_next_load_agrees(library: Path) -> None:
    text = edit("coin", "The key of coin is spent.", "No coin is left.").text
    call_command("export_content", library)
    assert (library / "gate" / "coin.md").read_text() == text
    again = load(library)
    assert (again.changed, again.conflicts) == ([], [])
    assert not Guide.objects.get(slug="coin").edited


def test_a_guide_edited_in_both_places_is_reported_and_keeps_the_browsers_words(
    library: Path, capsys: pytest.CaptureFixture[str], settings: object
) -> None:
    edit("coin", "The key of coin is spent.", "No coin is left.")
    theirs = files.guide("coin", title="Out of coins")
    files.write(library, coin=theirs, token=files.guide("token"))
    for _ in range(2):
        assert load(library).conflicts == ["coin"]
    guide = Guide.objects.get(slug="coin")
    assert (guide.summary, guide.theirs) == ("No coin is left.", theirs)
    settings.CONTENT_DIR = library  # type: ignore[attr-defined]
    call_command("load_content")
    assert "edited twice: coin" in capsys.readouterr().err


def test_a_guide_made_in_the_browser_is_not_retired_and_gets_a_file(library: Path) -> None:
    tool = Tool.objects.get(slug="gate")
    file = parse(files.guide("medal"), "medal", "medal")
    guide = Guide(tool=tool, slug="medal")
    with transaction.atomic():
        publish(shelf.tool_source(tool), guide, file, None, "New")
    assert load(library).retired == []
    call_command("export_content", library)
    assert (library / "gate" / "medal.md").read_text() == file.text
    captures = library / "gate" / "captures" / "1.0"
    (captures / "medal.json").write_bytes((captures / "coin.json").read_bytes())
    assert "medal" in (library / "gate" / "slugs.txt").read_text().split()
    assert load(library).unchanged == 3


def test_a_tool_made_in_the_admin_is_exported_and_loads_again(library: Path) -> None:
    tool = Tool.objects.create(
        slug="lock", name='Lock "2"', summary="Opens.", homepage="https://lock.example/",
        source="https://lock.example/{version}/{path}", marks=["locklib"],
    )  # fmt: skip
    Release.objects.create(tool=tool, version="1.0", position=0)
    names = ("name", "summary", "homepage", "source", "marks")
    before = Tool.objects.values(*names).get(slug="lock")
    call_command("export_content", library)
    Tool.objects.filter(slug="lock").update(name="Other", summary="", homepage="", source="", marks=[])
    load(library)
    assert Tool.objects.values(*names).get(slug="lock") == before
    assert [release.version for release in tool.releases.all()] == ["1.0"]


def test_line_ends_that_would_not_survive_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"coin:2: end lines with LF alone"):
        parse(files.guide("coin").replace("\n", "\r\n", 2).replace("\r\n", "\n", 1), "coin", "coin")


def test_a_file_that_changed_on_disk_is_not_overwritten(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit("coin", "The key of coin is spent.", "No coin is left.")
    token = edit("token", "The key of token is spent.", "No token is left.")
    file = library / "gate" / "coin.md"
    file.write_text(files.guide("coin", title="Out of coins"))
    with pytest.raises(CommandError, match="1 files written, 1 not"):
        call_command("export_content", library)
    assert file.read_text() == files.guide("coin", title="Out of coins")
    assert (library / "gate" / "token.md").read_text() == token.text
    assert f"changed on disk: {file}" in capsys.readouterr().err


def test_a_guide_that_was_loaded_before_texts_were_kept_has_no_file_to_write(
    library: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    Guide.objects.filter(slug="coin").update(text="", base="")
    before = contents(library)
    call_command("export_content", library)
    assert contents(library) == before
    assert "no text yet:" in capsys.readouterr().err
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    call_command("export_content", elsewhere)
    assert sorted(contents(elsewhere)) == ["gate/slugs.txt", "gate/token.md", "gate/tool.toml"]
    assert contents(elsewhere)["gate/slugs.txt"] == b"token\n"
