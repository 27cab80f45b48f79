"""What must hold of the published content: every contract, and what it recognises, in every disguise."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from kb.diagnosis.signature import Matcher
from kb.diagnosis.text import readable, redact
from kb.guides import contracts
from kb.guides.library import read_tools

CORPUS = Path(__file__).resolve().parents[1] / "corpus" / "labelled.jsonl"


@cache
def tools() -> list[contracts.ToolSource]:
    """The published content, read once."""
    return read_tools(settings.CONTENT_DIR)


@cache
def matcher() -> Matcher:
    """All published signatures."""
    rows = contracts.rows_of(tools(), "signature")
    marks = [mark for tool in tools() for mark in tool.marks]
    return Matcher([contracts.pure_signature(guide.slug, row) for _, guide, row in rows], marks)


def found(text: str) -> list[str]:
    """Slugs of the guides that fit, best first."""
    return [match.guide for match in matcher().match(redact(readable(text)).text).matches]


def samples() -> list[tuple[str, str]]:
    """(slug, text) of every sample that must match."""
    rows = contracts.rows_of(tools(), "sample")
    return [(guide.slug, row["text"]) for _, guide, row in rows if not row.get("near_miss")]


def test_the_content_is_as_it_must_be() -> None:
    assert [str(problem) for problem in contracts.check(tools())] == []


def test_labelled_texts_are_recognised_and_foreign_ones_are_not() -> None:
    cases = [json.loads(line) for line in CORPUS.read_text().splitlines()]
    guides = {slug for tool in tools() for slug in tool.guides}
    known = [case for case in cases if case["label"] in guides]
    first = sum(found(case["text"])[:1] == [case["label"]] for case in known)
    assert first / len(known) >= 0.97
    assert [case["id"] for case in cases if case["label"] == "none" and found(case["text"])] == []


def as_json(text: str) -> str:
    """In the body of an answer."""
    return json.dumps({"error": {"message": text, "type": "None", "param": "None", "code": "x"}})


DISGUISES = {
    "json": as_json,
    "json in json": lambda text: json.dumps({"body": as_json(text)}),
    "python repr": lambda text: f"Exception: {text!r}",
    "colours": lambda text: "\n".join(f"\x1b[91m{line}\x1b[0m" for line in text.split("\n")),
    "container": lambda text: "\n".join(f"litellm-1  | {line}" for line in text.split("\n")),
    "noise around": lambda text: "INFO: started\n" * 300 + text + "\nINFO: GET /healthz 200" * 300,
    "windows lines": lambda text: text.replace("\n", "\r\n"),
    "upper case": str.upper,
}


@pytest.mark.parametrize("name", list(DISGUISES))
def test_samples_are_recognised_in_every_disguise(name: str) -> None:
    missed = [(slug, found(DISGUISES[name](text))[:1]) for slug, text in samples()]
    missed = [(slug, first) for slug, first in missed if first != [slug]]
    assert missed == []


def test_every_category_of_failure_has_guides() -> None:
    categories = {guide.facts["category"] for tool in tools() for guide in tool.guides.values()}
    assert categories == set(contracts.Category.values)


def test_no_guide_holds_a_secret() -> None:
    secret = re.compile(r"sk-[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.eyJ|-----BEGIN")
    for tool in tools():
        for file in [*tool.folder.glob("*.md"), *tool.folder.rglob("*.json")]:
            assert not secret.search(file.read_text()), file.name
