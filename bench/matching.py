"""Matching: a text against thousands of signatures, beside plain loops over the same signatures."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from bench.measure import goal, medians, table
from bench.words import MODELS, Writer
from kb.diagnosis.signature import Matcher, Signature
from kb.diagnosis.text import fingerprint, readable, redact

TEXTS = 16  # different texts that take turns, so that no cache knows the next one
KB20, MB1 = 20_000, 1_000_000
COUNTS = (40, 1_000, 10_000)
SHARE = 100  # at 1 MB the loops ask every 100th signature; their times are multiplied
MARKS = ("litellm", "OpenAIException", "Received Model Group")
GOAL_SECONDS = 200e-6
GOAL_RATIO = 500

Ask = Callable[[str], list[str]]


def signatures(count: int) -> list[Signature]:
    """Signatures of the kinds that guides have, as often as they have them."""
    writer = Writer(1)
    return [signature(writer, place) for place in range(count)]


def signature(writer: Writer, place: int) -> Signature:
    """A literal that nobody else has; every other has a second one, some exclude, ask or capture more."""
    return Signature(
        guide=f"guide-{place}",
        id="plain",
        all_of=(writer.message().partition(" `")[0], *(["Max budget:"] if place % 2 else [])),
        none_of=(f"Exception - {writer.phrase(2, 3)}",) if place % 9 < 4 else (),
        pattern=r"cost: (?P<current_cost>\d+\.\d+)" if place % 20 == 0 else None,
        in_tool=place % 4 == 0,
    )


def error_of(one: Signature) -> str:
    """An error that `one` identifies."""
    return f"{one.all_of[0]} `{MODELS[0]}`. Current cost: 26.0750, Max budget: 0.25"


def texts(size: int, known: Sequence[Signature] = ()) -> list[str]:
    """Texts of `size` characters, redacted as the matcher gets them; with a known error each, or none."""
    writers = [Writer(100 + place) for place in range(TEXTS if size < MB1 else 2)]
    step = max(1, len(known) // len(writers))
    errors = [error_of(one) for one in known[step // 2 :: step]]
    raw = [
        writer.planted(size, errors[place]) if known else writer.log(size)
        for place, writer in enumerate(writers)
    ]
    return [redact(readable(text)).text for text in raw]


def escaped(those: list[str], size: int) -> list[str]:
    """The ends of texts as they stand inside JSON: each line break and quote escaped."""
    return [json.dumps({"detail": text})[-size:] for text in those]


def re_loop(known: Sequence[Signature]) -> Ask:
    """The plain way: stdlib `re`, every literal and pattern compiled, every signature asked in turn."""
    compiled = [
        (
            one.guide,
            [*map(insensitive, one.all_of), *([re.compile(one.pattern, re.I)] if one.pattern else [])],
            [*map(insensitive, one.none_of)],
        )
        for one in known
    ]

    def ask(text: str) -> list[str]:
        return [
            guide
            for guide, wanted, unwanted in compiled
            if all(one.search(text) for one in wanted) and not any(one.search(text) for one in unwanted)
        ]

    return ask


def insensitive(literal: str) -> re.Pattern[str]:
    return re.compile(re.escape(literal), re.IGNORECASE)


def in_loop(known: Sequence[Signature]) -> Ask:
    """A quicker plain way: the text in lower case once, then `in` for each literal; patterns are left out."""
    low = [(one.guide, [*map(str.lower, one.all_of)], [*map(str.lower, one.none_of)]) for one in known]

    def ask(text: str) -> list[str]:
        text = text.lower()
        return [
            guide
            for guide, wanted, unwanted in low
            if all(one in text for one in wanted) and not any(one in text for one in unwanted)
        ]

    return ask


def each(function: Callable[[str], Any], those: list[str]) -> Callable[[], Any]:
    """A case that takes the next text at each call."""
    turn: Iterator[str] = cycle(those)
    return lambda: function(next(turn))


@dataclass(frozen=True, slots=True)
class Result:
    """Seconds for one text: of the matcher and of both loops."""

    count: int
    size: str
    text: str
    matcher: float
    re_loop: float
    in_loop: float

    def row(self) -> list[str]:
        """As it is printed."""
        return [
            *(f"{self.count:,}", self.size, self.text, f"{self.matcher * 1e6:,.0f} µs"),
            *(f"{self.re_loop * 1e3:,.1f} ms", f"{self.re_loop / self.matcher:,.0f} x"),
            *(f"{self.in_loop * 1e3:,.1f} ms", f"{self.in_loop / self.matcher:,.0f} x"),
        ]


def measured(count: int, size: int) -> list[Result]:
    """Texts without an error, and with one, against `count` signatures."""
    known = signatures(count)
    share = SHARE if size == MB1 else 1
    ways = {
        "matcher": Matcher(known, MARKS).match,
        "re": re_loop(known[::share]),
        "in": in_loop(known[::share]),
    }
    hit = texts(size, known)
    kinds = {"no hit": texts(size), "one hit": hit, "one hit, in JSON": escaped(hit, size)}
    if share == 1:
        for those in list(kinds.values())[:2]:
            agree(ways, those)
    cases = {f"{kind} {way}": each(ask, those) for kind, those in kinds.items() for way, ask in ways.items()}
    taken = medians(cases)
    return [
        Result(
            count,
            "1 MB" if size == MB1 else f"{size // 1000} KB",
            kind,
            taken[f"{kind} matcher"],
            taken[f"{kind} re"] * share,
            taken[f"{kind} in"] * share,
        )
        for kind in kinds
    ]


def agree(ways: dict[str, Callable[[str], Any]], those: list[str]) -> None:
    """All ways must give the same answer, or their times mean nothing."""
    for place, text in enumerate(those):
        found = [match.guide for match in ways["matcher"](text).matches]
        if found != ways["in"](text) or (place == 0 and found != ways["re"](text)):
            raise SystemExit(f"The matcher and the loops don't find the same: {found} in text {place}.")


def preparing() -> list[list[str]]:
    """What a pasted text goes through before and after it is matched."""
    writers = [Writer(200 + place) for place in range(TEXTS)]
    raw = [writer.planted(KB20, writer.message()) for writer in writers]
    clean = [readable(text) for text in raw]
    redacted = [redact(text).text for text in clean]
    cases = {
        "make readable": each(readable, raw),
        "redact": each(redact, clean),
        "fingerprint": each(fingerprint, redacted),
    }
    return [[name, f"{seconds * 1e6:,.0f} µs"] for name, seconds in medians(cases).items()]


def main() -> bool:
    """Prints the tables; tells whether the goals were met."""
    results = [result for count in COUNTS for result in measured(count, KB20)]
    large = measured(COUNTS[-1], MB1)
    head = ("signatures", "text", "", "matcher", "`re` loop", "quicker by", "`in` loop", "quicker by")
    table(head, [result.row() for result in results + large])
    print()
    table(("on 20 KB", "takes"), preparing())
    print()
    judged = [one for one in results if one.count == COUNTS[-1] and one.text in ("no hit", "one hit")]
    slowest = max(one.matcher for one in judged)
    least = min(one.re_loop / one.matcher for one in judged)
    limit = f"at most {GOAL_SECONDS * 1e6:.0f} µs"
    return all(
        [
            goal(
                f"20 KB against 10,000 signatures in {slowest * 1e6:.0f} µs, {limit}", slowest <= GOAL_SECONDS
            ),
            goal(f"{least:,.0f} x quicker than the `re` loop, at least {GOAL_RATIO} x", least >= GOAL_RATIO),
        ]
    )
