"""Content files into the database: all or nothing, and nothing that readers need is lost."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, OperationalError, transaction
from django.test import Client
from pytest_django import Settings

from kb.guides import loading, matching
from kb.guides.loading import load
from kb.guides.models import Cause, Guide, QuickFix, Release, Source, Tool
from kb.guides.search import find
from kb.guides.source import ContentError
from tests.guides import files

pytestmark = pytest.mark.django_db


def test_a_load_brings_in_every_part(library: Path) -> None:
    guide = Guide.objects.get(slug="coin")
    assert guide.hero == "The coin is spent: {cost} of {limit}"
    assert [release.version for release in guide.releases.all()] == ["1.0", "2.0"]
    fix = guide.fixes.get()
    assert (fix.who, fix.retry) == ("proxy_admin", "now")
    assert fix.helps_in == [("1.0", "yes", "helps"), ("2.0", "no", "does not help")]
    assert [cause.key for cause in fix.causes.all()] == ["spent-coin"]
    assert guide.checks.get().title == "Redis: the coin counter"
    code = guide.sources.get(kind="code")
    assert code.url == "https://code.example/1.0/gate/coin.py"
    for words in ("Raise the limit of coin", "Set a soft limit for coin", "Does a retry of coin help?"):
        assert words in guide.page_html


def test_citations_become_chips_that_lead_to_their_source(library: Path) -> None:
    guide = Guide.objects.get(slug="coin")
    assert 'href="#source-code-coin"' in guide.meaning_html
    assert "code 1.0</a>" in guide.meaning_html
    assert 'id="source-code-coin"' in guide.page_html


def test_a_second_load_changes_nothing(library: Path) -> None:
    before = list(Guide.objects.order_by("pk").values())
    again = load(library)
    assert (again.added, again.changed, again.retired, again.unchanged) == ([], [], [], 2)
    assert list(Guide.objects.order_by("pk").values()) == before


def test_a_changed_file_changes_its_guide_alone(library: Path) -> None:
    cause = Cause.objects.get(key="spent-coin")
    files.write(library, coin=files.guide("coin", title="Out of coins"), token=files.guide("token"))
    again = load(library)
    assert (again.changed, again.unchanged) == (["coin"], 1)
    assert Guide.objects.get(slug="coin").title == "Out of coins"
    assert Cause.objects.get(key="spent-coin").pk == cause.pk


def test_a_changed_word_of_any_entry_is_shown(library: Path, client: Client) -> None:
    text = files.guide("coin")
    told = (
        "Raise the limit of coin.",
        "More coin money",
        "The coin spend is wanted.",
        "The coin call answers",
    )
    for words in told:
        assert words in text
        text = text.replace(words, words.upper())
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    page = client.get("/errors/gate/coin/").content.decode()
    for words in told:
        assert words.upper() in page
        assert words not in page


def test_a_changed_source_is_named_anew_wherever_it_is_cited(library: Path, client: Client) -> None:
    cited = client.get("/errors/gate/coin/").content.decode().count('title="Where coin is counted"')
    text = files.guide("coin").replace("Where coin is counted", "How coin is counted")
    files.write(library, coin=text.replace("code-coin", "counting"), token=files.guide("token"))
    load(library)
    page = client.get("/errors/gate/coin/").content.decode()
    assert page.count('title="How coin is counted"') == cited > 1
    assert "Where coin is counted" not in page


def test_one_broken_file_stops_the_whole_load(library: Path) -> None:
    broken = files.guide("token").replace("## FAQ", "## Questions")
    files.write(library, coin=files.guide("coin", title="Out of coins"), token=broken)
    with pytest.raises(ContentError) as caught:
        load(library)
    assert "token.md" in str(caught.value)
    assert Guide.objects.get(slug="coin").title == "The coin is spent"


def test_a_failure_midway_leaves_everything_as_it_was(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(library, coin=files.guide("coin", title="A"), token=files.guide("token", title="B"))
    monkeypatch.setattr(QuickFix, "save", fail_on("raise-token", QuickFix.save))
    with pytest.raises(RuntimeError):
        load(library)
    assert {guide.title for guide in Guide.objects.all()} == {"The coin is spent", "The token is spent"}


def fail_on(key: str, save: object) -> object:
    """A save that breaks on one key."""

    def broken(self: QuickFix, *args: object, **kwargs: object) -> None:
        if self.key == key:
            raise RuntimeError("the disk is full")
        save(self, *args, **kwargs)  # type: ignore[operator]

    return broken


def test_a_removed_file_retires_its_guide_and_keeps_its_page(library: Path, client: object) -> None:
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    assert load(library).retired == ["coin"]
    guide = Guide.objects.get(slug="coin")
    assert guide.retired is not None
    assert guide.causes.count() == 1
    assert find("coin") == []
    assert client.get(guide.get_absolute_url()).status_code == 200  # type: ignore[attr-defined]


def test_a_file_that_comes_back_is_published_again(library: Path) -> None:
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    load(library)
    files.two(library)
    load(library)
    assert Guide.objects.get(slug="coin").retired is None
    assert find("coin") != []


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[click](javascript:alert(1))",
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        '<p style="position:fixed">x</p>',
        "<svg><use href=x></svg>",
        "![x](https://elsewhere.example/pixel.png)",
    ],
)
def test_hostile_markdown_is_harmless(library: Path, hostile: str) -> None:
    text = files.guide("coin").replace("counter passed its limit.", f"counter {hostile} passed its limit.")
    files.write(library, coin=text, token=files.guide("token"))
    load(library)
    guide = Guide.objects.get(slug="coin")
    for word in ("<script", "onerror", "javascript:", "data:text", "style=", "<svg", "<img"):
        assert word not in guide.meaning_html
    for word in ("<script", "onerror", "javascript:", "data:text", "style=", "<img"):
        assert word not in guide.page_html


def test_the_database_refuses_what_is_not_in_a_closed_list(library: Path) -> None:
    for change in ({"category": "money"}, {"hop": "purse"}, {"title": ""}, {"summary": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Guide.objects.filter(slug="coin").update(**change)
    for change in ({"kind": "rumour"}, {"key": "lab-coin"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Source.objects.filter(key="code-coin").update(**change)


def test_the_command_says_what_it_did(
    db: None, tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.CONTENT_DIR = files.two(tmp_path)
    call_command("load_content")
    assert "added: coin" in capsys.readouterr().out
    call_command("load_content")
    assert "0 added, 0 changed, 0 retired, 2 unchanged." in capsys.readouterr().out


def test_the_command_names_file_and_line(db: None, tmp_path: Path, settings: Settings) -> None:
    settings.CONTENT_DIR = files.write(tmp_path, coin=files.guide("coin").replace("## FAQ", "## Else"))
    with pytest.raises(CommandError, match=r"(?s)gate/coin\.md:\d+: section 'Else'.*Nothing was loaded"):
        call_command("load_content")
    assert Guide.objects.count() == 0


def test_a_page_shows_its_neighbour_under_its_new_name_and_not_once_it_is_retired(library: Path) -> None:
    token = files.guide("token").replace('synonyms = ["token money"]', 'related = ["coin"]')
    files.write(library, coin=files.guide("coin"), token=token)
    load(library)
    files.write(library, coin=files.guide("coin", title="Out of coins"), token=token)
    load(library)
    assert "Out of coins" in Guide.objects.get(slug="token").page_html
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    (library / "gate" / "token.md").write_text(files.guide("token"))
    load(library)
    assert "Out of coins" not in Guide.objects.get(slug="token").page_html


@pytest.fixture
def new_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on pages are composed in another way, as after an upgrade."""
    monkeypatch.setattr("kb.guides.loading.composition", lambda: "another")


