"""What changed between two releases, as a reader sees it: lists, guides, filters, and what makes no sense."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from kb.guides.models import Guide, Recognised
from kb.guides.releases import table
from kb.guides.releases.scanning import scan
from tests.guides import files

AUTH, TOKEN = "litellm/proxy/auth/check.py", "litellm/proxy/auth/token.py"
LOG, BANK, TYPES = "litellm/router.py", "litellm/llms/bank/chat.py", "litellm/proxy/_types.py"
OLD = {
    AUTH: """
def check(cost, limit):
    raise HTTPException(status_code=400, detail=f"The coin is spent: {cost} of {limit}")

def open(name):
    raise ValueError(f"Behind this door stands nothing for {name}")

def look(name):
    raise ValueError(f"Nobody knows the name {name} in this house")

def pay(name):
    raise HTTPException(status_code=400, detail=f"The wallet of {name} is shut")
""",
    TYPES: 'class ProxyErrorTypes(str, enum.Enum):\n    auth_error = "auth_error"\n',
}
NEW = {
    AUTH: """
class DrawerError(Exception):
    pass

def draw(name):
    raise ValueError(f"A drawer jams <here> for {name}")

def look(name):
    raise ValueError(f"Nobody here knows the name {name} in this house")

def pay(name):
    raise HTTPException(status_code=429, detail=f"The wallet of {name} is shut")
""",
    TOKEN: """
def check(cost, limit):
    raise HTTPException(status_code=402, detail=f"The token is spent: {cost} of {limit}")
""",
    LOG: 'def log(e):\n    verbose_logger.error(f"Could not write the ledger: {e}")\n',
    BANK: 'def open():\n    raise ValueError("The bank is shut on Sundays")\n',
    TYPES: OLD[TYPES] + '    drawer_error = "drawer_error"\n',
}
URL = "/coverage/gate/changes/"


def write_table(folder: Path, scans: dict[str, dict[str, str]]) -> None:
    """What the releases say, by version."""
    rows = {v: scan({path: text.encode() for path, text in code.items()}) for v, code in scans.items()}
    (folder / "gate" / table.NAME).write_text(table.written(table.made(rows, scans)))


@pytest.fixture
def two(db: None, tmp_path: Path, settings: Any) -> Path:
    """A library of which two releases were read."""
    settings.CONTENT_DIR = files.two(tmp_path)
    write_table(tmp_path, {"1.0": OLD, "2.0": NEW})
    call_command("load_content", verbosity=0)
    return tmp_path


def shown(client: Client, query: str = "", status: int = 200) -> str:
    """The page's text."""
    answer = client.get(URL + query)
    assert answer.status_code == status
    return answer.content.decode()


def part(page: str, title: str) -> str:
    """One list of a page, by the words that its heading begins with."""
    _, found, rest = page.partition(f'class="told">{title}')
    assert found, title
    return rest.partition("<h2")[0]


def test_the_two_newest_releases_are_compared_unless_others_are_chosen(two: Path, client: Client) -> None:
    assert "1.0 to 2.0: 5 new, 2 gone, 1 reworded, 1 with another status or type" in shown(client)
    back = shown(client, "?from=2.0&to=1.0")
    assert "2.0 to 1.0: 2 new, 5 gone, 1 reworded, 1 with another status or type" in back


def test_what_is_new_comes_with_its_guide_first(two: Path, client: Client) -> None:
    new = part(shown(client), "New in 2.0: 5")
    assert new.index("The token is spent:") < new.index("A drawer jams")
    assert f'Guide: <a href="{Guide.objects.get(slug="token").get_absolute_url()}">' in new
    assert "1 of 5 has a guide" in new
    assert "<span>HTTP 402</span>" in new
    assert "<code>litellm/proxy/auth/check.py</code>, <code>draw</code>" in new
    assert "A drawer jams &lt;here&gt; for <var>{name}</var>" in new


def test_a_new_class_and_a_new_word_of_the_type_are_told(two: Path, client: Client) -> None:
    new = part(shown(client), "New in 2.0")
    assert "class DrawerError" in new
    assert "drawer_error" in new
    assert "auth_error" not in new


def test_a_class_without_words_leads_to_the_guide_that_names_it(two: Path, client: Client) -> None:
    file = two / "gate" / "coin.md"
    file.write_text(file.read_text().replace("Each call adds", "DrawerError: each call adds"))
    write_table(two, {"1.0": OLD, "2.0": NEW | {LOG: ""}})
    call_command("load_content", verbosity=0)
    new = part(shown(client), "New in 2.0")
    assert f'Named in: <a href="{Guide.objects.get(slug="coin").get_absolute_url()}">' in new


def test_what_is_gone_leads_to_its_guide_too(two: Path, client: Client) -> None:
    gone = part(shown(client), "Gone in 2.0: 2")
    assert Guide.objects.get(slug="coin").get_absolute_url() in gone
    assert "Behind this door stands nothing" in gone


def test_words_that_differ_are_marked(two: Path, client: Client) -> None:
    reworded = part(shown(client), "Reworded: 1")
    assert "Nobody knows the name {name} in this house" in reworded
    assert "Nobody<ins> here</ins> knows the name {name} in this house" in reworded


