"""Nothing in a signature is made up: what counts as proof, and what is said of a text that has none."""

from pathlib import Path

import pytest

from kb.guides import contracts
from kb.guides.library import read_tools
from kb.guides.releases import table
from kb.guides.releases.proof import Said, plain
from kb.guides.releases.scanning import scan
from tests.guides import files

CODE = """
class CoinError(Exception):
    def __init__(self, message):
        self.message = f"gatelib.CoinError: {message}"

def check(cost, limit):
    raise ValueError(f"The coin is spent: {cost} of {limit}")

def tell(scope, message):
    raise ValueError(f"{scope} may not use model. This {scope} has models={models}")

def wrap(provider, message):
    raise CoinError(f"{provider}Exception - {message}")

def route(path):
    raise ValueError("Expected format: /coin/{id}")

def key(bank):
    if bank != "bank_one":
        raise ValueError(f"No key of bank_one: {bank}")
"""
OLD = "def check():\n    raise ValueError('The coin was lost in the old days')\n"


def releases(folder: Path) -> None:
    """Two releases of `gate`: of 1.0 nobody says that the coin was lost in 2.0."""
    token = b'raise ValueError(f"The token is spent: {cost} of {limit}")'
    scans = {
        "1.0": scan({"gate/coin.py": CODE.encode(), "gate/token.py": token, "gate/old.py": OLD.encode()}),
        "2.0": scan({"gate/coin.py": CODE.encode(), "gate/token.py": token}),
    }
    made = table.made(scans, ["1.0", "2.0"])
    (folder / "gate" / table.NAME).write_text(table.written(made))


def problems(folder: Path, coin: str) -> list[str]:
    """What is wrong with the library if the guide `coin` reads so."""
    files.write(folder, coin=coin, token=files.guide("token"))
    releases(folder)
    return [str(problem) for problem in contracts.check(read_tools(folder))]


def signed(literal: str, more: str = "") -> str:
    """The guide `coin` with one more signature."""
    extra = f"[[signature]]\nid = \"extra\"\nall_of = ['''{literal}''']\n{more}\n[[sample]]"
    return files.guide("coin").replace("[[sample]]", extra, 1)


@pytest.mark.parametrize(
    "literal",
    [
        "The coin is spent:",  # as the code has it
        "the  COIN is\nspent",  # whatever its case and white space
        "The coin is spent: 3 of 2",  # with values in its holes
        "This key has models=",  # that begins with a value
        "Expected format: /coin/{id}",  # with braces of its own
        "ValueError: The coin is spent",  # as a traceback prints it
        "gatelib.CoinError: Key may not use model.",  # one text in the hole of another
        "Bank_oneException - The coin is spent",
        "gate.coin.CoinError",  # names
        "gate/coin.py",
        "in route raise ValueError(",  # as a traceback prints the frame that raises
    ],
)
def test_what_a_release_says_is_proved(tmp_path: Path, literal: str) -> None:
    assert problems(tmp_path, signed(literal)) == []


@pytest.mark.parametrize(
    "literal",
    [
        "The coin is missing:",
        "The coin is spent on sweets",
        "The coin is spent: sweets of 2",  # a value that no release speaks of
        "This piggybank has models=",
        "Piggy_bankException - The coin is spent",
        "This key has no models",
        "CoinageError",
        "in route raise CoinError(",
    ],
)
def test_what_nobody_said_is_told_by_file_and_line(tmp_path: Path, literal: str) -> None:
    text = signed(literal)
    line = text[: text.index('[[signature]]\nid = "extra"')].count("\n") + 1
    assert problems(tmp_path, text) == [
        f"{tmp_path.name}/gate/coin.md:{line}: [signature] extra: no release that the messages name says"
        f" {literal!r}, no capture and no cited words show it: correct it, or name the source that shows it,"
        " as said_by"
    ]


def test_any_of_must_be_proved_too(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, signed("The coin is spent:", 'any_of = ["of", "in dreams alone"]'))
    assert "'in dreams alone'" in said


def test_a_release_that_no_message_names_proves_nothing(tmp_path: Path) -> None:
    text = signed("The coin was lost in the old days")
    assert problems(tmp_path, text) == []
    (said,) = problems(tmp_path, text.replace('versions = ["1.0", "2.0"]', 'versions = ["2.0"]'))
    assert "'The coin was lost in the old days'" in said


def test_the_words_of_others_are_theirs(tmp_path: Path) -> None:
    assert problems(tmp_path, signed("The bank is closed today", 'speaker = "provider"')) == []


def test_a_text_of_a_thread_proves_what_it_shows(tmp_path: Path) -> None:
    assert problems(tmp_path, signed("Bank_oneException - The weather is fine")) == []


def test_cited_words_of_code_prove_themselves(tmp_path: Path) -> None:
    text = signed("counter of coins overflows").replace(
        'contains = "is spent"', 'contains = "counter of coins overflows"'
    )
    assert problems(tmp_path, text) == []


def test_a_capture_proves_what_it_recorded(tmp_path: Path) -> None:
    files.two(tmp_path)
    (tmp_path / "gate" / "captures" / "1.0" / "x.json").write_text(
        '{"body": {"message": "Coins are gone today"}}'
    )
    assert problems(tmp_path, signed('"message":"Coins are gone today"')) == []


def test_a_source_that_shows_it_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path, signed("Coin trouble ahead", 'said_by = ["lab-coin"]')) == []
    (said,) = problems(tmp_path, signed("Coin trouble ahead", 'said_by = ["nobody"]'))
    assert "said_by 'nobody': no such source" in said


def test_a_source_that_only_a_signature_names_is_used(tmp_path: Path) -> None:
    source = '[[source]]\nid = "thread-1"\nkind = "thread"\nurl = "https://threads.example/1"\n'
    source += 'title = "Seen once"\nread = 2026-11-24\n\n[fix.'
    text = signed("Coin trouble ahead", 'said_by = ["thread-1"]').replace("[fix.", source, 1)
    assert problems(tmp_path, text) == []


def test_without_a_table_nothing_is_asked(tmp_path: Path) -> None:
    files.write(tmp_path, coin=signed("The coin is missing:"), token=files.guide("token"))
    assert contracts.check(read_tools(tmp_path)) == []


def test_a_table_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    files.two(tmp_path)
    (tmp_path / "gate" / table.NAME).write_text("releases a=1.0\ngate/coin.py\n  a ?what\n")
    (said,) = map(str, contracts.check(read_tools(tmp_path)))
    assert said.endswith("gate/releases.txt:1: line 3 is no entry:   a ?what")


def test_words_are_said_by_the_releases_that_have_them() -> None:
    made = table.made({"1": scan({"a.py": OLD.encode()}), "2": []}, ["1", "2"])
    said = Said(made)
    assert said.by(plain("The coin was LOST in")) == said.bits_of(["1"])
    assert said.by(plain("lost and found")) == 0
