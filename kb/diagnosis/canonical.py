"""The plain reading of a text lives here: wrappings undone, offsets kept; it judges nothing.

The scanner is a stdlib `re` on purpose: texts carry thousands of escapes and google-re2's Python
wrapper costs ten times as much for each hit. Every alternative starts with a character of its own
and repeats one character class at most, or a bounded number of times, so a scan stays linear.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import NamedTuple

import re2

from kb.diagnosis import breaks
from kb.diagnosis.breaks import without
from kb.diagnosis.folding import Folded

_ANSI_TAIL = r"\[[0-9;:?]{0,64}[@-~]"
_ANSI = rf"\x1b{_ANSI_TAIL}"
_OSC_TAIL = r"\][^\x07\x1b\ufffd\n]{0,2000}(?:\x07|\x1b\\|\ufffd)"
_ESCAPED_ANSI = r"\\*(?:(?:u00|x)1[bB]|033)\[[0-9;]{0,64}[A-Za-z]"
_PAIR = r"\\*u[dD][89abAB][0-9a-fA-F]{2}\\+u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNICODE = r"\\*u[0-9a-fA-F]{4}"
_QUOTE_BYTES = r"\\*xe2\\+x80\\+x9[89cdCD]"
_ENTITY_TAIL = r"(?:amp;){0,8}(?i:quot|apos|amp|lt|gt|nbsp|#39|#x27|#34|#x22|#47|#x2F);"
_MARKDOWN = r"[_*.`\[\]~<>|#]"  # after a single backslash
_ESCAPE = rf"\\*[nrt\"'/]|{_MARKDOWN}|\\*&{_ENTITY_TAIL}|\\+"
_PYTEST = r"E(?:[ ]{2,}|(?=\n)|\Z)"
_SERVICE = rf"(?:{_ANSI}){{0,4}}[\w.-]{{2,40}}[ ]{{0,60}}(?:{_ANSI}){{0,4}}\|(?:{_ANSI}){{0,4}}"
_BAR = r"[ ]{0,40}\|(?:[ ]|(?=\n)|\Z)"
_BORDER = r"[ ]{0,40}\+[-=+]{2,300}(?:[ ]\d{1,3}[ ]-{2,40})?(?=\n|\Z)"
_BAR_LINE = r"[ ]{0,40}\|(?:[ ][^|\n]*)?\|?[ ]{0,40}"
_COMMENT = r"(?:#|//|\+)[ ]"
_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_RUNTIME = rf"{_STAMP}(?:\.\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d)"
_STAMPS = rf"{_RUNTIME}(?:[ ]|(?=\n)|\Z)"
_STREAM = rf"{_RUNTIME}[ ]std(?:out|err)[ ][FP][ ]"
_CONTAINER = (
    rf"(?:{_ANSI}){{0,4}}(?:[\w.-]{{1,60}}[-_]\d{{1,3}}|[\w.-]{{0,40}}litellm[\w.-]{{0,40}})"
    rf"[ ]{{0,60}}(?:{_ANSI}){{0,4}}\|(?:{_ANSI}){{0,4}}[ ]?(?:[ ]{{1,20}}\|[ ])?(?:{_STAMPS})?"
)
_SYSLOG = (
    rf"(?:(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ ][ \d]\d[ ]\d\d:\d\d:\d\d|{_STAMP}\S{{0,16}})"
    r"[ ][\w.-]{1,64}[ ][\w./@-]{1,64}\[\d{1,8}\]:[ ]"
)
_MONTH = r"[JFMASOND][a-z]{2}[ ][ \d]\d[ ]"
_POD = (
    r"\[pod/[\w.-]{1,100}/[\w.-]{1,64}\][ ]"
    r"|[a-z][a-z0-9.-]{0,60}-(?=[a-z]{0,9}\d)[a-z0-9]{6,10}-[a-z0-9]{5}[ ][a-z0-9-]{1,64}[ ]"
)
_POD_HINT = r"\[pod/|[a-z][a-z0-9.-]{0,60}-[a-z0-9]{6,10}-[a-z0-9]{5}[ ]"
_DOUBLED = r"{0}(?=[^\s.,:;{0})}}\]])|(?<=\w{0}){0}"  # as CSV and YAML do; a pair alone is an empty string
_PERCENT_TAIL = r"(?:25){0,8}(?:0[9ADad]|[2-6][0-9A-Fa-f]|7[0-9A-Ea-e])"
_ADJACENT = r"[ ](?<=['\"]\n[ ])[ ]{0,200}b?['\"]"
_TYPOGRAPHIC = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u02bc"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2212"
_SPACES = "\u00a0\u202f"
_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_MOJIBAKE_TAIL = "\u20ac[\u02dc\u2122\u0153\u009d]|\u0080[\u0098\u0099\u009c\u009d]"

# A mark that has to be in a text, the character that begins the piece, and what follows it.
_PIECES: tuple[tuple[str, str, str], ...] = (
    ("|", r"\n", _CONTAINER),
    ("\x1b", r"\x1b", rf"{_ANSI_TAIL}|{_OSC_TAIL}|"),
    ("\\", r"\\", "|".join((_ESCAPED_ANSI, _PAIR, _UNICODE, _QUOTE_BYTES, _ESCAPE))),
    ("&", "&", _ENTITY_TAIL),
    ("%2", "%", _PERCENT_TAIL),
    ('""', '"', _DOUBLED.format('"')),
    ("''", "'", _DOUBLED.format("'")),
)
_NON_ASCII: tuple[tuple[str, str], ...] = (
    ("\u2500-\u257f", "[\u2500-\u257f]*"),
    (_TYPOGRAPHIC + _DASHES + _SPACES + _INVISIBLE + "\u2026", ""),
    ("\u00e2", _MOJIBAKE_TAIL),
)


class _Margin(NamedTuple):
    """What stands before lines, or between two; undone only where a text shows it."""

    hint: str  # how a line that has it begins, in RE2; `_HINT` tries all at once
    shown_by: re.Pattern[str]  # two such lines in a row, as a rule
    pieces: tuple[tuple[str, str], ...]


def _margin(tail: str, *, hint: str, shown_by: str, more: tuple[tuple[str, str], ...] = ()) -> _Margin:
    return _Margin(hint, re.compile(rf"\n{shown_by}"), ((r"\n", tail), *more))


_MARGINS: tuple[_Margin, ...] = (
    _Margin(r"[ ]{1,200}b?['\"]", re.compile(rf"\n{_ADJACENT}"), (("'\"", r"\n[ ]{1,200}b?['\"]"),)),
    _margin(_PYTEST, hint=r"E(?:[ ]{2}|\n)", shown_by=_PYTEST),
    _margin(r"(?:>[ ]?){1,8}", hint=">", shown_by=r">[^\n]*\n>"),
    _margin(_COMMENT, hint=_COMMENT, shown_by=rf"({_COMMENT})[^\n]*\n\1"),
    _margin(_STREAM, hint=_STAMP, shown_by=rf"{_STREAM}[^\n]*\n{_STREAM}"),
    _margin(_SYSLOG, hint=_MONTH, shown_by=rf"{_SYSLOG}[^\n]*\n{_SYSLOG}"),
    _margin(rf"(?:{_POD})(?:{_STAMPS})?", hint=_POD_HINT, shown_by=rf"({_POD})[^\n]*\n\1"),
    _margin(_STAMPS, hint=_STAMP, shown_by=rf"{_STAMPS}[^\n]*\n{_STAMPS}"),
)
_BAR_MARGINS: tuple[_Margin, ...] = (
    _margin(
        rf"{_SERVICE}(?:[ ]|(?=\n)|\Z)",
        hint="",
        shown_by=rf"({_SERVICE})(?:[ ][^|\n]*)?\n\1(?:[ ][^|\n]*)?(?=\n|\Z)",
    ),
    _margin(
        rf"{_BAR}|{_BORDER}",
        hint="",
        shown_by=rf"{_BAR_LINE}\n{_BAR_LINE}(?=\n|\Z)",
        more=(("|", r"(?=[ ]{0,40}(?:\n|\Z))"),),
    ),
)
# RE2 finds its way from one line break to the next six times as quickly as `re` does.
_HINT = re2.compile(rf"\n(?:{'|'.join(margin.hint for margin in _MARGINS)})".encode())

_ENTITIES = {
    "quot": '"', "#34": '"', "#x22": '"', "apos": "'", "#39": "'", "#x27": "'", "amp": "&",
    "lt": "<", "gt": ">", "nbsp": " ", "#47": "/", "#x2f": "/",
}  # fmt: skip
_PLAIN = {
    **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
    **dict.fromkeys(_DASHES, "-"),
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys(_INVISIBLE, ""),
    "\u2026": "...",
}
_SINGLE_QUOTE_TAILS = ("98", "99", "\u02dc", "\u2122", "\u0098", "\u0099")
_CONTAINER_LINE = re.compile(rf"\n{_CONTAINER}")
_SHORT = 16  # characters of a piece whose reading is remembered


class Canonical:
    """A text's plain reading, with the way back to the offsets of the text it came from.

    `unwrapped` is `source` with ANSI codes, log prefixes and box drawing gone, JSON, HTML and
    URL escapes decoded, doubled quotes single again, and typographic signs made plain.
    """

    def __init__(self, source: str, gone: tuple[int, ...] = (), *, cut: bool = False) -> None:
        """Read `source`, any str; takes time linear in its length.

        `gone` are the offsets of line breaks that stand inside of words: it is read without them. With
        `cut`, one that ends at a dash or a colon is read with the space that a copy lost behind it.
        """
        self.source = source
        self._gone = gone
        whole = without(source, gone)
        if cut and whole.endswith(("-", ":")):
            whole += " "
        self._pieces = _pieces(whole)
        done = "".join(self._pieces[1])
        self.unwrapped = whole if done == whole else done

    @property
    def text(self) -> str:
        """The plain reading with each run of white space made one space; `source` itself if it is plain."""
        return Folded(self.unwrapped).text

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Give the offsets in `source` of `unwrapped[start:end]`; both count code points."""
        if self.unwrapped is self.source:
            return start, end
        if start == end:
            at = self._place(self._piece(start)[0]) if start < len(self.unwrapped) else len(self.source)
            return at, at
        last = self._place(self._piece(end - 1)[1] - 1) + 1
        return self._place(self._piece(start)[0]), min(last, len(self.source))

    def _place(self, index: int) -> int:
        """Where in `source` a character stands of what was read, the breaks left out."""
        return index + bisect_right(self._broken, index)

    def _piece(self, index: int) -> tuple[int, int]:
        """The span of one character of the unwrapped text in what was read."""
        before, after = self._edges
        at = bisect_right(after, index) - 1
        start, end = before[at : at + 2]
        if end - start != after[at + 1] - after[at]:
            return start, end
        place = start + index - after[at]
        return place, place + 1

    @cached_property
    def _broken(self) -> list[int]:
        """Before which characters of what was read a break stood."""
        return [place - before for before, place in enumerate(self._gone)]

    @cached_property
    def _edges(self) -> tuple[list[int], list[int]]:
        return _edges(self._pieces[0]), _edges(self._pieces[1])


