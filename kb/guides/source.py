"""Reads one content file into plain values and says by line what is wrong. No database, no Django."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from kb.guides.blocks import FENCE, Block, blocks

CITATION = re.compile(r"\[\^([a-z0-9][a-z0-9.-]*)\]")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
HEADING = re.compile(r"^(#{2,4}) +(.+?)(?: +\{#([a-z0-9-]+)\})? *$")

SECTIONS = (
    "What it means",
    "Why it happens",
    "Causes",
    "Quick fixes",
    "Platform checks",
    "Step by step",
    "Prevention",
    "FAQ",
)
ANCHORS = {
    "message", "means", "why", "causes", "fixes", "checks", "steps", "prevention", "faq", "sources",
    "reported", "main", "related",
}  # fmt: skip
SUBHEADINGS = {
    "Causes": ("Confirm",),
    "Quick fixes": ("When to choose it", "Steps", "Cost", "Verify"),
}


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a content file: where, and what to do."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class ContentError(Exception):
    """A content file can't be read; `problems` has all that was found in it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(slots=True)
class Entry:
    """A `###` heading and the words below it; `parts` holds what stands below its `####` headings."""

    key: str
    title: str
    line: int
    body: str = ""
    parts: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class GuideSource:
    """A content file as plain values; its tables stay dictionaries, checked by FIELDS."""

    path: str
    slug: str
    text: str
    facts: dict[str, Any]
    lines: dict[tuple[str, int], int]
    meaning: str = ""
    why: str = ""
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def line_of(self, table: str, index: int = 0) -> int:
        """The line on which the nth [[table]], or the top-level key, stands."""
        return self.lines.get((table, index), 1)


STR, STRS, INT, BOOL, DATE, TABLE = str, list, int, bool, date, dict
EXCEPT: dict[type, type] = {int: bool, date: datetime}  # what Python counts among a type, and a file may not
FIELDS: dict[str, dict[str, tuple[type, bool]]] = {  # name -> (type, is it required)
    "": {
        "title": (STR, True), "summary": (STR, True), "category": (STR, True), "hop": (STR, True),
        "verified": (DATE, True), "synonyms": (STRS, False), "related": (STRS, False),
    },
    "review": {
        "read": (DATE, True), "statements": (INT, True), "corrected": (INT, True), "commands": (INT, True),
    },
    "message": {
        "versions": (STRS, True), "text": (STR, True), "source": (STR, True), "status": (INT, False),
        "error_type": (STR, False),
    },
    "signature": {
        "id": (STR, True), "all_of": (STRS, True), "any_of": (STRS, False), "none_of": (STRS, False),
        "pattern": (STR, False), "where": (STR, False), "status": (INT, False), "error_type": (STR, False),
        "in_tool": (BOOL, False), "general": (BOOL, False), "quotes": (BOOL, False), "speaker": (STR, False),
        "said_by": (STRS, False),
    },
    "sample": {"origin": (STR, True), "text": (STR, True), "near_miss": (BOOL, False)},
    "source": {
        "id": (STR, True), "kind": (STR, True), "title": (STR, True), "read": (DATE, True),
        "url": (STR, False), "version": (STR, False), "path": (STR, False), "contains": (STR, False),
        "capture": (STR, False),
    },
    "fix": {
        "who": (STR, True), "retry": (STR, True), "causes": (STRS, False), "helps": (TABLE, False),
    },
}  # fmt: skip
LISTS = ("message", "signature", "sample", "source")
SINGLE = "review"  # the one table of its kind, of a second reader; it may be absent


def read(path: Path, shown: str) -> GuideSource:
    """The guide in `path`, named `shown` in problems. Raises ContentError with all that is wrong."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise ContentError([Problem(shown, 1, f"is not UTF-8 text: {error.reason}")]) from error
    return parse(text, path.stem, shown)


def parse(text: str, slug: str, shown: str) -> GuideSource:
    """The guide in a file's text. Raises ContentError."""
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        raise ContentError([Problem(shown, line, "end lines with LF alone, not with CR")])
    head, body, body_line = split(text, shown)
    guide = GuideSource(shown, slug, text, facts(head, shown), toml_lines(head))
    problems = list(check_slug(guide))
    problems += check_fields(guide)
    problems += read_body(guide, body, body_line)
    if problems:
        raise ContentError(sorted(problems))
    return guide


