"""A source as a form and back: byte for byte what was not changed, and only its lines where something was."""

import difflib
import json
from pathlib import Path

import pytest
from django.conf import settings

from kb.guides.source import parse
from kb.team import parts
from kb.team.checking import SKELETON
from kb.team.comparing import compared, differences, merge
from kb.team.edit_forms import EditForm
from kb.team.parts import AREA, FACTS, TABLES, WORDS
from tests.guides import files

CONTENT = sorted((Path(settings.BASE_DIR) / "content").glob("*/*.md"))
GUIDES = [file for file in CONTENT if file.read_text().startswith("+++")]


def sent(form: EditForm, **changes: str) -> str:
    """The text after a browser has sent the form: with CRLF, and `changes` typed."""
    values = form.values | changes
    crlf = {name: value.replace("\n", "\r\n") for name, value in values.items()}
    return parts.join(parts.shaped(form.shape), crlf)


def test_every_guide_is_cut_into_the_same_parts() -> None:
    assert len(GUIDES) >= 48
    for file in GUIDES:
        names = [piece.name for piece in parts.split(file.read_text()) if piece.name]
        assert names == [*FACTS, *TABLES, *WORDS], file.name


def test_every_guide_comes_back_byte_for_byte() -> None:
    for file in GUIDES:
        text = file.read_bytes().decode()
        assert "".join(piece.text for piece in parts.split(text)) == text, file.name
        assert sent(EditForm.of(text)) == text, file.name


REVIEW = "[review]\nread = 2026-11-25   # a day\nstatements = 41\ncorrected = 3\ncommands = 5"


def test_a_second_reader_is_kept_added_changed_and_taken_away() -> None:
    for file in GUIDES:
        text = file.read_text()
        values = EditForm.of(text).values | {"review": ""}
        without = sent(EditForm.of(text), review="")
        read = sent(EditForm.of(without), review=REVIEW)
        assert EditForm.of(read).values == values | {"review": REVIEW}, file.name
        assert sent(EditForm.of(read)) == read, file.name
        assert parse(read, file.stem, file.name).facts["review"]["corrected"] == 3
        changed = sent(EditForm.of(read), review=REVIEW.replace("= 3", "= 4"))
        assert [new for kind, new in lines(read, changed) if kind == "+"] == ["corrected = 4"]
        assert EditForm.of(sent(EditForm.of(read), review="")).values == values


def lines(before: str, after: str) -> list[tuple[str, str]]:
    """Lines that differ, each with + or -."""
    rows = difflib.unified_diff(before.split("\n"), after.split("\n"), n=0, lineterm="")
    return [(row[0], row[1:]) for row in rows if row[:3] not in ("---", "+++") and row[0] in "+-"]


@pytest.mark.parametrize("place", ["[[message]]", "[[source]]", "[fix.raise-coin]"])
def test_a_second_reader_stands_where_its_file_has_it(place: str) -> None:
    text = files.guide("coin").replace(place, f"{REVIEW}\n\n{place}", 1)
    form = EditForm.of(text)
    assert form.values["review"] == REVIEW
    assert sent(form) == text


@pytest.mark.parametrize("name", [name for name in (*FACTS, *TABLES, *WORDS) if name != "review"])
def test_a_change_of_one_field_changes_only_its_lines(name: str) -> None:
    for file in GUIDES:
        text = file.read_text()
        form = EditForm.of(text)
        value = form.values[name]
        new = {"verified": "2027-01-02", "synonyms": f"{value}\nmore", "related": f"{value}\nmore"}.get(
            name, f"{value} changed" if name in FACTS else f"{value}\n# more"
        )
        after = sent(form, **{name: new})
        assert EditForm.of(after).values == form.values | {name: new}, file.name
        steps = difflib.SequenceMatcher(
            None, text.split("\n"), after.split("\n"), autojunk=False
        ).get_opcodes()
        changed = [step for step in steps if step[0] != "equal"]
        assert len(changed) == 1, (file.name, changed)
        assert max(changed[0][2] - changed[0][1], changed[0][4] - changed[0][3]) == 1


