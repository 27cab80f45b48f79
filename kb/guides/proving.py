"""Nothing in a signature is made up: every text that it looks for was said, and the library shows by whom.

A text is proved where a release that the guide's messages name says it (`releases.txt`), where a capture or
the cited words of a code source have it, or a sample of the guide from a thread. The words of others (a
provider, a client, the infrastructure) are proved by the signature's `speaker`; any other text by the source
that shows it: `said_by`. A tool whose releases were never read proves nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from kb.guides.library import ToolSource
from kb.guides.releases import table
from kb.guides.releases.proof import END, LEAST, Said, letters, plain
from kb.guides.releases.wording import HOLE
from kb.guides.source import GuideSource, Problem
from kb.guides.vocabulary import SourceKind, Speaker

WRAPPED = re.compile(r" - |: ")
BODY = re.compile(r"""^["']message["']: ?["']|["']$""")  # what JSON puts around an error's message


def check_proofs(tool: ToolSource, guides: Iterable[GuideSource]) -> Iterator[Problem]:
    """The texts of the guides' signatures that nothing shows to have been said."""
    try:
        releases = table.read(tool.folder)
    except table.BadTable as error:
        yield Problem(f"{tool.folder.parent.name}/{tool.slug}/{table.NAME}", 1, str(error))
        return
    if not releases.versions:
        return
    said = said_by_releases(releases)
    recorded = captured(tool.folder / "captures")
    for guide in guides:
        shown = shown_by_guide(guide)
        claimed = said.bits_of({version for row in guide.facts["message"] for version in row["versions"]})
        for index, row in enumerate(guide.facts["signature"]):
            line = guide.line_of("signature", index)
            yield from check_signature(guide, row, line, (said, claimed, recorded, shown))


def check_signature(
    guide: GuideSource, row: dict[str, Any], line: int, proofs: tuple[Said, int, str, str]
) -> Iterator[Problem]:
    """One signature's texts; `proofs`: what releases say, which of them, what captures and the guide show."""
    known = {source["id"] for source in guide.facts["source"]}
    for name in row.get("said_by", []):
        if name not in known:
            yield Problem(guide.path, line, f"[signature] {row['id']}: said_by {name!r}: no such source")
    if "said_by" in row:
        return
    if row.get("speaker", Speaker.GATEWAY) != Speaker.GATEWAY:
        return
    for literal in (*row["all_of"], *row.get("any_of", [])):
        words = plain(literal)
        if proved(words, *proofs) or proved_in_wrapper(words, *proofs):
            continue
        yield Problem(
            guide.path,
            line,
            f"[signature] {row['id']}: no release that the messages name says {literal!r}, no capture and no"
            " cited words show it: correct it, or name the source that shows it, as said_by",
        )


def proved(words: str, said: Said, claimed: int, recorded: str, shown: str) -> bool:
    """Whether words were said: by a release that counts, in a capture, or in what the guide shows."""
    if said.as_they_are(words) & claimed or words in shown or words in recorded:  # the cheap ways first
        return True
    return bool(said.by(words, claimed) & claimed)


def proved_in_wrapper(words: str, said: Said, claimed: int, recorded: str, shown: str) -> bool:
    """Whether a body, or a release's own words, stand around words that were said: `OpenAIException - `."""
    bare = BODY.sub("", words)
    if bare != words and proved(bare, said, claimed, recorded, shown):
        return True
    for found in WRAPPED.finditer(words):
        before, after = words[: found.end()], words[found.end() :]
        own = letters(after) >= LEAST and said.by(before, claimed) & claimed
        if own and proved(after, said, claimed, recorded, shown):
            return True
    return False


def not_printed_by(folder: Path, row: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The releases that were read and don't print a [[message]] which those that it names print: older ones
    than these, and later ones.

    The longest stretch of fixed words decides: a text that was reworded around it, or completed by code that
    isn't Python, isn't called new or gone. Empty too where the words are of somebody else.
    """
    releases = table.read(folder)
    order = [version in row["versions"] for version in releases.versions]
    if all(order) or not any(order):
        return [], []
    said = said_by_releases(releases)
    claimed = said.bits_of(row["versions"])
    longest = max(map(plain, HOLE.split(row["text"])), key=letters)
    if letters(longest) < LEAST or not said.by(longest, claimed) & claimed:
        return [], []
    without = [
        one for one in releases.versions if one not in row["versions"] and not prints(said, longest, one)
    ]
    first = order.index(True)
    older = [one for one in without if one in releases.versions[:first]]
    return older, [one for one in without if one not in older]


def prints(said: Said, words: str, version: str) -> bool:
    """Whether a release says words that are `plain`, as they are or through its holes."""
    bit = said.bits_of([version])
    return bool(said.by(words, bit) & bit)


def shown_by_guide(guide: GuideSource) -> str:
    """What the guide itself shows: cited words of code, and the texts that it has from threads."""
    cited = [row.get(name, "") for row in guide.facts["source"] for name in ("contains", "path")
             if row["kind"] == SourceKind.CODE]  # fmt: skip
    seen = [row["text"] for row in guide.facts["sample"] if row["origin"].startswith("https://")]
    return END.join(plain(text) for text in (*cited, *seen))


@lru_cache(maxsize=2)
def said_by_releases(releases: table.Table) -> Said:
    """What the releases of a table say, made ready once."""
    return Said(releases)


def captured(folder: Path) -> str:
    """All that captures recorded, as it stands in them and as JSON prints it."""
    files = sorted(folder.rglob("*.json"))
    return recorded(tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=2)
def recorded(files: tuple[tuple[Path, int], ...]) -> str:
    """As `captured`, read once as long as no file changes."""
    texts: list[str] = []
    for file, _ in files:
        whole = json.loads(file.read_text("utf-8"))
        texts += [json.dumps(whole), json.dumps(whole, separators=(",", ":")), *strings(whole)]
    return END.join(dict.fromkeys(map(plain, texts)))


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)
