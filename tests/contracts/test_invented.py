"""A signature's text with one word that nobody ever used is refused: the proof of texts can fail."""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from kb.guides import proving
from kb.guides.library import ToolSource, read_tools
from kb.guides.releases import table
from kb.guides.source import GuideSource
from kb.guides.vocabulary import Speaker

INVENTED = "zorblefink"
WORD = re.compile(r"[^\W_]+")


def invented(literal: str) -> str:
    """The text with its longest word exchanged."""
    longest = max(WORD.findall(literal), key=len)
    return literal.replace(longest, INVENTED)


def rows_of(tool: ToolSource) -> Iterator[tuple[GuideSource, dict[str, Any]]]:
    """The signatures that releases, captures and cited words must prove."""
    for guide in tool.guides.values():
        for row in guide.facts["signature"]:
            if row.get("speaker", Speaker.GATEWAY) == Speaker.GATEWAY and "said_by" not in row:
                yield guide, row


def test_a_text_with_an_invented_word_is_never_proved() -> None:
    tool = next(tool for tool in read_tools(settings.CONTENT_DIR) if tool.slug == "litellm")
    said = proving.said_by_releases(table.read(tool.folder))
    recorded = proving.captured(tool.folder / "captures")
    passed, asked = [], 0
    for guide, row in rows_of(tool):
        claimed = said.bits_of(
            {version for message in guide.facts["message"] for version in message["versions"]}
        )
        proofs = (said, claimed, recorded, proving.shown_by_guide(guide))
        for literal in (*row["all_of"], *row.get("any_of", [])):
            if not WORD.search(literal):
                continue
            asked += 1
            made_up = row | {"all_of": [invented(literal)], "any_of": []}
            if not list(proving.check_signature(guide, made_up, 1, proofs)):
                passed.append((guide.slug, invented(literal)))
    assert asked > 1_000
    assert passed == []
