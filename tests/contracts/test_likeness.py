"""What of the published content comes near a text: measured on labelled texts and on foreign ones."""

import json
from pathlib import Path

import pytest

from kb.diagnosis.text import readable, redact
from kb.guides import matching, similar
from kb.guides.models import Guide

pytestmark = pytest.mark.django_db
CORPUS = Path(__file__).resolve().parents[1] / "corpus"


def near(text: str) -> list[str]:
    """Names of what comes near: guides by tool and slug, messages without a guide by their words."""
    messages = similar.known(matching.edition(), matching.published)
    return [one.name for one in messages.likeness.rank(redact(readable(text)).text)]


def cases(name: str) -> list[dict[str, str]]:
    """The rows of a corpus."""
    return [json.loads(row) for row in (CORPUS / name).read_text().splitlines()]


def test_likeness_alone_finds_most_guides_and_stays_silent_on_most_foreign_errors(real_library: Path) -> None:
    slugs = set(Guide.objects.published().values_list("slug", flat=True))
    known = [case for case in cases("labelled.jsonl") if case["label"] in slugs]
    right = sum(f"litellm/{case['label']}" in near(case["text"]) for case in known)
    assert right / len(known) >= 0.85
    foreign = cases("unrelated.jsonl")
    shown = [(case["id"], *found) for case in foreign if (found := near(case["text"]))]
    assert len(shown) / len(foreign) <= 0.04, shown
