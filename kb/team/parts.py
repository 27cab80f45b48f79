"""Cuts a guide's source into the parts of a form, and joins them again: byte for byte what was not changed.

Pure: no database, no Django. `split` gives pieces whose texts joined are the source. A form shows the named
ones and carries the rest along as its `shape`, so that what was typed can always be joined, whatever
happened to the guide or to the draft meanwhile.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

from kb.guides.blocks import FENCE
from kb.guides.source import HEADING, LISTS, SECTIONS, SINGLE

GLUE, FACT, LINE, AREA = "glue", "fact", "line", "area"
FACTS = ("title", "summary", "category", "hop", "verified", "synonyms", "related")
MANY = ("synonyms", "related")  # lists: one item a line
TABLES = (SINGLE, *LISTS, "fix")
WORDS = ("means", "why", "causes", "fixes", "checks", "steps", "prevention", "faq")
HEADINGS = dict(zip(SECTIONS, WORDS, strict=True))
MOST_RUNS = 100  # of tables of one kind; a source that has more shows its facts as one text
MOST_PIECES = 400  # that a form may have
# Names of areas that stand for what can't be cut any finer.
ALL_FACTS, ALL_WORDS, ALL = "all_facts", "all_words", "all"

FRONT = re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)
# One token of TOML at a time: strings and comments are passed over, table headers and keys found.
TOKEN = re.compile(
    r"'''.*?'''+|\"\"\"(?:\\.|[^\\])*?\"\"\"+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|#[^\n]*"
    r"|^\[\[?(?P<table>[\w-]+)[^\n]*|^(?P<key>[\w-]+)[ \t]*=[ \t]*",
    re.MULTILINE | re.DOTALL,
)
TEXT = r"'{3}(?:(?!'{3})[^\n])*'{3}|\"(?!\"\")(?:[^\"\\\n]|\\.)*\"|'(?!'')[^'\n]*'"
# Nothing in it is tried in two ways: a hostile list costs no more than an honest one.
VALUE = re.compile(rf"{TEXT}|\d{{4}}-\d\d-\d\d|\[(?:[^\]\"'#]|{TEXT}|#[^\n]*+)*+\]")


class Unreadable(ValueError):
    """A form's shape is none."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the source. Glue has no name; a fact's text is a TOML value; an area's is shown as it is.

    A `line` is a fact that isn't there yet: it has no text, and gets a whole line once it is given.
    """

    kind: str
    name: str
    text: str
    line: int = 1

    @property
    def shown(self) -> str:
        """What its field holds."""
        return decoded(self.text) if self.kind == FACT else self.text


def split(text: str) -> list[Piece]:
    """The pieces of a source, in order; `"".join(piece.text)` is the source."""
    marks = list(FRONT.finditer(text))[:2]
    if len(marks) < 2 or text[: marks[0].start()].strip():
        return numbered([Piece(AREA, ALL, text)])
    start, end = marks[0].end() + 1, marks[1].start()
    head, words = text[start:end], text[marks[1].end() :]
    cut = [Piece(GLUE, "", text[:start]), *split_facts(head)]
    return numbered([*cut, Piece(GLUE, "", text[end : marks[1].end()]), *split_words(words)])


def numbered(pieces: list[Piece]) -> list[Piece]:
    """The pieces with the lines of the source on which they begin; empty glue is left out."""
    line, found = 1, []
    for piece in pieces:
        if piece.text or piece.name:
            found.append(Piece(piece.kind, piece.name, piece.text, line))
        line += piece.text.count("\n")
    return found


def split_facts(head: str) -> list[Piece]:
    """The front matter: its facts one by one, its tables by kind; all of it as one where that can't be."""
    try:
        facts = tomllib.loads(head)
        tables = [(m.start(), m["table"]) for m in TOKEN.finditer(head) if m["table"]]
        top = tables[0][0] if tables else len(head)
        return [*split_top(head[:top], facts), *split_tables(head[top:], top, tables)]
    except (ValueError, RecursionError):
        return area(ALL_FACTS, head)