def test_another_status_is_told_with_the_one_before(two: Path, client: Client) -> None:
    assert "HTTP 429, before 400" in part(shown(client), "Another status or type: 1")


def test_a_guide_that_knows_the_old_words_alone_says_so(two: Path, client: Client) -> None:
    spent = OLD[AUTH].replace("The coin is spent", "The coin was fully spent")
    write_table(two, {"1.0": OLD, "2.0": NEW | {AUTH: spent}})
    call_command("load_content", verbosity=0)
    told = part(shown(client), "Reworded: 1")
    assert f'{Guide.objects.get(slug="coin").get_absolute_url()}">' in told
    assert "recognises the old words alone" in told


def test_counts_stand_by_part_with_providers_apart(two: Path, client: Client) -> None:
    page = shown(client)
    assert "Connections to 1 provider: 1 new, 0 gone, 0 reworded" in page
    assert 'href="?area=proxy%2Fauth">proxy/<wbr>auth</a>' in page


def test_filters_by_part_and_by_words(two: Path, client: Client) -> None:
    by_part = shown(client, "?area=llms/bank")
    assert "1 new, 0 gone, 0 reworded" in by_part
    assert "The bank is shut on Sundays" in by_part
    assert "The token is spent:" not in by_part
    by_words = shown(client, "?q=drawer+JAMS")
    assert "1 new, 0 gone" in by_words
    assert "A drawer jams" in by_words
    assert 'value="drawer JAMS"' in by_words
    assert "passes these filters" in shown(client, "?q=quokka")


def test_log_lines_are_listed_apart_from_errors(two: Path, client: Client) -> None:
    assert "Could not write the ledger" not in shown(client)
    logs = shown(client, "?printed=logs")
    assert "1.0 to 2.0: 1 new, 0 gone, 0 reworded" in logs
    assert "Could not write the ledger" in logs


def test_long_lists_are_cut_and_then_paged(two: Path, client: Client) -> None:
    many = "".join(f"def f{n:03}():\n    raise ValueError('Odd thing {n:03} happened')\n" for n in range(130))
    write_table(two, {"1.0": {}, "2.0": {AUTH: many}})
    page = shown(client)
    assert page.count("Odd thing") == 10
    assert 'href="?show=new">All 130 that are new</a>' in page
    first, last = shown(client, "?show=new"), shown(client, "?show=new&page=3")
    assert (first.count("Odd thing"), last.count("Odd thing")) == (50, 30)
    assert "Odd thing 000" in first
    assert "Odd thing 129" in last
    assert 'rel="next" href="?show=new&amp;page=2"' in first


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?from=1.0&to=1.0", "1.0 is on both sides. Choose two different releases."),
        ("?from=9.9", "No release “9.9” was read. Choose one from the list."),
        ("?area=<b>", "There is no “&lt;b&gt;”. Choose one from the list."),
        ("?show=all", "There is no “all”. Choose one from the list."),
        ("?q=%00", "Null characters are not allowed."),
    ],
)
def test_what_makes_no_sense_is_said(two: Path, client: Client, query: str, says: str) -> None:
    assert says in shown(client, query, status=400)


def test_htmx_gets_the_part_that_changes(two: Path, client: Client) -> None:
    fragment = client.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert 'id="the_list"' in fragment


def test_it_works_before_anything_was_counted_and_after_a_guide_was_retired(
    two: Path, client: Client
) -> None:
    (two / "gate" / "token.md").unlink()
    (two / "gate" / "slugs.txt").write_text("coin\nretired token\n")
    call_command("load_content", verbosity=0)
    assert "/errors/gate/token/" not in shown(client)
    Recognised.objects.all().delete()
    assert "None has a guide yet." in shown(client)


def test_one_release_alone_is_not_compared(two: Path, client: Client) -> None:
    write_table(two, {"1.0": OLD})
    assert "Two releases must have been read" in shown(client)
    assert client.get("/coverage/none/changes/").status_code == 404


def test_the_coverage_page_leads_there(two: Path, client: Client) -> None:
    assert f'href="{URL}"' in client.get("/coverage/gate/").content.decode()


def test_a_guide_says_which_releases_do_not_print_its_message(two: Path, client: Client) -> None:
    for word, version in (("coin", "1.0"), ("token", "2.0")):
        file = two / "gate" / f"{word}.md"
        file.write_text(file.read_text().replace('versions = ["1.0", "2.0"]', f'versions = ["{version}"]'))
    call_command("load_content", verbosity=0)
    coin = client.get("/errors/gate/coin/").content.decode()
    assert "<span>no longer printed by 2.0</span>" in coin
    assert "<span>not printed by 2.0</span>" in coin
    token = client.get("/errors/gate/token/").content.decode()
    assert "<span>not yet printed by 1.0</span>" in token
    assert "<span>not printed by 1.0</span>" in token


def test_a_guide_whose_message_all_releases_print_says_nothing(two: Path, client: Client) -> None:
    both = {AUTH: OLD[AUTH], TOKEN: NEW[TOKEN]}
    write_table(two, {"1.0": both, "2.0": both})
    call_command("load_content", verbosity=0)
    assert "printed by" not in client.get("/errors/gate/coin/").content.decode()
