"""What no signature knows is compared with known messages: by wording, with the reason, never as a match."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kb.diagnosis.likeness import Known, Likeness
from kb.diagnosis.text import readable

PURSE = "The purse of this traveller is empty: {coins} coins are left of {limit}, wait until {reset_at}"
GATE = "Gate {name} refuses travellers whose passport has no stamp of the harbour office"
NAMES = ("alpha", "beta", "gamma", "delta", "kappa", "sigma", "omega", "lambda")
OTHERS = [Known(name, f"Message {name} number of the {name} register was not {name} found") for name in NAMES]
ALL = Likeness([Known("purse", PURSE), Known("gate", GATE), *OTHERS])


def test_a_reworded_message_is_found_with_the_words_that_it_shares() -> None:
    text = readable(
        "ERROR gw: The purse of this traveller is now empty: 3 coins are left of 7, wait until noon"
    )
    (best,) = ALL.rank(text, floor=0.2)
    assert best.name == "purse"
    assert 0.2 <= best.score < 1
    assert "the purse of this traveller is" in [one.phrase for one in best.shared]
    for one in best.shared:
        assert text[one.start : one.end].lower().split() == one.phrase.split()


def test_the_same_words_are_found_in_escapes_and_colours_and_their_places_lead_back() -> None:
    plain = GATE.replace("{name}", "7")
    text = json.dumps({"body": json.dumps({"detail": f"\x1b[31m{plain}\x1b[0m"})})
    (best,) = ALL.rank(text, floor=0.2)
    assert best.name == "gate"
    assert text[best.shared[0].start :].startswith("refuses")


def test_common_words_alone_are_no_likeness() -> None:
    assert ALL.rank("The register was not found, wait until the office is there") == []
    assert ALL.rank("") == []
    assert Likeness([]).rank("anything at all here") == []


def test_of_one_name_only_the_message_that_comes_nearest_is_shown() -> None:
    twice = Likeness([Known("gate", GATE), Known("gate", f"{GATE} today"), *OTHERS])
    found = twice.rank(f"{GATE} today", floor=0.1)
    assert [one.name for one in found].count("gate") == 1


@given(st.text(max_size=400))
def test_any_text_is_compared_and_every_place_lies_in_it(text: str) -> None:
    for similar in ALL.rank(text + PURSE, floor=0.0):
        for one in similar.shared:
            assert 0 <= one.start < one.end <= len(text + PURSE)


def test_few_errors_of_other_software_look_like_a_message_of_their_own_kind() -> None:
    """The floor keeps the rest away; what is above it shares a provider's or a library's own words."""
    rows = (Path(__file__).parents[1] / "corpus" / "unrelated.jsonl").read_text().splitlines()
    texts = [json.loads(row)["text"] for row in rows]
    assert sum(bool(ALL.rank(text)) for text in texts) == 0