@pytest.mark.parametrize(
    "title",
    ['"quoted"', "back\\slash", "it's", "üñ→ 日本", "a # b", "[x] = 1", "'''", '"""', "+++", "<b>&amp;</b>"],
)
def test_what_is_typed_in_a_line_comes_back_as_it_was_typed(title: str) -> None:
    after = sent(EditForm.of(files.guide("coin")), title=title, synonyms=f"{title}\nother")
    assert parse(after, "coin", "coin").facts["title"] == title
    assert parse(after, "coin", "coin").facts["synonyms"] == [title, "other"]
    assert EditForm.of(after).values["title"] == title


def test_line_breaks_in_a_line_become_spaces() -> None:
    after = sent(EditForm.of(files.guide("coin")), title='a\nhop = "key"')
    assert parse(after, "coin", "coin").facts["title"] == 'a hop = "key"'


def test_broken_toml_is_shown_as_one_text_and_comes_back() -> None:
    text = files.guide("coin").replace('category = "quota_rate"', 'category = "quota_rate')
    form = EditForm.of(text)
    assert list(form.values) == ["all_facts", *WORDS]
    assert 'category = "quota_rate\n' in form.values["all_facts"]
    assert sent(form) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no facts",
        "+++\n+++",
        "+++\n",
        "+++\ntitle = 1\n+++\n## FAQ",
        "\n\n+++\n+++\n\n\n",
        "+++ x\n+++\n",
    ],
)
def test_any_text_at_all_is_cut_and_comes_back(text: str) -> None:
    assert "".join(piece.text for piece in parts.split(text)) == text


def test_an_unknown_fact_is_shown_with_all_facts() -> None:
    text = files.guide("coin").replace('hop = "budget"', 'hop = "budget"\nowner = "me"')
    form = EditForm.of(text)
    assert 'owner = "me"' in form.values["all_facts"]
    assert sent(form) == text


def test_sections_that_do_not_stand_in_order_are_shown_as_one_text() -> None:
    text = files.guide("coin").replace("## FAQ", "## Questions")
    form = EditForm.of(text)
    assert list(form.values) == [*FACTS, *TABLES, "all_words"]
    assert sent(form) == text


def test_a_heading_in_a_code_block_is_no_section() -> None:
    text = files.guide("coin").replace('curl "$GATE/coin"', "## FAQ")
    assert "## FAQ" in EditForm.of(text).values["causes"]


def test_headers_in_samples_are_no_tables() -> None:
    text = files.guide("coin").replace(
        "'''The coin is spent: 3 of 2'''", "'''The coin\n[[source]]\nid = \"x\"'''"
    )
    form = EditForm.of(text)
    assert "[[source]]" in form.values["sample"]
    assert sent(form) == text


def test_facts_that_are_not_there_get_a_place() -> None:
    text = files.guide("coin").replace('synonyms = ["coin money"]\n', "")
    form = EditForm.of(text)
    assert form.values["synonyms"] == form.values["related"] == ""
    assert sent(form) == text
    after = sent(form, related="token")
    assert parse(after, "coin", "coin").facts["related"] == ["token"]


def test_an_emptied_table_can_be_filled_again() -> None:
    form = EditForm.of(files.guide("coin"))
    after = EditForm.of(sent(form, message=""))
    assert after.values["message"] == ""
    again = sent(after, message=form.values["message"])
    assert parse(again, "coin", "coin").facts == parse(files.guide("coin"), "coin", "coin").facts


def test_an_emptied_section_can_be_filled_again() -> None:
    form = EditForm.of(files.guide("coin"))
    after = EditForm.of(sent(form, means="", faq=""))
    again = sent(after, means=form.values["means"], faq=form.values["faq"])
    assert parse(again, "coin", "coin").meaning == parse(files.guide("coin"), "coin", "coin").meaning


def test_tables_among_each_other_stay_where_they_are() -> None:
    text = files.guide("coin")
    message = text[text.index("[[message]]") : text.index("[[signature]]")]
    text = text.replace("[fix.raise-coin]", f"{message}[fix.raise-coin]")
    form = EditForm.of(text)
    assert "message_2" in form.values
    assert sent(form) == text


