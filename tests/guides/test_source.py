"""What a content file says, and what is said about a broken one."""

from pathlib import Path

import pytest

from kb.guides import contracts
from kb.guides.library import read_tools
from kb.guides.source import ContentError, parse
from tests.guides import files

RIGHT = files.guide("coin")


def problems(text: str) -> list[str]:
    """What parsing says about a text, one line each."""
    with pytest.raises(ContentError) as caught:
        parse(text, "coin", "content/gate/coin.md")
    return [str(problem) for problem in caught.value.problems]


def test_a_right_file_gives_its_sections_and_entries() -> None:
    guide = parse(RIGHT, "coin", "coin.md")
    assert guide.meaning == "The coin counter passed its limit. [^code-coin]"
    assert [entry.key for entry in guide.entries["Quick fixes"]] == ["raise-coin"]
    fix = guide.entries["Quick fixes"][0]
    assert list(fix.parts) == ["When to choose it", "Steps", "Cost", "Verify"]
    assert "curl" in guide.entries["Causes"][0].parts["Confirm"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("+++\ntitle", "title", "start the file with facts between two lines of +++"),
        ('title = "The coin is spent"', "title = The coin", "coin.md:2: the facts are not TOML"),
        ('title = "The coin is spent"\n', "", "lacks title"),
        ('title = "The coin is spent"', "title = 7", "coin.md:2: title must be a text"),
        ('hop = "budget"', 'hop = "budget"\nhopp = 1', "coin.md:6: has no field hopp"),
        ("verified = 2026-11-24", 'verified = "today"', "coin.md:6: verified must be a date"),
        ("verified = 2026-11-24", "verified = 2026-11-24T10:00:00", "coin.md:6: verified must be a date"),
        ("verified = 2026-11-24", f"verified = {'1' * 5000}", "the facts are not TOML"),
        ("verified = 2026-11-24", f"verified = {'[' * 5000}", "the facts are not TOML"),
        ("[[message]]", "[review]\nread = 2026-11-25\n[[message]]", "[review] lacks statements"),
        ("[[message]]", "[[review]]\nread = 2026-11-25\n[[message]]", "[review] is not a table"),
        ("[[message]]", "[review]\ncorrected = true\n[[message]]", "[review] corrected must be int"),
        ("[[message]]", "[review]\nread_by = 1\n[[message]]", "[review] has no field read_by"),
        (
            "## Why it happens",
            "## Why so",
            "section 'Why so' stands where 'Why it happens' belongs",
        ),
        ("## FAQ", "## Prevention", "section 'Prevention' stands where 'FAQ' belongs"),
        ("{#retry-coin}", "", "give the heading a permanent id"),
        ("{#retry-coin}", "{#alert-coin}", "the id 'alert-coin' is taken"),
        ("#### Cost", "#### Price", "no heading #### Price belongs here"),
        ("#### Confirm", "", "needs, in order and not empty: #### Confirm"),
        (
            '[[signature]]\nid = "plain"\nall_of = ["The coin is spent:"]\n',
            "",
            "at least one [[signature]]",
        ),
    ],
)
def test_a_broken_file_is_named_by_line(old: str, new: str, says: str) -> None:
    assert old in RIGHT
    assert any(says in line for line in problems(RIGHT.replace(old, new)))


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    files.two(tmp_path)
    (tmp_path / "gate" / "coin.md").write_bytes(b"\xff\xfe+++")
    assert "is not UTF-8" in str(contracts.check(read_tools(tmp_path))[0])


def checked(folder: Path) -> list[str]:
    """What the contracts say about a content folder, one line each."""
    return [str(problem) for problem in contracts.check(read_tools(folder))]


def test_right_content_has_no_problems(tmp_path: Path) -> None:
    assert checked(files.two(tmp_path)) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'category = "quota_rate"',
            'category = "money"',
            "category is 'money'; use one of account_auth",
        ),
        ('hop = "budget"', 'hop = "purse"', "coin.md:5: hop is 'purse'; use one of target"),
        ('versions = ["1.0", "2.0"]', 'versions = ["1.O"]', "version '1.O' isn't in tool.toml"),
        (
            'source = "code-coin"',
            'source = "nowhere"',
            "[message] source 'nowhere': no such source",
        ),
        (
            "counter passed its limit. [^code-coin]",
            "counter passed.",
            "this statement names no source",
        ),
        (
            "[^lab-coin]\n\n#### Confirm",
            "[^lab-gone]\n\n#### Confirm",
            "[^lab-gone]: no such source",
        ),
        ('capture = "1.0/coin"', 'capture = "1.0/gone"', "no capture '1.0/gone'"),
        ('path = "gate/coin.py"\n', "", "kind code needs path"),
        ('who = "proxy_admin"', 'who = "somebody"', "who is 'somebody'; use one of caller"),
        ('retry = "now"', 'retry = "soon"', "retry must begin with one of never"),
        ('causes = ["spent-coin"]', 'causes = ["other"]', "causes names 'other': no such cause"),
        (
            "[fix.raise-coin]",
            "[fix.raise-it]",
            "the quick fix 'raise-coin' needs facts: [fix.raise-coin]",
        ),
        ('"2.0" = "no"', '"2.0" = "maybe"', "helps is 'maybe'; use one of yes, no, partly"),
        ("near_miss = true\n", "", "is recognised by nothing, not by its own guide"),
        (
            "The weather is fine",
            "The coin is spent: 1",
            "this near miss is recognised by its guide",
        ),
        (
            'origin = "lab:1.0/coin"',
            'origin = "somewhere"',
            "origin 'somewhere': use lab:<capture>",
        ),
        ('all_of = ["The coin is spent:"]', 'all_of = ["coin"]', "at least 8 characters"),
        ('all_of = ["The coin is', "pattern = '(x'\nall_of = [\"The coin is", "RE2 syntax"),
        ('synonyms = ["coin money"]', 'related = ["gone"]', "related names 'gone': no such guide"),
        ('curl "$GATE/coin"', 'psql "$DATABASE_URL"', "coin.md:70: psql refuses ?connection_limit="),
        ('curl "$GATE/coin"', "psql -c 'x' ${DATABASE_URL}", "coin.md:70: psql refuses"),
        ('curl "$GATE/coin"', "psql -c 'TABLE \"LiteLLM_Coins\"'", "coin.md:70: psql without an address"),
        ('curl "$GATE/coin"', "kubectl logs -l app=gate --since=1h", "coin.md:70: kubectl shows 10 lines"),
        ('curl "$GATE/coin"', "docker exec gate pip show gate", "coin.md:70: LiteLLM's image has no pip"),
        (
            'curl "$GATE/coin"',
            "kubectl exec gate -- getent hosts x",
            "coin.md:70: LiteLLM's image has no pip",
        ),
        ('curl "$GATE/coin"', "docker exec gate grep -rn x / --include=*.py", "coin.md:70: LiteLLM's image"),
        ('curl "$GATE/coin"', "cat log | grep -vE '- (ok|fine)'", "coin.md:70: grep takes a pattern"),
        ('curl "$GATE/coin"', "jq '.[] | {start, end, score}' coins.json", "coin.md:70: jq 1.6 takes"),
    ],
)
def test_content_that_breaks_a_contract_is_named_by_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    assert old in RIGHT
    files.write(tmp_path, coin=RIGHT.replace(old, new, 1), token=files.guide("token"))
    found = checked(tmp_path)
    assert any(says in line for line in found)


