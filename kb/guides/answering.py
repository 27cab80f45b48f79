"""Which guide recognises what releases say, or names a class of theirs. Takes seconds: no page does it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from random import Random

from kb.diagnosis.signature import Matcher
from kb.diagnosis.text import readable, redact
from kb.guides.releases.row import Row
from kb.guides.releases.table import Table
from kb.guides.rendered.measuring import Template, said, wrapped
from kb.guides.rendered.transports import json_body, log_line, proxy_traceback

SEED = 0  # the same values in holes each time
WORD = re.compile(r"\w+")

# The slug of a guide, and whether its signature is a general one. Nobody: "".
Answer = tuple[str, bool]
NOBODY: Answer = ("", False)


def key_of(row: Row) -> str:
    """The same for all rows that are answered alike, whatever file they stand in."""
    bare = "" if row.text else row.raised
    facts = (wrapped(row), str(row.status), row.error_type, "log" if row.kind == "log" else "", bare)
    return sha256("\0".join(facts).encode()).hexdigest()[:20]


def answers(releases: Table, judge: Matcher, texts: Mapping[str, str]) -> dict[str, Answer]:
    """Key of a row -> its guide, for rows that have one; `texts` is slug -> the guide's source.

    A class without words of its own, and a word of error.type, has the guide that names it most.
    """
    spoken = {slug: Counter(WORD.findall(text)) for slug, text in texts.items()}
    found: dict[str, Answer] = {}
    for row, _ in releases.entries:
        key = key_of(row)
        if key not in found:
            found[key] = recognised(row, judge) if row.text else named(row.raised or row.error_type, spoken)
    return {key: answer for key, answer in found.items() if answer != NOBODY}


def recognised(row: Row, judge: Matcher) -> Answer:
    """The guide that recognises a text, as its answer, its traceback or the log has it, and how."""
    best = NOBODY
    for text in rendered(row):
        answer = judge.match(redact(readable(text)).text)
        for match in answer.matches[:1]:
            general = answer.verdict == "match" and match.confidence == "consistent"
            if not general:
                return match.guide.rpartition("/")[2], False
            best = (match.guide.rpartition("/")[2], True)
    return best


def rendered(row: Row) -> Iterable[str]:
    """The text with values in its holes: as the proxy's JSON and in its log; a log line in the log alone."""
    error = said(Template(wrapped(row), row, (), ()), Random(SEED))  # noqa: S311  values, not secrets
    for transport in (log_line,) if row.kind == "log" else (json_body, proxy_traceback):
        yield transport(error, Random(SEED))  # noqa: S311


def named(name: str, spoken: Mapping[str, Counter[str]]) -> Answer:
    """The guide whose source has a name most often."""
    slug = max(spoken, key=lambda slug: (spoken[slug][name], slug), default="")
    return (slug, False) if slug and spoken[slug][name] else NOBODY
