"""What must hold of the published content: every contract, and what it recognises, in every disguise."""

import html
import json
import pprint
import re
import textwrap
from collections.abc import Callable
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


def broken(before: str, after: str = "") -> Callable[[str], str]:
    """Broken into short lines, each with something before it and after it."""
    shorter = textwrap.TextWrapper(76, break_long_words=False, break_on_hyphens=False)

    def disguise(text: str) -> str:
        lines = [part for line in text.split("\n") for part in shorter.wrap(line) or [""]]
        return "\n".join(f"{before}{line:76}{after}" if after else before + line for line in lines)

    return disguise


def cut(width: int, end: str = "\n") -> Callable[[str], str]:
    """Broken at a terminal's width, in the middle of words too."""

    def disguise(text: str) -> str:
        lines = (line[at : at + width] for line in text.split("\n") for at in range(0, len(line) or 1, width))
        return end.join(lines)

    return disguise


DISGUISES: dict[str, Callable[[str], str]] = {
    "json": as_json,
    "json in json": lambda text: json.dumps({"body": as_json(text)}),
    "python repr": lambda text: f"Exception: {text!r}",
    "colours": lambda text: "\n".join(f"\x1b[91m{line}\x1b[0m" for line in text.split("\n")),
    "container": lambda text: "\n".join(f"litellm-1  | {line}" for line in text.split("\n")),
    "noise around": lambda text: "INFO: started\n" * 300 + text + "\nINFO: GET /healthz 200" * 300,
    "windows lines": lambda text: text.replace("\n", "\r\n"),
    "upper case": str.upper,
    "service": broken("gateway     | "),
    "service with a hyphen at its end": broken("openhands-app-  | "),
    "exception group": broken("    | "),
    "exception group in a container": broken("litellm-1  |   | "),
    "ascii box": broken("| ", " |"),
    "box in json": lambda text: json.dumps(broken("\u2502 ", " \u2502")(text)),
    "quote": broken("> "),
    "quote in a quote": broken("> > "),
    "comment": broken("# "),
    "comment of a script": broken("// "),
    "added lines": broken("+ "),
    "container runtime": broken("2026-03-02T10:11:12.123456789Z stderr F "),
    "journal": broken("Mar 02 10:11:12 gw01 litellm[2211]: "),
    "stern": broken("litellm-6c8b9d5f7d-x2kqp litellm "),
    "kubectl with prefix": broken("[pod/litellm-6c8b9d5f7d-x2kqp/litellm] "),
    "kubectl with timestamps": broken("2026-03-02T10:11:12.123456789Z "),
    "compose with timestamps": broken("litellm-1  | 2026-03-02T10:11:12.123456789Z "),
    "pretty printer": lambda text: pprint.pformat({"error": {"message": text, "code": "x"}}),
    "terminal": cut(80),
    "wide terminal with windows lines": cut(120, "\r\n"),
    "markdown": lambda text: re.sub(r"([_*`\[\].])", r"\\\1", text),
    "html in markdown": lambda text: html.escape(text).replace("&", "\\&"),
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