def test_a_source_of_more_parts_than_a_form_has_is_shown_as_one_text() -> None:
    table = '[[source]]\nid = "a"\n\n[[message]]\ntext = "b"\n\n'
    text = files.guide("coin").replace("[[message]]", table * 200 + "[[message]]", 1)
    form = EditForm.of(text)
    assert "all_facts" in form.values
    assert sent(form) == text


def test_the_skeleton_of_a_new_guide_has_a_field_for_every_part() -> None:
    text = SKELETON.replace("<version>", "1.0").replace("<today>", "2026-11-24")
    form = EditForm.of(text)
    assert list(form.values) == [*FACTS, *TABLES, *WORDS]
    assert sent(form) == text


@pytest.mark.parametrize(
    "shape",
    [
        "",
        "{}",
        "[1]",
        '[["area"]]',
        '[["fact", "title", "not toml"]]',
        '[["fact","by","1"]]',
        "[" * 9000,
        '[["area","means",""],["area","means",""]]',
        '[["area","",""],["glue","",""],["area","",""]]',
        '[["glue","all","x"],["area","all",""]]',
        json.dumps([["glue", "", "x"]] * 401),
    ],
)
def test_a_shape_that_is_none_is_refused(shape: str) -> None:
    with pytest.raises(parts.Unreadable):
        parts.shaped(shape)


def test_a_hostile_list_costs_nothing() -> None:
    raw = "[" + "#a\n" * 20_000 + "'"
    with pytest.raises(parts.Unreadable):
        parts.shaped(f'[["fact", "synonyms", {raw!r}]]'.replace("'", '"'))
    assert parts.VALUE.fullmatch(raw) is None


def test_differences_name_the_part_and_mark_the_words() -> None:
    before = files.guide("coin")
    after = before.replace("Set a soft limit for coin.", "Set a hard limit for coin.")
    (section,) = differences(before, after)
    assert (section.name, section.title) == ("prevention", "Prevention")
    old, new = (line for line in section.lines if line.kind in ("old", "new"))
    assert [words for words, marked in old.runs if marked] == ["soft"]
    assert [words for words, marked in new.runs if marked] == ["hard"]


def test_a_comment_between_facts_is_a_difference() -> None:
    before = files.guide("coin")
    after = before.replace('hop = "budget"', '# hidden words\nhop = "budget"')
    assert [section.title for section in differences(before, after)] == ["Between the parts"]


def test_long_lines_are_compared_by_what_they_begin_and_end_with() -> None:
    old, new = compared("a" * 5000 + "x" + "b" * 5000, "a" * 5000 + "yy" + "b" * 5000)
    assert [words for words, marked in old.runs if marked] == ["x"]
    assert [words for words, marked in new.runs if marked] == ["yy"]


def test_changes_of_other_lines_are_brought_together() -> None:
    base = files.guide("coin")
    theirs = base.replace("More coin money", "Much more coin money")
    ours = base.replace("Set a soft limit", "Set a hard limit")
    for one, two in ((theirs, ours), (ours, theirs)):
        merged = merge(base, one, two)
        assert merged.clashes == ()
        assert "Much more coin money" in merged.text
        assert "Set a hard limit" in merged.text


def test_changes_of_the_same_line_clash_and_both_are_told() -> None:
    base = files.guide("coin")
    theirs, ours = base.replace("soft limit", "THEIRS"), base.replace("soft limit", "OURS")
    merged = merge(base, theirs, ours)
    (clash,) = merged.clashes
    assert clash.title == "Prevention"
    assert ("THEIRS" in clash.theirs, "OURS" in clash.ours) == (True, True)
    assert "OURS" in merged.text
    assert "THEIRS" in merge(base, theirs, ours, "theirs").text


def test_the_same_change_on_both_sides_is_taken_once() -> None:
    base = files.guide("coin")
    both = base.replace("soft limit", "hard limit")
    assert merge(base, both, both) == merge(base, both, base)
    assert merge(base, both, both).text == both


def test_a_part_s_kind_is_told_by_its_shape() -> None:
    kinds = {piece.name: piece.kind for piece in parts.split(files.guide("coin")) if piece.name}
    assert kinds["message"] == kinds["faq"] == AREA
