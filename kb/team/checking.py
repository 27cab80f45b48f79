"""What a draft would do: its checks, its page, and which texts its signatures would win. Nothing is kept.

The checks are those of content files (`kb.guides.contracts`), over the library with the draft in its place.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import DataError, IntegrityError, models, transaction

from kb.diagnosis import drafting
from kb.diagnosis.signature import Matcher, SignatureError
from kb.guides import contracts, shelf
from kb.guides.library import ToolSource
from kb.guides.loading import save_guide
from kb.guides.models import Guide, Tool, UnmatchedError
from kb.guides.source import SINGLE, ContentError, GuideSource, Problem, recognition
from kb.team.comparing import title_of
from kb.team.parts import AREA, split

MOST_TEXTS = 400  # stored reports that signatures are tried on
MOST_UNMATCHED = 2_000  # texts that nothing fits, likewise
MOST_SHOWN = 30  # changes of a kind that are listed
OPENING = 160
Text = tuple[str, str]  # a text, and what it is a text of


@dataclass(frozen=True, slots=True)
class Found:
    """A problem as the editor shows it: in which field and line, or in which other file."""

    text: str
    line: int
    field: str = ""
    title: str = ""
    elsewhere: str = ""


class NoPreview(Exception):
    """The page can't be composed as long as `found` stands."""

    def __init__(self, found: list[Found]) -> None:
        self.found = found
        super().__init__("The page can't be shown yet.")


def source_path(tool: Tool, slug: str) -> str:
    """The name of a guide in problems."""
    return shelf.path_of(tool, slug)


def read(tool: Tool, slug: str, text: str) -> GuideSource:
    """A draft as plain values. Raises ContentError."""
    return shelf.source_of(text, slug, source_path(tool, slug))


def swapped(tools: list[ToolSource], tool: Tool, source: GuideSource) -> list[ToolSource]:
    """The library with the draft in the place of its guide, or beside the others."""
    return [
        replace(
            one,
            guides=one.guides | {source.slug: source},
            problems=[problem for problem in one.problems if problem.path != source.path],
        )
        if one.slug == tool.slug
        else one
        for one in tools
    ]


def problems_of(tool: Tool, slug: str, text: str) -> list[Found]:
    """All that is wrong with a draft, and what it would break in other guides; empty: it may be published."""
    path = source_path(tool, slug)
    try:
        source = read(tool, slug, text)
    except ContentError as error:
        return [placed(problem, text) for problem in error.problems]
    tools = shelf.tools()
    after = swapped(tools, tool, source)
    found = contracts.check_draft(after, next(one for one in after if one.slug == tool.slug), source)
    own = [placed(problem, text) for problem in found if problem.path == path]
    others = [problem for problem in found if problem.path != path]
    if others:  # no draft is blamed for what is wrong without it
        known = set(contracts.check(tools))
        others = [problem for problem in others if problem not in known]
    return own + [Found(problem.text, problem.line, elsewhere=problem.path) for problem in others]


def placed(problem: Problem, text: str) -> Found:
    """A problem with the field that it stands in, and the line there."""
    field, line = "", problem.line
    for piece in split(text):
        if piece.line > problem.line:
            break
        if piece.name:
            field = piece.name
            line = problem.line - piece.line + 1 if piece.kind == AREA else 1
    return Found(problem.text, line, field, title_of(field))


def reading_problems(tool: Tool, slug: str, text: str) -> list[Found]:
    """Only what keeps a draft from being read at all: cheap enough for every GET."""
    try:
        read(tool, slug, text)
    except ContentError as error:
        return [placed(problem, text) for problem in error.problems]
    return []


def remarks_of(tool: Tool, slug: str, text: str, guide: Guide | None) -> list[str]:
    """What an author and a second reader should know of other words for a guide, though no check fails."""
    if guide is None or text == guide.text:
        return []
    try:
        source = read(tool, slug, text)
    except ContentError:
        return []
    return [*older_count(guide, source), *left_behind(guide, source)]


