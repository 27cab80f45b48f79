"""A draft of a signature: words that stay the same, found again by the matcher in the text they came from."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.diagnosis import drafting
from kb.diagnosis.signature import Matcher, Signature, validate
from kb.diagnosis.text import normal_form, readable, redact

ERROR = "Gate 7 refuses alice: the passport 3f2504e0-4f89-41d3-9a0c-0305e82c3301 has no stamp of 2026-11-02"


def test_numbers_ids_times_and_paths_are_left_out() -> None:
    found = drafting.literals(ERROR)
    assert found == ["refuses alice: the passport", "has no stamp of"]
    assert "at /srv/app" not in " ".join(
        drafting.literals("Error: can't read the stamp at /srv/app/stamp.bin now")
    )


def test_quotes_and_brackets_of_a_transport_are_left_out_and_apostrophes_stay() -> None:
    body = json.dumps(
        {"error": {"message": "The traveller's purse isn't full: 3 coins", "type": "purse_error"}}
    )
    assert "The traveller's purse isn't full" in drafting.literals(body)


def test_a_traceback_gives_the_words_of_its_last_line() -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "/srv/gate.py", line 7, in enter\n    raise GateError(f"{name} has no stamp")\n'
        "gatelib.GateError: alice has no stamp of the harbour"
    )
    assert drafting.literals(text) == ["gatelib.GateError: alice has no stamp of the harbour"]


def test_what_a_log_says_around_any_error_is_left_out() -> None:
    text = (
        "09:14:22 - LiteLLM Proxy:ERROR: keys.py:812 - Exception occured - Only admins set the flag of a key"
    )
    assert drafting.literals(text) == ["Only admins set the flag of a key"]


@pytest.mark.parametrize("text", ["", "7", "Traceback (most recent call last):", "{}[]'\"", "a b c"])
def test_a_text_without_telling_words_gives_none(text: str) -> None:
    assert drafting.literals(text) == []


@pytest.mark.parametrize("file", ["labelled", "unrelated"])
def test_each_draft_recognises_the_text_that_it_came_from(file: str) -> None:
    rows = (Path(__file__).parents[1] / "corpus" / f"{file}.jsonl").read_text().splitlines()
    missed, empty = [], 0
    for row in map(json.loads, rows):
        text = redact(readable(row["text"])).text
        for source in (text, normal_form(text)):
            literals = drafting.literals(source)
            empty += not literals
            signature = Signature(guide="new", id="draft", all_of=tuple(literals))
            if literals and (validate(signature) or not Matcher([signature], []).match(source).matches):
                missed.append((row["id"], literals))
    assert missed == []
    assert empty <= 0.03 * 2 * len(rows)


@given(st.text(max_size=500))
def test_any_text_gives_a_signature_that_compiles_or_none(text: str) -> None:
    literals = drafting.literals(readable(text))
    assert not literals or validate(Signature(guide="new", id="draft", all_of=tuple(literals))) == []
    assert len(drafting.sample(text * 20)) <= drafting.SAMPLE
