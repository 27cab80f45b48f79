"""Counts how many of the errors that releases can raise have a guide. Takes seconds: never done by a page."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.db import transaction

from kb.diagnosis.signature import Matcher
from kb.diagnosis.text import readable, redact
from kb.guides.matching import edition, matcher
from kb.guides.models import Coverage, Tool
from kb.guides.releases import table
from kb.guides.releases.row import Row
from kb.guides.rendered.measuring import Template, said, wrapped
from kb.guides.rendered.transports import json_body, proxy_traceback

ALGORITHM = "1"
ERRORS = ("raise", "class", "text")  # kinds of rows that reach users otherwise than by the log
LONGEST = 400  # characters of a text that is shown
SEED = 0  # the same values in holes each time


@dataclass(slots=True)
class Area:
    """What is counted for one area of one release."""

    errors: int = 0
    answered: int = 0
    general: int = 0
    guides: Counter[str] = field(default_factory=Counter)
    texts: list[list[Any]] = field(default_factory=list)


def renew() -> list[str]:
    """Counts anew for each tool whose signatures or releases changed; gives the slugs of those."""
    judge = matcher(edition())
    done = []
    for tool in Tool.objects.order_by("slug"):
        folder = Path(settings.CONTENT_DIR) / tool.slug
        stamp = f"{ALGORITHM}:{judge.ruleset}:{table.digest(folder)}"[:100]
        if not tool.coverage.filter(stamp=stamp).exists():
            keep(tool, measured(table.read(folder), judge), stamp)
            done.append(tool.slug)
    return done


def keep(tool: Tool, found: dict[tuple[str, str], Area], stamp: str) -> None:
    """Replaces what was counted before."""
    rows = [
        Coverage(
            tool=tool, version=version, area=name, errors=area.errors, answered=area.answered,
            general=area.general, guides=dict(sorted(area.guides.items())), texts=area.texts, stamp=stamp,
        )
        for (version, name), area in sorted(found.items())
    ]  # fmt: skip
    with transaction.atomic():
        Tool.objects.select_for_update(no_key=True).get(pk=tool.pk)  # of two loads the later one counts
        tool.coverage.all().delete()
        Coverage.objects.bulk_create(rows, batch_size=50)


def measured(releases: table.Table, judge: Matcher) -> dict[tuple[str, str], Area]:
    """(version, area) -> what was counted. A text counts once for each area, however many files say it."""
    found: defaultdict[tuple[str, str], Area] = defaultdict(Area)
    answers: dict[tuple[str, int, str], tuple[str, bool]] = {}
    seen: set[tuple[str, str, str]] = set()
    for row, versions in releases.entries:
        if row.kind not in ERRORS or not row.text:
            continue
        key = (wrapped(row), row.status, row.error_type)
        if key not in answers:
            answers[key] = answer(row, judge)
        for version in sorted(versions):
            if (version, row.area, row.text) not in seen:
                seen.add((version, row.area, row.text))
                count(found[version, row.area], row, *answers[key])
    return dict(found)


def count(area: Area, row: Row, guide: str, general: bool) -> None:
    """Counts one text."""
    area.errors += 1
    if guide:
        area.guides[guide] += 1
        area.general += general
        area.answered += not general
    else:
        area.texts.append([row.path, row.function, row.raised, row.status, row.text[:LONGEST]])


def answer(row: Row, judge: Matcher) -> tuple[str, bool]:
    """The slug of the guide that recognises a text, as its answer or its traceback has it, and how."""
    best = ("", False)
    for text in rendered(row):
        answer = judge.match(redact(readable(text)).text)
        for match in answer.matches[:1]:
            general = answer.verdict == "match" and match.confidence == "consistent"
            if not general:
                return match.guide.rpartition("/")[2], False
            best = (match.guide.rpartition("/")[2], True)
    return best


def rendered(row: Row) -> Iterable[str]:
    """The text with values in its holes: as the proxy's JSON, and in the proxy's log."""
    error = said(Template(wrapped(row), row, (), ()), Random(SEED))  # noqa: S311  values, not secrets
    for transport in (json_body, proxy_traceback):
        yield transport(error, Random(SEED))  # noqa: S311
