"""A pasted text or a query with an error's name that no release has is answered honestly."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as ours
from django.core.management import call_command
from django.test import Client

from kb.diagnosis.names import unknown_names
from kb.guides.library import read_tools
from kb.guides.loading import load
from kb.guides.naming import names_of
from kb.guides.releases import table
from kb.guides.releases.scanning import scan
from tests.guides import files

CODE = """
class CoinSpentError(Exception):
    def __init__(self, message):
        super().__init__(f"The coin is spent: {message}")

def check(cost, token):
    raise ValueError(f"The token is spent: {cost}")
"""


@pytest.fixture
def named(db: None, tmp_path: Path, settings: Any) -> Path:
    """A library whose release has one class of errors, of which the guide on coins speaks."""
    settings.CONTENT_DIR = files.write(
        tmp_path, coin=files.guide("coin", "CoinSpentError: the coin is spent"), token=files.guide("token")
    )
    made = table.made({"1.0": scan({"gate/coin.py": CODE.encode()}), "2.0": []}, ["1.0", "2.0"])
    (tmp_path / "gate" / table.NAME).write_text(table.written(made))
    load(tmp_path)
    return tmp_path


def test_the_page_says_that_no_release_has_it(named: Path, client: Client) -> None:
    shown = client.post("/match/", {"text": "gate.GateCoinSpentTwiceError: <b>oh</b>"}).content.decode()
    assert "No release of Gate that was read (1.0, 2.0) has an error of the name" in shown
    assert "<code>gate.GateCoinSpentTwiceError</code>" in shown
    assert '<a href="/errors/gate/coin/"><code>CoinSpentError</code></a>' in shown


def test_it_is_said_beside_a_match_too(named: Path, client: Client) -> None:
    text = "gate.MadeUpError: The coin is spent: 3 of 2"
    shown = client.post("/match/", {"text": text}).content.decode()
    assert "CoinSpentError: the coin is spent" in shown
    assert "<code>gate.MadeUpError</code>" in shown
    assert "No real name comes near." in shown


@pytest.mark.parametrize("text", ["gate.CoinSpentError: it is", "gates are open", "other.MadeUpError: no"])
def test_of_real_names_and_others_nothing_is_said(named: Path, client: Client, text: str) -> None:
    assert "No such error" not in client.post("/match/", {"text": text}).content.decode()


def test_a_search_is_told_as_well(named: Path, client: Client) -> None:
    shown = client.get("/search/", {"q": "GateMadeUpError"}).content.decode()
    assert "<code>GateMadeUpError</code>" in shown
    assert "No such error" not in client.get("/search/", {"q": "CoinSpentError"}).content.decode()


def test_the_match_object_names_them(named: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "error.log").write_text("gate.GateCoinSpentTwiceError: oh")
    call_command("match", str(tmp_path / "error.log"), "--json")
    (one,) = json.loads(capsys.readouterr().out)["unknown_names"]
    assert one == {
        "name": "gate.GateCoinSpentTwiceError",
        "tool": "Gate",
        "versions": ["1.0", "2.0"],
        "nearest": [{"name": "CoinSpentError", "url": "/errors/gate/coin/"}],
    }


def test_no_published_guide_and_no_sample_has_a_name_that_is_none() -> None:
    for tool in read_tools(ours.CONTENT_DIR):
        names = names_of(table.read(tool.folder))
        for guide in tool.guides.values():
            assert unknown_names(guide.text, tool.slug, names.known, names.providers) == [], guide.slug
