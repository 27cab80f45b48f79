"""A signature may compare two numbers that its pattern captures."""

import pytest

from kb.diagnosis.signature import Matcher, Signature, validate

STALE = Signature(
    guide="stale",
    id="lower-spend",
    all_of=("Budget is exceeded", "spend"),
    pattern=r"limit (?P<limit>[\d.e-]+).*spend (?P<spend>[\d.e-]+)",
    where="spend < limit",
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("Budget is exceeded: limit 5.0, but spend 3.5", True),
        ("Budget is exceeded: limit 5.0, and spend 5.0", False),
        ("Budget is exceeded: limit 5.0, and spend 26.075", False),
        ("Budget is exceeded: limit 1e-3, but spend 1e-9", True),
        ("Budget is exceeded: limit ..., but spend 1", False),
        ("Budget is exceeded: limit 1.2.3, but spend 1", False),
        ("Budget is exceeded: limit 1e400, but spend 1", True),
    ],
)
def test_a_comparison_decides(text: str, holds: bool) -> None:
    answer = Matcher([STALE], []).match(text)
    assert (answer.verdict == "match") is holds


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("spend lower limit", "Write where as two groups"),
        ("spend < 5 or true", "Write where as two groups"),
        ("cost < limit", "Name the group cost in the pattern"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused(where: str, says: str) -> None:
    signature = Signature(
        guide="x",
        id="x",
        all_of=("Budget is exceeded",),
        pattern=r"(?P<limit>\d+) (?P<spend>\d+)",
        where=where,
    )
    assert any(says in problem for problem in validate(signature))