def terminal_breaks(text: str) -> tuple[int, ...]:
    """Offsets of the line breaks that a terminal put in at its width; none where lines have a margin."""
    found = breaks.terminal_breaks(text.split("\n")) if "\n" in text else ()
    return () if found and (_margins(text) or _CONTAINER_LINE.search(text)) else found


def canonical(text: str) -> Canonical:
    """Read a text plainly; where nothing is wrapped, `.text` is the very text handed in."""
    return Canonical(text)


def _pieces(text: str) -> tuple[list[str], list[str]]:
    """The text in pieces, as they stand and as they read: every other one is a wrapping."""
    margins = _margins(text)
    scanner = _scanner(text, margins)
    if scanner is None:
        return [text], [text]
    first = _first_line(margins).match(text)
    begin = first.end() if first else 0
    pieces = scanner.split(text[begin:])
    read = pieces.copy()
    read[1::2] = map(_reading, read[1::2])
    return (["", text[:begin], *pieces], ["", "", *read]) if begin else (pieces, read)


def _edges(pieces: list[str]) -> list[int]:
    """Where each piece begins, and where the last one ends."""
    return [0, *accumulate(map(len, pieces))]


def _margins(text: str) -> tuple[_Margin, ...]:
    """The margins that the text shows: mostly none, after one look at how its lines begin."""
    lines = f"\n{text}"
    asked = _MARGINS if _HINT.search(lines.encode("utf-8", "replace")) else ()
    asked += _BAR_MARGINS if "|" in text else ()
    return tuple(margin for margin in asked if margin.shown_by.search(lines)) if asked else ()


