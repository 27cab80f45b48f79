"""How sure reports make us of a fix, and that few of them never overturn the editors."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.guides.wilson import FEW, Outcome, in_order, interval

counts = st.integers(0, 500)


@dataclass(frozen=True)
class Fix:
    """A fix of that key."""

    key: str


def fixes(number: int) -> list[Fix]:
    """That many, in the editors' order."""
    return [Fix(f"fix-{place}") for place in range(number)]


def keys(outcomes: list[tuple[int, int]]) -> list[int]:
    """The places that the fixes with these outcomes had in the editors' order, in the new one."""
    told = {f"fix-{place}": Outcome(*outcome) for place, outcome in enumerate(outcomes)}
    return [int(fix.key.removeprefix("fix-")) for fix, _ in in_order(fixes(len(outcomes)), told)]


@pytest.mark.parametrize(
    ("helped", "total", "lower", "upper"),
    [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (9, 10, 0.5958, 0.9821),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_the_interval_has_the_published_values(helped: int, total: int, lower: float, upper: float) -> None:
    assert interval(helped, total) == pytest.approx((lower, upper), abs=1e-4)


@given(counts, counts)
def test_an_interval_holds_the_share_and_mirrors_its_opposite(helped: int, failed: int) -> None:
    total = helped + failed
    lower, upper = interval(helped, total)
    assert 0 <= lower <= upper <= 1
    if total:
        assert lower - 1e-9 <= helped / total <= upper + 1e-9
        assert interval(failed, total) == pytest.approx((1 - upper, 1 - lower))


@given(st.integers(1, 50), st.integers(0, 50))
def test_more_reports_of_the_same_share_narrow_it(helped: int, failed: int) -> None:
    few, many = interval(helped, helped + failed), interval(helped * 4, (helped + failed) * 4)
    assert many[1] - many[0] < few[1] - few[0]


@given(st.lists(st.tuples(counts, counts), max_size=8))
def test_no_fix_is_lost_and_none_is_doubled(outcomes: list[tuple[int, int]]) -> None:
    assert sorted(keys(outcomes)) == list(range(len(outcomes)))


def test_without_reports_the_editors_order_stands() -> None:
    assert [fix.key for fix, _ in in_order(fixes(5), {})] == [f"fix-{place}" for place in range(5)]


few = st.integers(0, FEW - 1).flatmap(
    lambda total: st.integers(0, total).map(lambda helped: (helped, total - helped))
)


@given(st.lists(few, max_size=8))
def test_few_readers_never_overturn_the_editors(outcomes: list[tuple[int, int]]) -> None:
    assert keys(outcomes) == list(range(len(outcomes)))


def test_four_who_agree_do() -> None:
    assert keys([(0, 0), (FEW, 0)]) == [1, 0]
    assert keys([(0, FEW), (0, 0)]) == [1, 0]
    assert keys([(0, 0), (5, 4)]) == [0, 1]


def test_what_was_shown_to_help_comes_first_and_what_was_shown_not_to_comes_last() -> None:
    assert keys([(1, 9), (0, 0), (9, 1), (2, 2), (90, 1)]) == [4, 2, 1, 3, 0]


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=6), st.data())
def test_one_more_happy_reader_never_moves_a_fix_back(
    outcomes: list[tuple[int, int]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(outcomes) - 1))
    before = keys(outcomes).index(place)
    helped, failed = outcomes[place]
    outcomes[place] = (helped + 1, failed)
    assert keys(outcomes).index(place) <= before
