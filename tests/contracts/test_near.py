"""Which guides come near to the samples of others: a new pair shows in review before it becomes a mistake."""

from collections.abc import Iterator
from pathlib import Path

from kb.diagnosis.text import readable, redact
from tests.contracts.test_content import matcher, samples

KNOWN = Path(__file__).with_name("near.txt")
BY_LENGTH = "Its signature is less specific"  # nothing but more fixed text put the first before it


def near() -> Iterator[str]:
    """`guide of the sample < guide that comes near`, where only the length of the fixed text decides.

    General signatures yield to all others, and one that contains another's text says what that says and
    more: neither comes near.
    """
    for slug, text in samples():
        first, *others = matcher().match(redact(readable(text)).text).matches
        assert first.guide == slug
        yield from (f"{slug} < {one.guide}" for one in others if one.lost_because.startswith(BY_LENGTH))


def test_guides_that_come_near_to_samples_of_others_are_known() -> None:
    """If it fails, make the new signature more specific, or accept what it says by a line in near.txt."""
    assert sorted(set(near())) == KNOWN.read_text().splitlines()
