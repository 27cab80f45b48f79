"""What stands before every line is no part of a message; what only looks like it stays."""

import json
import pprint
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.diagnosis.text import canonical
from tests.diagnosis.test_text import original_span

LINES = ("Budget has been", "exceeded! Current", "cost: 1.5")
MESSAGE = " ".join(LINES)


@pytest.mark.parametrize(
    "prefix",
    [
        *("gateway     | ", "openhands-app-  | ", "\x1b[36mgateway |\x1b[0m ", "litellm-1  |   | "),
        *("    | ", "| ", "> ", ">", "> > ", "# ", "// ", "+ "),
        "2026-03-02T10:11:12.123Z stderr F ",
        "2026-03-02T10:11:12.123456789+00:00 stdout P ",
        "2026-03-02T10:11:12.123456789Z ",
        "2026-03-02T10:11:12+00:00 ",
        "litellm-1  | 2026-03-02T10:11:12.123456789Z ",
        "[pod/litellm-6c8b9d5f7d-x2kqp/litellm] 2026-03-02T10:11:12.123456789Z ",
        "Mar 02 10:11:12 gw01 litellm[2211]: ",
        "Mar  2 10:11:12 gw01 docker/3f2a1b9c[1]: ",
        "2026-03-02T10:11:12+0000 gw01 litellm[2211]: ",
        "litellm-6c8b9d5f7d-x2kqp litellm ",
        "[pod/litellm-6c8b9d5f7d-x2kqp/litellm] ",
    ],
)
def test_undoes_a_prefix_that_lines_share(prefix):
    source = "\n".join(prefix + line for line in LINES)
    plain = canonical(source)

    assert plain.text.strip() == MESSAGE
    assert canonical(f"I see this:\n\n{source}\nWhy?").text == f"I see this: {MESSAGE} Why?"
    at = plain.text.index("exceeded!")
    start, end = original_span(plain, at, at + len("exceeded!"))
    assert source[start:end] == "exceeded!"


def test_undoes_boxes_and_their_borders():
    rows = "\n".join(f"| {line:20} |" for line in LINES)
    border = f"+{'-' * 22}+"

    assert canonical(rows).text.strip() == MESSAGE
    assert canonical(f"{border}\n{rows}\n{border}").text.strip() == MESSAGE


def test_undoes_a_group_of_exceptions():
    source = (
        "  + Exception Group Traceback (most recent call last):\n"
        "  | ExceptionGroup: two (2 sub-exceptions)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | ValueError: Budget\n"
        "    | exceeded\n"
        "    +------------------------------------"
    )

    assert canonical(source).text.endswith("two (2 sub-exceptions) ValueError: Budget exceeded ")


def test_undoes_a_box_inside_json():
    source = json.dumps("\n".join(f"\u2502 {line:20} \u2502" for line in LINES))

    assert canonical(source).text == f'" {MESSAGE} "'


@pytest.mark.parametrize("quote", ["", "'"])
def test_joins_what_the_pretty_printer_broke(quote):
    message = f"Budget of {quote}team has been exceeded! " * 4

    assert message.strip() in canonical(pprint.pformat({"error": message})).text


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        (r"original model\_group=\[a\] \*\*b\*\* v1\.2 \`c\`", "original model_group=[a] **b** v1.2 `c`"),
        (r"isn\&#39;t \&quot;so\&quot;", 'isn\'t "so"'),
        (r"C:\\_x \\[a\\]", r"C:\_x \[a\]"),
    ],
)
def test_undoes_the_escapes_of_markdown(source, plain):
    assert canonical(source).text == plain


@pytest.mark.parametrize(
    "source",
    [
        "| model | error |\n|---|---|\n| one | 429 |\n| two | 401 |",
        "model | error\n--- | ---\none | 429\ntwo | 401",
        "curl a | jq .\ncurl b | jq .",
        "a > b\nc > d",
        "echo a > file\necho b >> file",
        "> once\nnot twice",
        "# Title\nWords\n# Next",
        "gateway | Budget exceeded\nnothing else",
        "Mar 02 10:11:12 gw01 litellm[2211]: Budget exceeded",
        "2026-03-02T10:11:12Z is when the budget resets\nand not before",
        "Team='' User='', Key=\"\"",
        "100% of it, as in 5%2",
        "gpt-4o is down\ngpt-4o is slow",
        "claude-haiku-x3 model one\nclaude-haiku-x3 model two",
        "['one',\n 'two']",
        "'one'\n'two'",
    ],
)
def test_leaves_what_only_looks_like_a_prefix(source):
    assert canonical(source).text == " ".join(source.split())


PIECES = st.sampled_from(
    [
        *("\ngateway | ", "\n> ", "\n>", "\n    | ", " |", "\n+---+", "\n# ", "'\n  '", '"\n "', "|", ">"),
        *("\nMar 02 10:11:12 gw01 litellm[2211]: ", "\n[pod/a/b] ", "\\_", "\\&#39;", "\\u2502", "\n"),
        *("\n2026-03-02T10:11:12Z stderr F ", "word", " ", "  ", "\nE   ", "\u2502", "\x1b[31m"),
    ]
)


@given(st.lists(PIECES, max_size=30).map("".join), st.integers(0, 10**6), st.integers(0, 10**6))
def test_every_span_leads_back_into_the_text(source, first, second):
    plain = canonical(source)
    start, end = sorted((first % (len(plain.text) + 1), second % (len(plain.text) + 1)))

    begin, finish = original_span(plain, start, end)

    assert 0 <= begin <= finish <= len(source)
    if end > start:
        assert finish > begin


@given(st.lists(PIECES, max_size=15).map("".join), st.lists(PIECES, max_size=15).map("".join))
def test_a_literal_is_found_where_it_stands(before, after):
    plain = canonical(f"{before} Budget exceeded: 'x' {after}")
    at = plain.text.index("Budget exceeded: 'x'")

    start, end = original_span(plain, at, at + 20)

    assert plain.source[start:end] == "Budget exceeded: 'x'"


@pytest.mark.parametrize(
    "piece",
    [
        *("\n" + " " * 40 + "|", "a" * 40 + " " * 60 + "|x\n", "\naa | x\nbb |", "|" + " " * 40 + "x"),
        *("\n> ", ">", "'\n" + " " * 200, "\n+---", "\n# x\n// x", "a-" * 30 + "\n", "\\&amp;amp;"),
        *("\n2026-03-02T10:11:12", "\nJan 02 10:11:12 aaaa aaaa[1", "\x1b[0;0m" * 4 + "a" * 39 + "\n"),
    ],
)
def test_no_text_takes_long(piece):
    source = (piece * (200_000 // len(piece) + 1))[:200_000]
    start = time.process_time()

    assert canonical(source).text is not None

    assert time.process_time() - start < 2