def split_top(top: str, facts: Mapping[str, Any]) -> list[Piece]:
    """The facts above the tables. Raises Unreadable where there is something else among them."""
    pieces, done, seen = [], 0, set()
    for found in TOKEN.finditer(top):
        key = found["key"]
        if not key or found.start() < done:
            continue
        value = VALUE.match(top, found.end())
        if key not in FACTS or not value or not plain(key, facts[key]) or bare(top[done : found.start()]):
            raise Unreadable(key)
        pieces += [Piece(GLUE, "", top[done : value.start()]), Piece(FACT, key, value[0])]
        done = value.end()
        seen.add(key)
    if bare(top[done:]):
        raise Unreadable(top[done:])
    rest = top[done:]
    body = rest.rstrip("\n")
    gap = rest[len(body) :]
    pieces.append(Piece(GLUE, "", body + gap[:1]))
    pieces += [Piece(LINE, key, "") for key in FACTS if key not in seen]
    return [*pieces, Piece(GLUE, "", gap[1:])]


def bare(text: str) -> str:
    """What is neither white space nor a comment."""
    return re.sub(r"#[^\n]*", "", text).strip()


def plain(key: str, value: Any) -> bool:
    """Whether a field can show the value as it is."""
    if key in MANY:
        return isinstance(value, list) and all(isinstance(v, str) and v and one_line(v) for v in value)
    if key == "verified":
        return type(value) is date
    return isinstance(value, str) and one_line(value)


def one_line(text: str) -> bool:
    """Whether a line of a field gives the text back."""
    return text == text.strip() and len(text.splitlines()) <= 1


def split_tables(text: str, start: int, tables: list[tuple[int, str]]) -> list[Piece]:
    """Runs of tables of one kind; a kind that isn't there gets an empty place, in the usual order."""
    runs: list[tuple[int, str]] = []
    for at, name in tables:
        if name not in TABLES:
            raise Unreadable(name)
        if not runs or runs[-1][1] != name:
            runs.append((at - start, name))
    if len(runs) > MOST_RUNS:
        raise Unreadable("too many tables among each other")
    ends = [*(at for at, _ in runs[1:]), len(text)][: len(runs)]
    missing = [name for name in TABLES if name not in {name for _, name in runs}]
    pieces: list[Piece] = []
    counts: dict[str, int] = {}
    for (at, name), end in zip(runs, ends, strict=True):
        while missing and TABLES.index(missing[0]) < TABLES.index(name):
            pieces.append(Piece(AREA, missing.pop(0), ""))
        counts[name] = counts.get(name, 0) + 1
        pieces += area(name if counts[name] == 1 else f"{name}_{counts[name]}", text[at:end])
    return [*pieces, *(Piece(AREA, name, "") for name in missing)]


def area(name: str, text: str) -> list[Piece]:
    """A text with the line breaks around it as glue."""
    inner = text.strip("\n")
    before = len(text) - len(text.lstrip("\n")) if inner else min(len(text), 1)
    return [
        Piece(GLUE, "", text[:before]),
        Piece(AREA, name, inner),
        Piece(GLUE, "", text[before + len(inner) :]),
    ]


def split_words(body: str) -> list[Piece]:
    """The eight sections, without their headings; the words as one where these don't stand in order."""
    places = list(headings(body))
    if tuple(title for _, _, title in places) != SECTIONS or body[: places[0][0]].strip():
        return area(ALL_WORDS, body)
    ends = [start for start, _, _ in places[1:]] + [len(body)]
    pieces = [Piece(GLUE, "", body[: places[0][0]])]
    for (start, inner, title), end in zip(places, ends, strict=True):
        pieces += [Piece(GLUE, "", body[start:inner]), *area(HEADINGS[title], body[inner:end])]
    return pieces