def recognition(text: str, slug: str, shown: str) -> GuideSource:
    """What the matcher takes of an unfinished guide: its signatures and samples. Raises ContentError."""
    head, _, _ = split(text, shown)
    whole = facts(head, shown)
    kept = {
        name: whole[name] if isinstance(whole.get(name), list) else [] for name in ("signature", "sample")
    }
    guide = GuideSource(shown, slug, text, kept, toml_lines(head))
    kept["sample"] = [row for row in kept["sample"] if not any(check_table(guide, "sample", row, 1))]
    found = [
        problem
        for index, row in enumerate(kept["signature"])
        for problem in check_table(guide, "signature", row, guide.line_of("signature", index))
    ]
    if found:
        raise ContentError(sorted(found))
    return guide


def split(text: str, shown: str) -> tuple[str, str, int]:
    """Front matter, words, and the line on which the words begin."""
    parts = re.split(r"^\+\+\+[ \t]*$", text, maxsplit=2, flags=re.MULTILINE)
    if len(parts) != 3 or parts[0].strip():
        raise ContentError([Problem(shown, 1, "start the file with facts between two lines of +++")])
    return parts[1], parts[2], text.count("\n", 0, len(text) - len(parts[2])) + 1


def facts(head: str, shown: str) -> dict[str, Any]:
    """The front matter's values."""
    try:
        return tomllib.loads(head)
    except (ValueError, RecursionError) as error:  # numbers too long and lists too deep are no TOML either
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else head.count("\n")
        raise ContentError([Problem(shown, line, f"the facts are not TOML: {error}")]) from error


def counted(text: str) -> dict[str, Any]:
    """What a second reader counted, in a text that may break a rule of today; empty where it says nothing."""
    try:
        found: dict[str, Any] = facts(split(text, "")[0], "").get(SINGLE, {})
    except ContentError:
        return {}
    return found


def toml_lines(head: str) -> dict[tuple[str, int], int]:
    """(table or key, index) -> the file's line; text inside ''' strings is passed over."""
    lines: dict[tuple[str, int], int] = {}
    seen: dict[str, int] = {}
    quoted = False
    for number, line in enumerate(head.split("\n"), 1):
        found = None if quoted else re.match(r"\[\[?([\w.-]+)\]\]?|([\w-]+) *=", line)
        if found:
            name = found[1] or found[2]
            lines[name, seen.get(name, 0)] = number
            seen[name] = seen.get(name, 0) + 1
        if line.count("'''") % 2 or line.count('"""') % 2:
            quoted = not quoted
    return lines


def check_slug(guide: GuideSource) -> Iterator[Problem]:
    """The file's name is the slug."""
    if not SLUG.fullmatch(guide.slug):
        yield Problem(guide.path, 1, "name the file in lower case with hyphens: its name is the slug")


def check_fields(guide: GuideSource) -> Iterator[Problem]:
    """Every field is known, there if it must be, and of its type."""
    top = {k: v for k, v in guide.facts.items() if k not in (SINGLE, *LISTS, "fix")}
    yield from check_table(guide, "", top, 1)
    if SINGLE in guide.facts:
        yield from check_table(guide, SINGLE, guide.facts[SINGLE], guide.line_of(SINGLE))
    for name in LISTS:
        rows = guide.facts.get(name)
        if not isinstance(rows, list) or not rows:
            yield Problem(guide.path, 1, f"give at least one [[{name}]]")
            continue
        for index, row in enumerate(rows):
            yield from check_table(guide, name, row, guide.line_of(name, index))
    fixes = guide.facts.get("fix", {})
    for key, row in fixes.items():
        yield from check_table(guide, "fix", row, guide.line_of(f"fix.{key}"))


def check_table(guide: GuideSource, name: str, row: Any, line: int) -> Iterator[Problem]:
    """One table's fields."""
    where = f"[{name}] " if name else ""
    if not isinstance(row, dict):
        yield Problem(guide.path, line, f"{where}is not a table")
        return
    known = FIELDS[name]
    for key in sorted(row.keys() - known.keys()):
        at = guide.line_of(key) if not name else line
        yield Problem(guide.path, at, f"{where}has no field {key}; it knows {', '.join(known)}")
    for key, (kind, required) in known.items():
        if key not in row:
            if required:
                yield Problem(guide.path, line, f"{where}lacks {key}")
            continue
        at = guide.line_of(key) if not name else line
        yield from check_value(guide, f"{where}{key}", row[key], kind, at)


def check_value(guide: GuideSource, name: str, value: Any, kind: type, line: int) -> Iterator[Problem]:
    """One value's type; texts and lists of texts may not be blank."""
    right = isinstance(value, kind) and not isinstance(value, EXCEPT.get(kind, ()))
    if right and kind is list:
        right = all(isinstance(item, str) and item.strip() for item in value)
    if right and kind is str:
        right = bool(value.strip())
    if not right:
        expected = {list: "a list of texts", str: "a text", date: "a date such as 2026-11-24"}
        yield Problem(guide.path, line, f"{name} must be {expected.get(kind, kind.__name__)}")