@lru_cache(maxsize=128)
def _first_line(margins: tuple[_Margin, ...]) -> re.Pattern[str]:
    tails = (tail for margin in margins for head, tail in margin.pieces if head == r"\n")
    return re.compile("|".join((_CONTAINER, *tails)))


def _scanner(text: str, margins: tuple[_Margin, ...]) -> re.Pattern[str] | None:
    """The scanner for the margins and for the marks that the text has, or None if it has none."""
    pieces = tuple((head, tail) for mark, head, tail in _PIECES if mark in text)
    for margin in margins:
        pieces += margin.pieces
    if not text.isascii():
        pieces += _NON_ASCII
    return _compiled(pieces) if pieces else None


@lru_cache(maxsize=128)
def _compiled(pieces: tuple[tuple[str, str], ...]) -> re.Pattern[str]:
    # One character class in front lets `re` skip quickly to the next candidate.
    heads = "".join(dict(pieces))
    tails = "|".join(f"(?<=[{head}])(?:{tail})" for head, tail in pieces)
    return re.compile(f"([{heads}](?:{tails}))")


def _plain(found: str) -> str:
    return " " if "\u2500" <= found[0] <= "\u257f" else _PLAIN[found[0]]


def _decode_escape(found: str) -> str:
    kind = found.lstrip("\\")
    if not kind:
        return found[0]
    if kind[0] in "nrt":
        return " "
    if kind[0] in "\"'/_*.`[]~<>|#":
        return kind
    if kind[0] == "&":
        return _decode_entity(kind)
    if kind[0] == "u" and "[" not in kind:
        return _decode_unicode(kind)
    return _decode_quote(found) if kind.startswith("xe2") else ""