REVIEW = """[review]
read = 2026-11-25
statements = 41
corrected = 3
commands = 5

"""


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "2026-11-25",
            "2026-11-23",
            "coin.md:9: [review] read is before its oldest source was read, on 2026-11-24",
        ),
        ("2026-11-25", "2999-01-01", "[review] read lies in the future"),
        ("statements = 41", "statements = -1", "[review] statements must be from 0 to 9,999"),
        ("commands = 5", "commands = 10000", "[review] commands must be from 0 to 9,999"),
        ("corrected = 3", "corrected = 42", "more statements are corrected than were checked"),
    ],
)
def test_a_second_reader_who_makes_no_sense_is_named_by_line(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    right = RIGHT.replace("[[message]]", REVIEW + "[[message]]", 1)
    files.write(tmp_path, coin=right, token=files.guide("token"))
    assert checked(tmp_path) == []
    files.write(tmp_path, coin=right.replace(old, new, 1))
    assert any(says in line for line in checked(tmp_path))


@pytest.mark.parametrize(
    ("version", "allowed"), [("0.9.12", True), ("1.0.1", True), ("2.0.1", False), ("0.9beta", False)]
)
def test_code_may_be_cited_of_a_release_between_those_that_guides_speak_of_or_before_them(
    tmp_path: Path, version: str, allowed: bool
) -> None:
    cited = 'kind = "code"\nversion = "1.0"'
    assert cited in RIGHT
    files.write(tmp_path, coin=RIGHT.replace(cited, f'kind = "code"\nversion = "{version}"'))
    assert any("isn't in tool.toml" in line for line in checked(tmp_path)) is not allowed


def test_a_source_that_nobody_cites_is_named(tmp_path: Path) -> None:
    extra = RIGHT.replace("[fix.raise-coin]", EXTRA_SOURCE + "\n[fix.raise-coin]")
    files.write(tmp_path, coin=extra)
    assert any("[source] idle is cited nowhere" in line for line in checked(tmp_path))


EXTRA_SOURCE = """
[[source]]
id = "idle"
kind = "thread"
url = "https://threads.example/2"
title = "A thread"
read = 2026-11-24
"""


def test_a_renamed_guide_is_named(tmp_path: Path) -> None:
    files.two(tmp_path)
    (tmp_path / "gate" / "coin.md").rename(tmp_path / "gate" / "coins.md")
    found = checked(tmp_path)
    assert any("slugs.txt:1: coin.md is gone: a published slug never changes" in line for line in found)
    assert any("add the line coins" in line for line in found)


def test_a_slug_marked_as_retired_may_lack_its_file(tmp_path: Path) -> None:
    files.two(tmp_path)
    (tmp_path / "gate" / "coin.md").unlink()
    (tmp_path / "gate" / "slugs.txt").write_text("retired coin\ntoken\n")
    assert checked(tmp_path) == []


def test_sentences_that_two_guides_share_are_named(tmp_path: Path) -> None:
    same = "Change one value at a time and look again. [^code-{}]\n\n## Why it happens"
    coin = RIGHT.replace("## Why it happens", same.format("coin"))
    token = files.guide("token").replace("## Why it happens", same.format("token"))
    files.write(tmp_path, coin=coin, token=token)
    found = checked(tmp_path)
    assert any("coin.md" in line and "stands in token too" in line for line in found)


def test_a_sample_that_two_guides_claim_is_named(tmp_path: Path) -> None:
    token = files.guide("token").replace('all_of = ["The token is spent:"]', 'all_of = ["is spent: 3 of 2"]')
    files.write(tmp_path, coin=RIGHT, token=token)
    assert any("coin.md" in line or "token.md" in line for line in checked(tmp_path))