def read_body(guide: GuideSource, body: str, first_line: int) -> list[Problem]:
    """Fills in sections, entries and blocks; returns what is wrong with their order."""
    reader = BodyReader(guide)
    fenced = False
    for number, line in enumerate(body.split("\n"), first_line):
        found = None if fenced else HEADING.match(line)
        if FENCE.match(line):
            fenced = not fenced
        if found:
            reader.heading(len(found[1]), found[2], found[3], number)
        else:
            reader.line(line, number)
    reader.close()
    return reader.problems


class BodyReader:
    """Walks through the words line by line; knows in which section, entry and sub-section it is."""

    def __init__(self, guide: GuideSource) -> None:
        self.guide = guide
        self.problems: list[Problem] = []
        self.section = ""
        self.entry: Entry | None = None
        self.part = ""
        self.lines: list[str] = []
        self.started = 0
        self.seen: list[str] = []
        self.keys: set[str] = set(ANCHORS)

    def problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(self.guide.path, line, text))

    def heading(self, level: int, title: str, key: str | None, line: int) -> None:
        """Ends what was open and opens the next."""
        self.flush(line)
        if level == 2:
            self.open_section(title, line)
        elif level == 3:
            self.open_entry(title, key, line)
        else:
            self.open_part(title, line)

    def open_section(self, title: str, line: int) -> None:
        self.check_entry(line)
        self.entry, self.part = None, ""
        expected = SECTIONS[len(self.seen)] if len(self.seen) < len(SECTIONS) else "no more section"
        if title != expected:
            self.problem(line, f"section {title!r} stands where {expected!r} belongs")
        self.section = title
        self.seen.append(title)
        self.guide.entries.setdefault(title, [])

    def open_entry(self, title: str, key: str | None, line: int) -> None:
        self.check_entry(line)
        if self.section not in SECTIONS[2:]:
            self.problem(line, f"no ### heading belongs in {self.section!r}")
        if not key:
            self.problem(line, f"give the heading a permanent id: ### {title} {{#some-id}}")
        elif key in self.keys:
            self.problem(line, f"the id {key!r} is taken; choose another")
        self.keys.add(key or "")
        self.entry, self.part = Entry(key or "", title, line), ""
        self.guide.entries.setdefault(self.section, []).append(self.entry)

    def open_part(self, title: str, line: int) -> None:
        wanted = SUBHEADINGS.get(self.section, ())
        if self.entry is None or title not in wanted:
            self.problem(line, f"no heading #### {title} belongs here")
        self.part = title

    def line(self, line: str, number: int) -> None:
        if not self.lines:
            self.started = number
        self.lines.append(line)

    def flush(self, line: int) -> None:
        """Files the words read since the last heading."""
        text = "\n".join(self.lines).strip("\n")
        if text.strip():
            self.file(text)
            self.guide.blocks += blocks(self.lines, self.started)
        elif self.section in SECTIONS[:2] and self.entry is None and self.seen:
            self.problem(line, f"{self.section!r} is empty")
        self.lines = []

    def file(self, text: str) -> None:
        if self.entry is not None and self.part:
            self.entry.parts[self.part] = text
        elif self.entry is not None:
            self.entry.body = text
        elif self.section == SECTIONS[0]:
            self.guide.meaning = text
        elif self.section == SECTIONS[1]:
            self.guide.why = text
        else:
            self.problem(self.started, "words stand here outside of any ### heading")

    def check_entry(self, line: int) -> None:
        """An entry has its words, and all its sub-sections in order."""
        if self.entry is None:
            return
        wanted = SUBHEADINGS.get(self.section, ())
        if tuple(self.entry.parts) != wanted:
            names = ", ".join(f"#### {name}" for name in wanted)
            self.problem(self.entry.line, f"{self.entry.title!r} needs, in order and not empty: {names}")
        if not self.entry.body.strip() and self.section != "Quick fixes":
            self.problem(self.entry.line, f"{self.entry.title!r} has no words")

    def close(self) -> None:
        self.flush(self.started)
        self.check_entry(self.started)
        for name in SECTIONS[len(self.seen) :]:
            self.problem(self.started, f"section {name!r} is missing")
        for name in SECTIONS[2:]:
            if name in self.seen and not self.guide.entries.get(name):
                self.problem(self.started, f"{name!r} has no entry: give it a ### heading")
