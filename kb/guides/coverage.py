"""Counts how many of the errors that releases can raise have a guide. Takes seconds: never done by a page."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from kb.guides.answering import NOBODY, Answer, answers, key_of
from kb.guides.matching import edition, matcher
from kb.guides.models import Coverage, Guide, Recognised, Tool
from kb.guides.releases import table
from kb.guides.releases.row import Row

ALGORITHM = "2"
ERRORS = ("raise", "class", "text")  # kinds of rows that reach users otherwise than by the log
LONGEST = 400  # characters of a text that is shown


@dataclass(slots=True)
class Area:
    """What is counted for one area of one release."""

    errors: int = 0
    answered: int = 0
    general: int = 0
    guides: Counter[str] = field(default_factory=Counter)
    texts: list[list[Any]] = field(default_factory=list)


Counted = dict[tuple[str, str], Area]  # by version and area


def renew() -> list[str]:
    """Counts anew for each tool whose signatures or releases changed; gives the slugs of those."""
    judge = matcher(edition())
    done = []
    for tool in Tool.objects.order_by("slug"):
        folder = Path(settings.CONTENT_DIR) / tool.slug
        stamp = f"{ALGORITHM}:{judge.ruleset}:{table.digest(folder)}"[:100]
        if not tool.coverage.filter(stamp=stamp).exists():
            releases = table.read(folder)
            guides = Guide.objects.published().filter(tool=tool).values_list("slug", "text")
            known = answers(releases, judge, dict(guides))
            keep(tool, measured(releases, known), known, stamp)
            done.append(tool.slug)
    return done


def keep(tool: Tool, found: Counted, known: Mapping[str, Answer], stamp: str) -> None:
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
        Recognised.objects.update_or_create(tool=tool, defaults={"texts": known})


def measured(releases: table.Table, known: Mapping[str, Answer]) -> Counted:
    """What was counted. A text counts once for each area, however many files say it."""
    found: defaultdict[tuple[str, str], Area] = defaultdict(Area)
    seen: set[tuple[str, str, str]] = set()
    for row, versions in releases.entries:
        if row.kind not in ERRORS or not row.text:
            continue
        answer = known.get(key_of(row), NOBODY)
        for version in sorted(versions):
            if (version, row.area, row.text) not in seen:
                seen.add((version, row.area, row.text))
                count(found[version, row.area], row, *answer)
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
