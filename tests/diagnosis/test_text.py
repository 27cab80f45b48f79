"""Any text can be made safe, read plainly with its offsets kept, and fingerprinted."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.diagnosis.folding import Folded
from kb.diagnosis.text import (
    MAX_BYTES,
    TextTooLarge,
    canonical,
    fingerprint,
    normal_form,
    readable,
)


def test_makes_controls_and_direction_tricks_visible():
    assert readable("a\x00b\x07c\x7fd") == "a\ufffdb\ufffdc\ufffdd"
    assert readable("a\u202eb\u2066c\u200fd\u061ce") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert readable("a\ud800b\udfffc") == "a\ufffdb\ufffdc"
    assert readable("a\tb\r\nc\rd\x1b[0m") == "a\tb\nc\rd\x1b[0m"


@given(st.text(st.characters(), max_size=200))
def test_readable_text_is_encodable_and_stays(text):
    safe = readable(text)

    safe.encode()
    assert readable(safe) == safe
    assert len(safe) == len(text.replace("\r\n", "\n"))


def test_refuses_more_than_the_limit_in_bytes():
    readable("a" * MAX_BYTES)
    readable("é" * (MAX_BYTES // 2))
    for text in ("a" * (MAX_BYTES + 1), "é" * (MAX_BYTES // 2 + 1), "\ud800" * 400_000):
        with pytest.raises(TextTooLarge, match="Paste less"):
            readable(text)


def test_hands_back_a_plain_text_itself():
    text = "Budget has been exceeded! Current cost: 1.5, Max budget: 1.0"

    assert canonical(text).text is text


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("a  b\n\tc", "a b c"),
        ("\x1b[31mred\x1b[0m \x1b]0;title\x07text\x1b", "red text"),
        (r"\u001b[31mred\x1b[0m", "red"),
        ("litellm-1  | Received\nlitellm-1  | Model", "Received Model"),
        ("\x1b[36mproxy-1 |\x1b[0m Received\n\x1b[36mproxy-1 |\x1b[0m Model", "Received Model"),
        ("E   Received\nE\nE     Model", "Received Model"),
        ("│ Received   │\n│ Model │", " Received Model "),
        (r"say \"hi\"\nand \'bye\' to\/from", "say \"hi\" and 'bye' to/from"),
        (r"say \\\"hi\\\"\\nand", 'say "hi" and'),
        (r"\u0041\u2019\ud83d\ude00\ud800", "A'😀\ufffd"),
        ("&quot;a&quot; &amp;quot;b&#39; &#x27;c &lt;d&gt; &amp; e", '"a" "b\' \'c <d> & e'),
        ("isn\u2019t \u201cso\u201d isn\\xe2\\x80\\x99t isn\u00e2\u20ac\u2122t", "isn't \"so\" isn't isn't"),
        (r"C:\\Users\\x", r"C:\Users\x"),
        (
            "OpenAIException \u2013 no\u00a0key: sk-\u2026\u202fx \u2014 gone",
            "OpenAIException - no key: sk-... x - gone",
        ),
        (
            '"{""error"": {""message"": ""No key"", ""param"": ""None""}}"',
            '"{"error": {"message": "No key", "param": "None"}}"',
        ),
        ("'Model isn''t known: ''x'''", "'Model isn't known: 'x''"),
        ("No%20key%3A%20%27x%27%2520%25", "No key: 'x' %"),
    ],
)
def test_undoes_what_wraps_a_text(source, plain):
    assert canonical(source).text == plain


def test_nested_json_reads_like_the_message():
    message = 'models=["a"]. Tried to access `b`\nSee https://x.example.com/y'
    wrapped = message
    for _ in range(4):
        wrapped = json.dumps(wrapped)
        assert canonical(message).text in canonical(wrapped).text


def original_span(plain, start, end):
    """The offsets in `plain.source` of `plain.text[start:end]`."""
    return plain.source_span(*Folded(plain.unwrapped).source_span(start, end))


PIECES = st.sampled_from(
    [
        *(" ", "  ", "\n", "\t", "\\", "\\\\", '"', "\\n", "\\u2019", "\\ud83d\\ude00", "\u2019"),
        *("&quot;", "&amp;", "\x1b", "\x1b[31m", "\x1b[", "proxy-1 | ", "E   ", "\u2502", "\u0130"),
        *("\\xe2\\x80\\x99", "word", "Budget", "x", "\ufffd", "\u00a0", "\u200b", "\\/", "😀"),
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join), st.integers(0, 10**6), st.integers(0, 10**6))
def test_every_span_leads_back_into_the_text(source, first, second):
    plain = canonical(source)
    start, end = sorted((first % (len(plain.text) + 1), second % (len(plain.text) + 1)))

    begin, finish = original_span(plain, start, end)

    assert 0 <= begin <= finish <= len(source)
    if end > start:
        assert finish > begin


@given(st.lists(PIECES, max_size=15).map("".join), st.lists(PIECES, max_size=15).map("".join))
def test_a_literal_is_found_where_it_stands(before, after):
    source = f"{before} Budget exceeded: 'x' {after}"
    plain = canonical(source)
    at = plain.text.index("Budget exceeded: 'x'")

    start, end = original_span(plain, at, at + 20)

    assert canonical(source[start:end]).text == "Budget exceeded: 'x'"


@given(st.lists(st.sampled_from(["a", "bc", " ", "\n", " " * 700, "d" * 600]), max_size=30))
def test_offsets_hold_beyond_one_chunk(pieces):
    source = "".join(pieces)
    plain = canonical(source)

    for index, character in enumerate(plain.text):
        start, end = original_span(plain, index, index + 1)
        assert (source[start:end].split() or [" "]) == [character if character != " " else " "]


def test_refuses_span_outside_the_text():
    with pytest.raises(ValueError, match="outside"):
        original_span(canonical("abc"), 2, 9)


LINE = (
    "2026-11-24 02:14:09,244 ERROR Authentication Error, key sk-...x9Qz of team"
    " 92f2896f-8dde-40be-b70f-a914137a042a failed at /usr/lib/python3.13/site/auth.py line 530:"
    " Spend=4.25, limit 4 tokens, object at 0x7f00deadbeef"
)
OTHER = (
    "2025-01-02 23:59:59,001 ERROR Authentication Error, key sk-...Ab12 of team"
    " 00000000-1111-2222-3333-444444444444 failed at /opt/app/.venv/lib/x/auth.py line 7:"
    " Spend=10, limit 16000 tokens, object at 0x10"
)


@pytest.mark.parametrize(
    "other",
    [
        OTHER,
        f"litellm-1  | {LINE}",
        f"\x1b[91m{LINE}\x1b[0m",
        json.dumps(LINE)[1:-1],
        LINE.replace(" of team ", "\n   of team "),
        LINE.upper().replace("LIB/PYTHON", "lib/python"),
    ],
    ids=["other ids", "container", "colours", "escaped", "wrapped", "upper case"],
)
def test_renderings_of_one_error_share_a_fingerprint(other):
    assert fingerprint(LINE) == fingerprint(other)


def test_other_words_give_another_fingerprint():
    assert fingerprint(LINE) != fingerprint(LINE.replace("Authentication", "Connection"))
    assert fingerprint(LINE).startswith("v1:")
    assert len(fingerprint(LINE)) == 19


def test_quoted_names_of_users_and_databases_are_masked_and_those_of_columns_stay():
    def refused(user, host, database):
        return (
            f'connection to server at "{host}", port 5432 failed: no entry for host "{host}", user "{user}",'
            f""" database "{database}". Access denied for user '{user}'@'{host}'. column "spend" is missing"""
        )

    form = normal_form(refused("bob", "db.acme.internal", "acme"))
    assert form == normal_form(refused("John Smith", "pg", "llm"))
    assert 'server at "<id>", port <n>' in form
    assert "user '<id>'@'<id>'" in form
    assert 'column "spend" is missing' in form
    assert normal_form("the user isn't known, it's gone") == "the user isn't known, it's gone"


def test_normal_form_is_short_and_keeps_both_ends():
    form = normal_form("first words " + "noise " * 100_000 + " last words")

    assert len(form) == 2_000
    assert form.startswith("first words")
    assert form.endswith("last words")


@given(st.text(max_size=300))
def test_any_readable_text_has_a_fingerprint(text):
    assert fingerprint(readable(text)) == fingerprint(readable(text))
