"""The table of what the releases of a tool can say, as it is kept beside its guides: releases.txt.

One file for all releases, since most texts outlive many of them. Three kinds of lines, each sorted:

    releases a=1.84.0 b=1.110.2             the first line: a letter for each release, oldest first
    litellm/proxy/auth/auth_checks.py       a file of the release
     common_checks                          one space: a function or class in it ("-": outside of any)
      a- !HTTPException:403:auth_error Text with {holes}

Such a line has the releases that print it (`a-`: from a on; `a-b`; `b`; `a,c-`), a mark of its kind (! raise,
~ text, # log, = class, @ type), the class or the log's level, status and error.type where there are any, and
the text, in which backslashes and line breaks are escaped. A new release touches only what it changed. Lines
of the code are not kept: they would differ in every release.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from string import ascii_lowercase

from kb.guides.releases.row import Row

NAME = "releases.txt"
MARKS = {"raise": "!", "text": "~", "log": "#", "class": "=", "type": "@"}
KINDS = {mark: kind for kind, mark in MARKS.items()}
LETTERS = [*ascii_lowercase, *map("".join, product(ascii_lowercase, repeat=2))]  # z is followed by aa


class BadTable(ValueError):
    """A table can't be read; the message names the line."""


@dataclass(frozen=True)
class Table:
    """What each release says: rows with the versions that have them, oldest release first."""

    versions: tuple[str, ...]
    entries: tuple[tuple[Row, frozenset[str]], ...]

    def __hash__(self) -> int:
        """One table is read once, and looked up often."""
        return id(self)

    def rows(self, version: str) -> list[Row]:
        """What one release says, sorted."""
        return [row for row, versions in self.entries if version in versions]

    @property
    def newest(self) -> str:
        """The newest release that was read; empty where none was."""
        return self.versions[-1] if self.versions else ""

    @cached_property
    def classes(self) -> dict[str, frozenset[str]]:
        """Error class -> the releases that have it."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for row, versions in self.entries:
            if row.kind == "class":
                found[row.raised] |= versions
        return {name: frozenset(versions) for name, versions in found.items()}


EMPTY = Table((), ())


def made(scans: Mapping[str, Iterable[Row]], order: Iterable[str]) -> Table:
    """A table of scanned releases; `order` names them oldest first."""
    having: defaultdict[Row, set[str]] = defaultdict(set)
    for version, rows in scans.items():
        for row in rows:
            having[replace(row, line=0)].add(version)
    versions = tuple(version for version in order if version in scans)
    return Table(versions, tuple((row, frozenset(having[row])) for row in sorted(having)))


def written(table: Table) -> str:
    """The file's text."""
    letters = dict(zip(table.versions, LETTERS, strict=False))
    lines = ["releases " + " ".join(f"{letter}={version}" for version, letter in letters.items())]
    path, function = "", None
    for row, versions in table.entries:
        if row.path != path:
            path, function = row.path, None
            lines.append(path)
        if row.function != function:
            function = row.function
            lines.append(f" {function or '-'}")
        facts = f"{row.raised}:{row.status or ''}:{row.error_type}".rstrip(":")
        text = escaped(row.text)
        lines.append(f"  {spans(letters, versions)} {MARKS[row.kind]}{facts} {text}".rstrip(" "))
    return "\n".join(lines) + "\n"


def spans(letters: Mapping[str, str], versions: frozenset[str]) -> str:
    """Such as a-, a-b, b, a,c-."""
    order = list(letters)
    runs: list[list[int]] = []
    for place in [index for index, version in enumerate(order) if version in versions]:
        if runs and runs[-1][1] == place - 1:
            runs[-1][1] = place
        else:
            runs.append([place, place])
    shown = []
    for first, last in runs:
        end = "" if last == len(order) - 1 else letters[order[last]]
        shown.append(letters[order[first]] + ("" if first == last and end else f"-{end}"))
    return ",".join(shown)


def unspanned(text: str, versions: Mapping[str, str]) -> frozenset[str]:
    """The versions of a span."""
    order = list(versions)
    found: set[str] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        end = order.index(last) if last else len(order) - 1 if dash else order.index(first)
        found |= {versions[letter] for letter in order[order.index(first) : end + 1]}
    return frozenset(found)


def escaped(text: str) -> str:
    """A text on one line; a space at its end would be lost, and is written as an escape."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    for odd in ("\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"):
        text = text.replace(odd, " ")
    return text[:-1] + "\\s" if text.endswith(" ") else text


def unescaped(text: str) -> str:
    """The text that was escaped."""
    if "\\" not in text:
        return text
    known = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
    parts, rest = [], iter(text)
    for letter in rest:
        if letter == "\\":
            after = next(rest, "\\")
            parts.append(known.get(after, after))
        else:
            parts.append(letter)
    return "".join(parts)


def parsed(text: str) -> Table:
    """A table from its file's text. Raises BadTable."""
    lines = text.split("\n")
    letters = dict(part.split("=", 1) for part in lines[0].split()[1:])
    path = function = ""
    known: dict[str, frozenset[str]] = {}
    entries: list[tuple[Row, frozenset[str]]] = []
    for number, line in enumerate(lines[1:], 2):
        if line.startswith("  "):
            try:
                span, facts, *words = line[2:].split(" ", 2)
                if span not in known:
                    known[span] = unspanned(span, letters)
                entries.append((row_of(path, function, facts, "".join(words)), known[span]))
            except (ValueError, KeyError) as error:
                raise BadTable(f"line {number} is no entry: {line[:80]}") from error
        elif line.startswith(" "):
            function = "" if line == " -" else line[1:]
        elif line:
            path = line
    return Table(tuple(letters.values()), tuple(entries))


def row_of(path: str, function: str, facts: str, text: str) -> Row:
    """One entry."""
    raised, _, rest = facts[1:].partition(":")
    status, _, error_type = rest.partition(":")
    return Row(path, function, KINDS[facts[0]], raised, int(status or 0), error_type, unescaped(text))


def read(folder: Path) -> Table:
    """The table of a tool by its folder; empty where it has none. Raises BadTable."""
    file = folder / NAME
    return of_file(file, file.stat().st_mtime_ns) if file.exists() else EMPTY


def digest(folder: Path) -> str:
    """Changes when the table of a tool does; empty where it has none."""
    file = folder / NAME
    return digest_of(file, file.stat().st_mtime_ns) if file.exists() else ""


@lru_cache(maxsize=8)
def digest_of(file: Path, changed: int) -> str:
    """As `digest`, worked out once as long as the file stays as it is."""
    return sha256(file.read_bytes()).hexdigest()


@lru_cache(maxsize=4)
def of_file(file: Path, changed: int) -> Table:
    """A table, parsed once as long as its file stays as it is."""
    return parsed(file.read_text("utf-8"))