def older_count(guide: Guide, source: GuideSource) -> Iterator[str]:
    """Where a second reader's count of other words stays as it is."""
    review = source.facts.get(SINGLE)
    if review and review | {"read": review["read"].isoformat()} == guide.review:
        yield (
            f"The count of the second reader ({review['statements']} statements, read on {review['read']}) "
            "is older than these words, and the page will say “edited since”: change it, or empty that field."
        )


def left_behind(guide: Guide, source: GuideSource) -> Iterator[str]:
    """Fixes of the guide that are gone or have another key, though accepted reports speak of them."""
    kept = {entry.key for entry in source.entries["Quick fixes"]}
    gone = [key for key in guide.fixes.values_list("key", flat=True) if key not in kept]
    outcomes = guide.reports.accepted().outcomes() if gone else {}
    for key in gone:
        count = outcomes[key].total if key in outcomes else 0
        if count:
            reports = "1 accepted report hangs" if count == 1 else f"{count} accepted reports hang"
            yield f"{reports} on the fix {key}, which these words no longer have."


def page_of(tool: Tool, slug: str, text: str, guide: Guide | None) -> str:
    """The guide's page as it would be, composed in a transaction that is taken back. Raises NoPreview."""
    try:
        source = read(tool, slug, text)
    except ContentError as error:
        raise NoPreview([placed(problem, text) for problem in error.problems]) from error
    try:
        with transaction.atomic():
            html = composed(shelf.facts_of(tool), tool, source, guide)
            transaction.set_rollback(True)
    except (KeyError, ValueError, DataError, IntegrityError) as error:
        found = [placed(p, text) for p in contracts.check_guide(shelf.tool_source(tool), source)]
        raise NoPreview(found or [Found("A value is of the wrong kind or too long.", 1)]) from error
    return html


def composed(shelved: ToolSource, tool: Tool, source: GuideSource, guide: Guide | None) -> str:
    """Writes the guide as a load would, without its neighbours and the index; gives its page."""
    row = (
        Guide.objects.select_related("tool").get(pk=guide.pk) if guide else Guide(tool=tool, slug=source.slug)
    )
    releases = {release.version: release for release in tool.releases.all()}
    save_guide(shelved, row, source, releases)
    row.related.set(tool.guides.filter(slug__in=source.facts.get("related", [])))
    row.compose()
    return row.page_html


@dataclass(frozen=True, slots=True)
class Change:
    """A text whose winner changes: from `before` to `after`, such as litellm/llm-timeout, or nothing.

    `of` says what it is a text of: a guide's sample, or how often it was pasted.
    """

    text: str
    before: str
    after: str
    wins: bool
    of: str = ""

    @property
    def steals(self) -> bool:
        """Whether the draft takes it from another guide."""
        return self.wins and bool(self.before)


@dataclass(frozen=True, slots=True)
class Tried:
    """What the signatures do to one kind of texts."""

    title: str
    count: int
    changes: list[Change]

    @property
    def shown(self) -> list[Change]:
        """What is taken from others first."""
        return sorted(self.changes, key=lambda change: not change.steals)[:MOST_SHOWN]

    @property
    def stolen(self) -> int:
        """How many texts the draft would take from other guides."""
        return sum(change.steals for change in self.changes)

    @property
    def more(self) -> int:
        return max(0, len(self.changes) - MOST_SHOWN)


@dataclass(frozen=True, slots=True)
class Trial:
    """The draft's signatures among all others, beside those that are served."""

    name: str
    now: Matcher
    then: Matcher
    samples: list[Text]

    def winner(self, matcher: Matcher, text: str) -> str:
        """The name of the guide that wins a text; two of them where the text doesn't decide."""
        answer = matcher.match(text)
        names = [match.guide for match in answer.matches]
        return " or ".join(names[:2]) if answer.verdict == "ambiguous" else "".join(names[:1])

    def on(self, title: str, texts: Iterable[Text]) -> Tried:
        """Which verdicts change."""
        rows = list(texts)
        changes = []
        for text, of in rows:
            before, after = self.winner(self.now, text), self.winner(self.then, text)
            if before != after:
                changes.append(Change(text[:OPENING], before, after, self.name in after.split(" or "), of))
        return Tried(title, len(rows), changes)

    def on_stored(self, tool: Tool) -> list[Tried]:
        """On every sample of every guide, on accepted reports, and on what nothing fitted so far."""
        return [
            self.on("samples of all guides", self.samples),
            self.on("texts of accepted reports", [(text, "") for text in reported(tool)]),
            self.on("texts that nothing fits so far", unmatched()),
        ]


