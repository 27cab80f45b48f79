"""The rendered test set: faithful to its seed, owned by plain rules, and honest about what it finds."""

import json
from io import StringIO
from pathlib import Path
from random import Random

import pytest
from django.conf import settings as site
from django.core.management import CommandError, call_command
from pytest_django import Settings

from kb.diagnosis.breaks import without
from kb.diagnosis.canonical import terminal_breaks
from kb.diagnosis.signature import Signature
from kb.guides import contracts
from kb.guides.library import read_tools
from kb.guides.releases import table
from kb.guides.releases.row import Row
from kb.guides.rendered import measuring
from kb.guides.rendered.owning import Owners
from kb.guides.rendered.transports import EVERY, Said
from kb.guides.rendered.values import HOLE, filled

COIN = Row(
    "gate/coin.py", "pay", "raise", "GateError", 400, "coin_spent", "The coin is spent: {cost} of {limit}"
)
LOGGED = Row("gate/job.py", "run", "log", "warning", 0, "", "Counters of {key} may lag")
SIGNATURES = [
    Signature(guide="gate/coin", id="plain", all_of=("The coin is spent:",)),
    Signature(guide="gate/any", id="plain", all_of=("is spent:",), general=True),
    Signature(guide="gate/typed", id="plain", all_of=("The coin is",), error_type="coin_lost"),
]


def measured(signatures: list[Signature], *rows: Row) -> measuring.Report:
    """What the matcher makes of rows."""
    return measuring.measure(rows, measuring.Judge.of(signatures, {"gate": ["gatelib"]}), seed=3)


def test_every_hole_is_filled_and_one_seed_gives_one_text() -> None:
    template = "Key={key} cost={current_cost} models={models} url={api_base} e={e} odd={whatever}"
    texts = {filled(template, Random(seed)) for seed in range(50)}
    assert len(texts) > 40
    assert not any(HOLE.search(text) for text in texts)
    assert filled(template, Random(7)) == filled(template, Random(7))


@pytest.mark.parametrize("name", list(EVERY))
def test_each_transport_carries_the_words(name: str) -> None:
    said = Said("The coin is spent: 3 of 2", 429, "coin_spent", "GateError", "gate/coin.py", "pay")
    text = EVERY[name](said, Random(1))
    assert "The coin is spent: 3 of 2" in " ".join(without(text, terminal_breaks(text)).split())


def test_a_template_belongs_to_the_guide_whose_literals_lie_in_its_fixed_words() -> None:
    owners = Owners(SIGNATURES)
    assert [claim.guide for claim in owners.of(COIN.text, 400, "coin_spent")] == ["gate/coin", "gate/any"]
    assert owners.of("The {thing} is spent", 400) == []
    assert owners.of("{The coin is spent}: now") == []


def test_owners_come_first_in_every_transport() -> None:
    report = measured(SIGNATURES, COIN, LOGGED)
    assert (report.templates, report.owned) == (2, 1)
    assert report.top1 == 1.0
    assert set(EVERY) <= set(report.asked) <= {*EVERY, measuring.CUT_WORDS}


def test_what_another_guide_wins_is_listed() -> None:
    thief = Signature(guide="gate/thief", id="plain", all_of=("Traceback (most recent call last):",))
    report = measured([thief, *SIGNATURES], COIN)
    assert 0 < report.top1 < 1
    assert {one.transport for one in report.wrong} >= {"proxy traceback", "OpenAI SDK traceback"}
    assert "gate/coin, found gate/thief" in measuring.table(report)


def test_part_of_a_template_is_asked_of_the_guides_that_own_that_part() -> None:
    owners = Owners(SIGNATURES)
    (template,) = measuring.templates([COIN], owners)
    parts = [measuring.shortened(template, owners, Random(seed)) for seed in range(60)]
    assert len({part.text for part in parts}) > 20
    assert all(
        "{" not in HOLE.sub("", part.text) and part.text.count("{") == part.text.count("}") for part in parts
    )
    assert {part.claims[0].guide for part in parts if part.claims} == {"gate/coin", "gate/any"}


def test_what_a_signature_excludes_is_not_asked_of_it() -> None:
    shy = Signature(guide="gate/coin", id="plain", all_of=("The coin",), none_of=("Traceback",))
    report = measured([shy], COIN)
    assert report.top1 == 1.0
    assert "OpenAI SDK traceback" not in report.asked


def test_a_template_that_nobody_owns_is_listed_once_a_guide_matches_it() -> None:
    greedy = Signature(guide="gate/greedy", id="plain", all_of=("LiteLLM Proxy:WARNING",))
    report = measured([greedy], LOGGED)
    assert {one.found for one in report.foreign} == {"gate/greedy"}
    assert "gate/greedy" in measuring.table(report)


def test_the_command_measures_the_scanned_releases(library: Path, settings: Settings, tmp_path: Path) -> None:
    settings.CONTENT_DIR = library
    with pytest.raises(CommandError, match="scan_release"):
        call_command("evaluate", "--rendered")
    (library / "gate" / table.NAME).write_text(table.written(table.made({"1.0": [COIN, LOGGED]}, ["1.0"])))
    out = StringIO()
    call_command("evaluate", "--rendered", "--seed", "5", "--report", str(tmp_path / "r.md"), stdout=out)
    assert "2 templates, 1 of them owned by a guide" in out.getvalue()
    assert "| JSON body | 100.0 % | 1 |" in (tmp_path / "r.md").read_text()


def test_the_command_wants_a_file_or_the_rendered_set(library: Path, tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps({"id": 1, "label": "coin", "text": "The coin is spent: 3 of 2"}))
    for arguments in ((), ("--rendered", str(file))):
        with pytest.raises(CommandError, match="Name a file"):
            call_command("evaluate", *arguments)


def test_what_the_releases_say_is_recognised_in_every_transport() -> None:
    tools = read_tools(site.CONTENT_DIR)
    rows = [row for tool in tools for row, _ in table.read(tool.folder).entries]
    signatures = [
        contracts.pure_signature(guide.slug, row, tool.slug)
        for tool, guide, row in contracts.rows_of(tools, "signature")
    ]
    judge = measuring.Judge.of(signatures, {tool.slug: tool.marks for tool in tools})
    report = measuring.measure(rows, judge, seed=1, most=1_000)
    assert report.texts >= 20_000
    assert report.top1 >= 0.99, measuring.table(report)
    # Of 1,000: Python's own sentences; providers' names that are values of a hole are rightly found.
    named = [one for one in report.foreign if "Exception - " in one.template.text]
    assert all(one.found.startswith("provider-") for one in named), measuring.table(report)
    assert len(report.foreign) - len(named) <= 5, measuring.table(report)