def _decode_unicode(kind: str) -> str:
    code = int(kind[1:5], 16)
    if len(kind) > 5:
        return chr(0x10000 + ((code - 0xD800) << 10) + int(kind[-4:], 16) - 0xDC00)
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    if code <= 0x1F or 0x2500 <= code <= 0x257F:
        return " "
    return _PLAIN.get(chr(code), chr(code))


def _decode_quote(found: str) -> str:
    return "'" if found.endswith(_SINGLE_QUOTE_TAILS) else '"'


def _decode_entity(found: str) -> str:
    return _ENTITIES[found[1:-1].rpartition(";")[2].lower()]


def _one_quote(found: str) -> str:
    """Of a doubled quote, itself; of two that only a line break parts, nothing."""
    return found[0] if found == 2 * found[0] else ""


def _decode_percent(found: str) -> str:
    code = int(found[-2:], 16)
    return chr(code) if code >= 0x20 else " "


_BY_HEAD: dict[str, Callable[[str], str]] = {
    "\n": lambda _: "\n",
    **dict.fromkeys("\x1b|", lambda _: ""),
    **dict.fromkeys("'\"", _one_quote),
    "%": _decode_percent,
    "\\": _decode_escape,
    "&": _decode_entity,
    "\u00e2": _decode_quote,
}


def _reading(found: str) -> str:
    return _short_reading(found) if len(found) <= _SHORT else _long_reading(found)


def _long_reading(found: str) -> str:
    return _BY_HEAD.get(found[0], _plain)(found)


_short_reading = lru_cache(maxsize=512)(_long_reading)