def test_new_templates_make_pages_anew_and_no_guide_newer(
    library: Path, client: Client, new_templates: None
) -> None:
    Guide.objects.update(page_html="as it was", updated=datetime(2026, 1, 2, tzinfo=UTC))
    before = matching.edition()
    assert len(load(library).changed) == 2
    assert "Raise the limit of coin" in client.get("/errors/gate/coin/").content.decode()
    assert client.get("/sitemap.xml").content.count(b"<lastmod>2026-01-02</lastmod>") == 2
    assert matching.edition() != before, "servers go on with the pages and rules that they have"
    files.write(library, coin=files.guide("coin", title="Out of coins"), token=files.guide("token"))
    load(library)
    assert client.get("/sitemap.xml").content.count(b"<lastmod>2026-01-02</lastmod>") == 1
    newest = client.get("/").context["newest"]
    assert [guide.slug for guide in newest] == ["coin", "token"]


def test_servers_notice_a_tool_that_is_made_anew_while_another_stays(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = Guide.objects.values("title", "summary", "category", "hop", "verified").first() or {}
    other = Tool.objects.create(slug="other", name="Other")
    for digest in ("0" * 64, "f" * 64):
        Guide.objects.create(tool=other, slug=f"other-{digest[0]}", digest=digest, **facts)
    before = matching.edition()
    monkeypatch.setattr("kb.guides.releases.table.digest", lambda folder: "another")
    load(library)
    assert matching.edition() != before


def test_an_edit_that_names_a_release_of_the_admin_survives_new_templates(
    library: Path, new_templates: None
) -> None:
    Release.objects.create(tool=Tool.objects.get(slug="gate"), version="3.0", position=2)
    text = files.guide("coin").replace('versions = ["1.0", "2.0"]', 'versions = ["1.0", "3.0"]')
    Guide.objects.filter(slug="coin").update(text=text)
    assert "coin" in load(library).changed
    assert [row.version for row in Guide.objects.get(slug="coin").releases.all()] == ["1.0", "3.0"]


def test_an_edit_that_breaks_a_rule_of_today_is_named_and_stops_nothing(
    library: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Guide.objects.filter(slug="coin").update(text=files.guide("coin").replace("## FAQ", "## Questions"))
    files.write(library, coin=files.guide("coin"), token=files.guide("token", title="Out of tokens"))
    settings.CONTENT_DIR = library
    page = Guide.objects.get(slug="coin").page_html
    call_command("load_content")
    assert "left as it was: coin as it was edited here:" in capsys.readouterr().err
    assert Guide.objects.get(slug="token").title == "Out of tokens"
    assert Guide.objects.get(slug="coin").page_html == page


def test_a_guide_that_was_loaded_before_texts_were_kept_is_retired_with_its_file(library: Path) -> None:
    Guide.objects.update(text="", base="")
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    assert load(library).retired == ["coin"]
    assert Guide.objects.get(slug="coin").retired


def test_guides_without_a_file_are_composed_anew_after_an_upgrade(library: Path, new_templates: None) -> None:
    Guide.objects.filter(slug="coin").update(base="")
    (library / "gate" / "coin.md").unlink()
    (library / "gate" / "slugs.txt").write_text("token\n")
    Guide.objects.update(page_html="as it was", meaning_html="as it was")
    assert load(library).changed == ["token", "coin"]
    assert load(library).changed == []
    guide = Guide.objects.get(slug="coin")
    assert "Raise the limit of coin" in guide.page_html
    assert "as it was" not in guide.meaning_html
    assert guide.revisions.count() == 1


def test_guides_of_a_tool_without_a_folder_are_composed_anew_after_an_upgrade(
    library: Path, new_templates: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    Guide.objects.update(page_html="as it was")
    nothing = tmp_path_factory.mktemp("nothing")
    assert sorted(load(nothing).changed) == ["coin", "token"]
    assert load(nothing).changed == []
    assert "Raise the limit of coin" in Guide.objects.get(slug="coin").page_html
    assert len(find("coin")) == 1


class Deadlock(Exception):
    """As PostgreSQL's driver names it."""

    sqlstate = "40P01"


def fail_first(monkeypatch: pytest.MonkeyPatch, times: int, cause: Exception) -> None:
    """The first loads of a tool break off, as often as `times` says."""
    left = [None] * times
    load_tool = loading.load_tool

    def broken(*args: object) -> None:
        if left:
            left.pop()
            raise OperationalError("broken off") from cause
        load_tool(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "load_tool", broken)


def test_a_load_that_is_ended_for_another_transaction_is_tried_once_more(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_first(monkeypatch, 1, Deadlock())
    assert load(library).unchanged == 2
    fail_first(monkeypatch, 2, Deadlock())
    with pytest.raises(OperationalError):
        load(library)


def test_a_load_that_fails_in_another_way_is_not_tried_again(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_first(monkeypatch, 1, OSError())
    with pytest.raises(OperationalError):
        load(library)


def test_a_load_brings_in_what_changed_of_a_tool(library: Path) -> None:
    toml = (library / "gate" / "tool.toml").read_text()
    changed = toml.replace('"Gate"', '"The Gate"').replace('["1.0", "2.0"]', '["0.9", "1.0", "2.0"]')
    (library / "gate" / "tool.toml").write_text(changed)
    load(library)
    tool = Tool.objects.get(slug="gate")
    assert tool.name == "The Gate"
    assert [release.version for release in tool.releases.all()] == ["0.9", "1.0", "2.0"]