def unmatched() -> list[Text]:
    """What nothing fits, what was pasted most first."""
    rows = UnmatchedError.objects.order_by("-count", "-last_seen").values_list("normal_form", "count")
    return [(form, f"pasted {count} time{'s' if count > 1 else ''}") for form, count in rows[:MOST_UNMATCHED]]


def reported(tool: Tool) -> list[str]:
    """Error texts of accepted reports; reached through the tool, since reports live in another room."""
    reports: Any = tool.reports
    return newest(reports.accepted().exclude(text=""), "text")


def newest(rows: models.QuerySet[Any], field: str) -> list[str]:
    """The first texts of a list."""
    return list(rows.values_list(field, flat=True)[:MOST_TEXTS])


def trial(tool: Tool, slug: str, text: str) -> Trial:
    """Both matchers, be the draft's rest unfinished. Raises NoPreview where its signatures can't be read."""
    try:
        source = recognition(text, slug, source_path(tool, slug))
        tools = shelf.tools()
        after = swapped(tools, tool, source)
        return Trial(
            f"{tool.slug}/{slug}", contracts.matcher_of(tools), contracts.matcher_of(after), samples_of(after)
        )
    except ContentError as error:
        raise NoPreview([placed(problem, text) for problem in error.problems]) from error
    except (SignatureError, TypeError) as error:
        found = [placed(problem, text) for problem in contracts.check_signatures(source)]
        raise NoPreview(found or [Found(str(error), 1)]) from error


def samples_of(tools: list[ToolSource]) -> list[Text]:
    """Every sample, near misses too, as the matcher gets them, with whose it is."""
    return [
        (
            contracts.pasted(row["text"]),
            f"{'near miss' if row.get('near_miss') else 'sample'} of {tool.slug}/{guide.slug}",
        )
        for tool, guide, row in contracts.rows_of(tools, "sample")
    ]


def skeleton(tool: Tool, today: date, text: str = "") -> str:
    """What a new guide begins with: every part at its place, nothing in it claimed.

    With a redacted text that nothing fits: its lasting words as a signature, and itself as a sample.
    """
    version = tool.releases.order_by("-position").values_list("version", flat=True).first() or ""
    made = SKELETON.replace("<version>", version).replace("<today>", today.isoformat())
    if not text:
        return made
    literals = json.dumps(drafting.literals(text) or [""], ensure_ascii=False)
    made = made.replace('all_of = [""]', f"all_of = {literals}", 1)
    return made.replace("text = ''''''", f"text = {quoted(drafting.sample(text))}", 1)


def quoted(text: str) -> str:
    """A text as TOML has it: as it stands where it can be."""
    plain = "'''" not in text and not text.endswith("'") and not ODD.search(text)
    return f"'''{text}'''" if plain else json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


SKELETON = """+++
title = ""
summary = ""
category = "quota_rate"
hop = "key"
verified = <today>
synonyms = []
related = []

[[message]]
versions = ["<version>"]
text = ''
source = "source-1"

[[signature]]
id = "plain"
all_of = [""]

[[sample]]
origin = "https://"
text = ''''''

[[sample]]
near_miss = true
origin = "https://"
text = ''''''

[[source]]
id = "source-1"
kind = "docs"
url = "https://"
title = ""
read = <today>

[fix.first-fix]
who = "proxy_admin"
retry = "now"
causes = ["first-cause"]
+++

## What it means



## Why it happens



## Causes

### Why it happens, in one line {#first-cause}

#### Confirm

## Quick fixes

### What to do, in one line {#first-fix}

#### When to choose it

#### Steps

#### Cost

#### Verify

## Platform checks

### Platform: what to look at {#first-check}

## Step by step

### What to look at first {#first-step}

## Prevention

### What keeps it away {#first-prevention}

## FAQ

### A question? {#first-question}
"""
