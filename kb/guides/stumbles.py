"""What commands in guides stumble over on a reader's machine: each pattern, and what to write instead."""

import re
from collections.abc import Iterator

from kb.guides.source import GuideSource, Problem

STUMBLES = (
    (
        re.compile(r"\bpsql\b[^|;&]*\$(DATABASE_URL\b|\{DATABASE_URL\})"),
        r'psql refuses ?connection_limit= and the like: write "${DATABASE_URL%%\?*}"',
    ),
    (
        re.compile(r"\bpsql (?!.*(-d |DATABASE_URL|dbname=)).*LiteLLM_"),
        "psql without an address reaches a database without LiteLLM's tables: add -d litellm",
    ),
    (
        re.compile(r"\bkubectl logs\b(?=[^|;&]* (-l|--selector)\b)(?![^|;&]* --tail)"),
        "kubectl shows 10 lines of pods that a label chooses: add --tail=-1",
    ),
    (
        re.compile(
            r"\b(docker|kubectl)\b[^|;&]* exec\b[^|;&]* (pip3? |-m pip |getent |grep [^|;&]*--include)"
        ),
        "LiteLLM's image has no pip, no getent, and a grep without --include: ask python3 -c, or find",
    ),
    (
        re.compile(r"\bgrep( -[a-zA-Z]+)*(?<!e) ['\"]-"),
        "grep takes a pattern that begins with - for an option: put -e before it",
    ),
    (
        re.compile(r"\bjq\b.*[{,] *(and|as|def|elif|else|end|if|or|reduce|then) *[,}]"),
        "jq 1.6 takes the short form of this field for a keyword: write end: .end",
    ),
)


def check_commands(guide: GuideSource) -> Iterator[Problem]:
    """No command looks right and then shows an error, or nothing, on a reader's machine."""
    for block in guide.blocks:
        for line, words in enumerate(block.text.split("\n"), block.line):
            for stumble, text in STUMBLES:
                if stumble.search(words):
                    yield Problem(guide.path, line, text)
