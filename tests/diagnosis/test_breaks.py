"""Text copied out of a terminal, which breaks lines at its width."""

import pytest

from kb.diagnosis.breaks import without
from kb.diagnosis.canonical import terminal_breaks
from kb.diagnosis.signature import Matcher, Signature
from kb.diagnosis.text import readable, redact

KEY = "sk-" + "a1B2c3D4" * 4
ERROR = (
    "litellm.BadRequestError: the widget of this very deployment is broken beyond repair: nothing was sent"
)


def cut(text: str, width: int) -> str:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


@pytest.mark.parametrize("width", [50, 72, 80, 100])
def test_finds_what_a_terminal_broke_inside_of_a_word_and_shows_where(width):
    matcher = Matcher(
        [Signature(guide="g", id="s", all_of=("the widget of this very deployment is broken",))], []
    )
    text = cut("x" * 9 + ERROR, width)
    (match,) = matcher.match(text).matches
    (span,) = match.spans
    assert text[span.start : span.end].replace("\n", "") == "the widget of this very deployment is broken"


@pytest.mark.parametrize("before", range(60, 80))
def test_a_key_that_a_terminal_broke_leaves_nothing(before):
    text = cut("y" * before + f" {KEY} was refused, and so was the request that came with it", 80)
    shown = redact(readable(text)).text
    assert "<api_key>" in shown
    assert "a1B2" not in shown
    assert "c3D4" not in shown.replace("\n", "")


def test_lines_that_no_terminal_broke_stay_as_they_are():
    text = "INFO: started\nERROR: the widget is broken\nINFO: stopped"
    assert terminal_breaks(text) == ()
    assert without(text, ()) == text
    assert redact(text).text == text


def test_equal_lines_of_a_log_are_read_as_they_stand_where_joining_finds_nothing():
    line = "2026-03-02 10:11:12 ERROR the widget of the gateway is"
    text = f"{line}\nbroken\n{line}\nbroken"
    matcher = Matcher([Signature(guide="g", id="s", all_of=("the gateway is broken",))], [])
    assert [match.guide for match in matcher.match(text).matches] == ["g"]
