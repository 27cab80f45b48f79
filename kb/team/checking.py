"""What a draft would do: its checks, its page, and which texts its signatures would win. Nothing is kept.

The checks are those of content files (`kb.guides.contracts`), over the library with the draft in its place.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import DataError, IntegrityError, models, transaction

from kb.diagnosis.signature import Matcher, SignatureError
from kb.diagnosis.text import readable, redact
from kb.guides import contracts, shelf
from kb.guides.library import ToolSource
from kb.guides.loading import save_guide
from kb.guides.models import Guide, Tool, UnmatchedError
from kb.guides.source import ContentError, GuideSource, Problem
from kb.team.comparing import title_of
from kb.team.parts import AREA, split

MOST_TEXTS = 400  # stored texts of a kind that signatures are tried on
MOST_SHOWN = 30  # changes of a kind that are listed
OPENING = 160


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
    found = contracts.check(swapped(tools, tool, source))
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


def page_of(tool: Tool, slug: str, text: str, guide: Guide | None) -> str:
    """The guide's page as it would be, composed in a transaction that is taken back. Raises NoPreview."""
    try:
        source = read(tool, slug, text)
    except ContentError as error:
        raise NoPreview([placed(problem, text) for problem in error.problems]) from error
    shelved = shelf.tool_source(tool)
    try:
        with transaction.atomic():
            html = composed(shelved, tool, source, guide)
            transaction.set_rollback(True)
    except (KeyError, ValueError, DataError, IntegrityError) as error:
        found = [placed(p, text) for p in contracts.check_guide(shelved, source)]
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
    """A text whose winner changes: from `before` to `after`, such as litellm/llm-timeout, or nothing."""

    text: str
    before: str
    after: str
    wins: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What the signatures do to one kind of texts."""

    title: str
    count: int
    changes: list[Change]

    @property
    def shown(self) -> list[Change]:
        return self.changes[:MOST_SHOWN]

    @property
    def more(self) -> int:
        return max(0, len(self.changes) - MOST_SHOWN)


@dataclass(frozen=True, slots=True)
class Trial:
    """The draft's signatures among all others, beside those that are served."""

    name: str
    now: Matcher
    then: Matcher
    samples: list[str]

    def winner(self, matcher: Matcher, text: str) -> str:
        """The name of the guide that wins a text; two of them where the text doesn't decide."""
        answer = matcher.match(text)
        names = [match.guide for match in answer.matches]
        return " or ".join(names[:2]) if answer.verdict == "ambiguous" else "".join(names[:1])

    def on(self, title: str, texts: Iterable[str]) -> Tried:
        """Which verdicts change."""
        rows = list(texts)
        changes = []
        for text in rows:
            before, after = self.winner(self.now, text), self.winner(self.then, text)
            if before != after:
                changes.append(Change(text[:OPENING], before, after, self.name in after.split(" or ")))
        return Tried(title, len(rows), changes)

    def on_stored(self, tool: Tool) -> list[Tried]:
        """On every sample of every guide, on accepted reports, and on what nothing fitted so far."""
        unmatched = UnmatchedError.objects.order_by("-count", "-last_seen")
        return [
            self.on("samples of all guides", self.samples),
            self.on("texts of accepted reports", reported(tool)),
            self.on("texts that nothing fits so far", newest(unmatched, "normal_form")),
        ]


def reported(tool: Tool) -> list[str]:
    """Error texts of accepted reports; reached through the tool, since reports live in another room."""
    reports: Any = tool.reports
    return newest(reports.accepted().exclude(text=""), "text")


def newest(rows: models.QuerySet[Any], field: str) -> list[str]:
    """The first texts of a list."""
    return list(rows.values_list(field, flat=True)[:MOST_TEXTS])


def trial(tool: Tool, slug: str, text: str) -> Trial:
    """Both matchers. Raises NoPreview where the draft or its signatures can't be read."""
    try:
        source = read(tool, slug, text)
        tools = shelf.tools()
        after = swapped(tools, tool, source)
        return Trial(f"{tool.slug}/{slug}", matcher_of(tools), matcher_of(after), samples_of(after))
    except ContentError as error:
        raise NoPreview([placed(problem, text) for problem in error.problems]) from error
    except (SignatureError, TypeError) as error:
        found = [placed(problem, text) for problem in contracts.check_signatures(source)]
        raise NoPreview(found or [Found(str(error), 1)]) from error


def matcher_of(tools: list[ToolSource]) -> Matcher:
    """All signatures, compiled as the checks do it."""
    return Matcher(
        (
            contracts.pure_signature(f"{tool.slug}/{guide.slug}", row, tool.slug)
            for tool, guide, row in contracts.rows_of(tools, "signature")
        ),
        marks={tool.slug: tool.marks for tool in tools},
    )


def samples_of(tools: list[ToolSource]) -> list[str]:
    """Every sample, near misses too, as the matcher gets them."""
    rows = contracts.rows_of(tools, "sample")
    return [redact(readable(row["text"])).text for _, _, row in rows]


def skeleton(tool: Tool, today: date) -> str:
    """What a new guide begins with: every part at its place, nothing in it claimed."""
    version = tool.releases.order_by("-position").values_list("version", flat=True).first() or ""
    return SKELETON.replace("<version>", version).replace("<today>", today.isoformat())


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
