"""Every name that LiteLLM gives an error, as a class or as error.type, is known to a guide."""

import re
from functools import cache

import pytest
from django.conf import settings

from kb.guides.library import read_tools
from kb.guides.releases import table
from kb.guides.releases.table import Table

CLASSES = "litellm/exceptions.py"
READ = "1.84.0"  # and the newest release that was read
NOT_MET = {
    "GuardrailInterventionNormalStringError": "caught by the Bedrock guardrail, whose text is the answer",
    "InvalidRequestError": "kept for programs that catch it: no release raises it",
    "MockException": "raised only for a call that asked for it with mock_response",
    "ModifyResponseException": "the proxy answers 200 with its text in place of the model's",
    "SensitiveDataRouteException": "caught by the proxy, which sends the call to another model",
}


@cache
def releases() -> Table:
    """What the releases of LiteLLM say."""
    return table.read(settings.CONTENT_DIR / "litellm")


@cache
def words_of_guides() -> frozenset[str]:
    """All words of all guides on LiteLLM: messages, types, signatures, samples and text."""
    guides = next(tool for tool in read_tools(settings.CONTENT_DIR) if tool.slug == "litellm").guides
    return frozenset(re.findall(r"\w+", " ".join(guide.text for guide in guides.values())))


def names(version: str) -> set[str]:
    """The exception classes and the words of error.type that one release has."""
    rows = releases().rows(version)
    classes = {row.raised for row in rows if row.kind == "class" and row.path == CLASSES}
    return classes | {row.error_type for row in rows if row.kind == "type"}


@pytest.mark.parametrize("version", [READ, "newest"])
def test_every_name_of_an_error_is_known_to_a_guide(version: str) -> None:
    found = names(releases().newest if version == "newest" else version)
    assert {"BudgetExceededError", "budget_exceeded"} <= found
    assert sorted(found - words_of_guides() - NOT_MET.keys()) == []


def test_names_that_nobody_meets_are_names_of_a_release_and_have_a_reason() -> None:
    assert NOT_MET.keys() <= names(READ) | names(releases().newest)
    assert all(NOT_MET.values())