def headings(body: str) -> Iterator[tuple[int, int, str]]:
    """(start, end with its line break, title) of each known `##` heading outside of code blocks."""
    at, fenced = 0, False
    for line in body.split("\n"):
        found = None if fenced else HEADING.match(line)
        if FENCE.match(line):
            fenced = not fenced
        end = min(at + len(line) + 1, len(body))
        if found and len(found[1]) == 2 and found[2] in HEADINGS:
            yield at, end, found[2]
        at = end


def decoded(raw: str) -> str:
    """A TOML value as its field shows it."""
    value = tomllib.loads(f"x = {raw}")["x"]
    return "\n".join(value) if isinstance(value, list) else str(value)


def encoded(name: str, shown: str) -> str:
    """A field's text as a TOML value. JSON writes texts and lists as TOML reads them."""
    if name in MANY:
        rows = [row.strip() for row in shown.split("\n") if row.strip()]
        return json.dumps(rows, ensure_ascii=False)
    line = " ".join(shown.split())
    if name == "verified" and re.fullmatch(r"\d{4}-\d\d-\d\d", line):
        return line
    return json.dumps(line, ensure_ascii=False)


def fields(pieces: list[Piece]) -> dict[str, str]:
    """Name -> what the form shows for it."""
    return {piece.name: piece.shown for piece in pieces if piece.name}


def shape(pieces: list[Piece]) -> str:
    """All that a form has to carry besides its fields, as JSON."""
    rows = [[p.kind, p.name, "" if p.kind == AREA else p.text] for p in pieces]
    return json.dumps(rows, ensure_ascii=False)


def shaped(text: str) -> list[tuple[str, str, str]]:
    """(kind, name, text) of a posted shape. Raises Unreadable."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("no JSON") from error
    if not isinstance(rows, list) or len(rows) > MOST_PIECES or not all(right(row) for row in rows):
        raise Unreadable("no list of pieces")
    names = [name for kind, name, _ in rows if name or kind != GLUE]
    if len(set(names)) < len(names):
        raise Unreadable("a part twice")
    return [(kind, name, raw) for kind, name, raw in rows]


def right(row: Any) -> bool:
    """Whether a row of a shape is one."""
    if not isinstance(row, list) or len(row) != 3 or not all(isinstance(v, str) for v in row):
        return False
    kind, name, raw = row
    if kind in (FACT, LINE):
        return name in FACTS and (kind == LINE or bool(VALUE.fullmatch(raw)))
    return kind in (GLUE, AREA)


def join(rows: list[tuple[str, str, str]], values: Mapping[str, str]) -> str:
    """The source that a form's shape and fields make."""
    made: list[str] = []
    for place, (kind, name, raw) in enumerate(rows):
        given = values.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
        if kind == FACT:
            made.append(fact(name, raw, given))
        elif kind == LINE:
            made.append(f"{name} = {encoded(name, given)}\n" if given.strip() else "")
        elif name == ALL:
            made.append(given)
        elif kind == AREA:
            made.append(spaced(given, rows, place + 1, "".join(made[-3:])))
        else:
            made.append(raw)
    return "".join(made)


def fact(name: str, raw: str, given: str) -> str:
    """The value as it stood, unless another one was typed."""
    try:
        kept = decoded(raw) == given
    except (ValueError, RecursionError):
        kept = False
    return raw if kept else encoded(name, given)


def spaced(given: str, rows: list[tuple[str, str, str]], following: int, before: str) -> str:
    """An area's text, with line breaks where its place had none; `following` is the place of the next row."""
    text = given.strip("\n")
    if not text:
        return ""
    after = next((raw for kind, _, raw in islice(rows, following, None) if kind == GLUE and raw), "")
    start = "" if not before or before.endswith("\n") else "\n\n"
    close = following < len(rows) and (rows[following][0] != GLUE or not after.startswith("\n"))
    return f"{start}{text}\n\n" if close else start + text
