"""What is shown of a pasted text: all of a short one, the neighbourhood of the marks in a long one."""

from hypothesis import given
from hypothesis import strategies as st

from kb.guides.excerpt import SHORT, excerpt, telling_line


def test_the_deciding_part_is_marked_and_the_rest_is_whole() -> None:
    pieces = excerpt("before MATCH after", [(7, 12)])
    assert [(piece.text, piece.marked) for piece in pieces] == [
        ("before ", False), ("MATCH", True), (" after", False),
    ]  # fmt: skip


def test_a_long_text_says_how_much_was_left_out() -> None:
    text = "a" * 50_000 + "MATCH" + "b" * 50_000
    pieces = excerpt(text, [(50_000, 50_005)])
    assert sum(len(piece.text) + piece.skipped for piece in pieces) == len(text)
    assert [piece.text for piece in pieces if piece.marked] == ["MATCH"]
    assert sum(len(piece.text) for piece in pieces) < SHORT


@given(st.text(max_size=300), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=6))
def test_no_character_is_lost_or_doubled(text: str, spans: list[tuple[int, int]]) -> None:
    inside = [(min(a, b, len(text)), min(max(a, b), len(text))) for a, b in spans]
    assert "".join(piece.text for piece in excerpt(text, inside)) == text


def test_the_line_to_search_by_is_the_last_error() -> None:
    assert telling_line("ValueError: first\nRuntimeError: last\n  at end") == "RuntimeError: last"
    assert telling_line("one\n\ntwo\n") == "two"
    assert telling_line("") == ""
