"""What comes near a text that no signature knows: known messages ranked by the wording they share with it.

Likeness is never a match: it says which words are shared, and nothing about causes. Pure and deterministic.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count, pairwise
from typing import NamedTuple

from kb.diagnosis.canonical import Canonical
from kb.diagnosis.reading import lowered

FLOOR = 0.44  # below it nothing is shown
MOST = 3
REACH = 40_000  # characters that are read at each end of a long text
_WORD = re.compile(r"[^\W\d_]{2,}")
_HOLE = re.compile(r"\{[A-Za-z_][\w .]*\}|<[a-z_]+>")
_FEWEST = 3  # pairs of neighbouring words that a text must share with a message
_SHORTEST = 3  # pairs of a message that is worth comparing
_COMMON = 0.01  # a pair that stands in more messages than this share tells nothing
_RARE = 2  # of them, pairs that few messages have
_LIGHT = 7.5  # shared weight from which a likeness counts in full; a pair that one message has weighs 1


class Known(NamedTuple):
    """A message that somebody wrote a guide for, or that a release can print."""

    name: str  # of the guide, or of the text itself: of several of one name the best counts
    text: str


@dataclass(frozen=True, slots=True)
class Shared:
    """Where a phrase that a message has too stands in the text: offsets in code points."""

    phrase: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Similar:
    """A message that comes near, from 0 to 1, with the phrases shared, in the order of the text."""

    name: str
    text: str
    score: float
    shared: tuple[Shared, ...]


Pair = tuple[str, str]


class Likeness:
    """Known messages, ready to be compared with one text after another."""

    def __init__(self, messages: Iterable[Known]) -> None:
        """Index; a message of few words, or one that another has too under its name, is left out."""
        self._messages: list[Known] = []
        self._pairs: list[frozenset[Pair]] = []
        for known in dict.fromkeys(messages):
            pairs = frozenset(_pairs_of(known.text))
            if len(pairs) >= _SHORTEST:
                self._messages.append(known)
                self._pairs.append(pairs)
        spread = Counter(pair for pairs in self._pairs for pair in pairs)
        most = max(3, _COMMON * len(self._pairs))
        whole = len(self._pairs) + 1
        self._weight = {pair: math.log(whole / messages, whole) for pair, messages in spread.items()}
        self._total = [math.fsum(map(self._weight.__getitem__, pairs)) for pairs in self._pairs]
        places: defaultdict[Pair, list[int]] = defaultdict(list)
        for place, pairs in enumerate(self._pairs):
            for pair in pairs:
                if spread[pair] <= most:
                    places[pair].append(place)
        self._places = dict(places)
        self._heaviest = max(self._weight.values(), default=0.0)
        # What its pairs that many messages have can add at most.
        self._common = [
            math.fsum(self._weight[pair] for pair in pairs if pair not in self._places)
            for pairs in self._pairs
        ]

    def rank(self, text: str, most: int = MOST, floor: float = FLOOR) -> list[Similar]:
        """The names that come nearest to a text that is `readable()` and redacted, best first."""
        reading = _Reading(text)
        best: dict[str, tuple[float, int]] = {}
        for place, score in sorted(self._scores(reading, floor)):
            name = self._messages[place].name
            if score >= floor and score > best.get(name, (0.0, 0))[0]:
                best[name] = (score, place)
        order = sorted(best.items(), key=lambda item: (-item[1][0], item[0]))[:most]
        return [
            Similar(name, self._messages[place].text, round(score, 3), reading.shared(self._pairs[place]))
            for name, (score, place) in order
        ]

    def _scores(self, reading: "_Reading", floor: float) -> Iterator[tuple[int, float]]:
        """(message, likeness) of messages that share enough pairs."""
        rare: Counter[int] = Counter()
        for pair in reading.pairs & self._places.keys():
            rare.update(self._places[pair])
        for place, rarities in rare.items():
            possible = rarities * self._heaviest + self._common[place]
            if rarities < _RARE or possible < floor * self._total[place]:
                continue
            shared = self._pairs[place] & reading.pairs
            if len(shared) >= _FEWEST:
                weight = math.fsum(map(self._weight.__getitem__, shared))  # whatever their order
                yield place, weight / self._total[place] * min(1.0, weight / _LIGHT)


class _Reading:
    """A text's words and pairs of neighbouring words, with their places."""

    def __init__(self, text: str) -> None:
        self._canonical = Canonical(text)
        self._low = _low(self._canonical.unwrapped)
        words = _WORD.findall(self._low)
        self.places: dict[Pair, int] = dict(zip(pairwise(words), count(), strict=False))  # its last one
        self.pairs = frozenset(self.places)

    @cached_property
    def _words(self) -> list[tuple[str, int, int]]:
        """Each word with its place in the unwrapped text."""
        return [(found[0], *found.span()) for found in _WORD.finditer(self._low)]

    def shared(self, pairs: frozenset[Pair]) -> tuple[Shared, ...]:
        """The phrases that these pairs make, each a stretch of the source."""
        runs: list[list[int]] = []
        for place in sorted(self.places[pair] for pair in pairs & self.pairs):
            if runs and place <= runs[-1][1]:
                runs[-1][1] = place + 1
            else:
                runs.append([place, place + 1])
        return tuple(self._phrase(first, last) for first, last in runs)

    def _phrase(self, first: int, last: int) -> Shared:
        words = self._words[first : last + 1]
        start, end = self._canonical.source_span(words[0][1], words[-1][2])
        return Shared(" ".join(word for word, _, _ in words), start, end)


def _low(text: str) -> str:
    """In lower case, at the same offsets; of a long text its two ends."""
    low = lowered(text)
    if len(low) <= 2 * REACH:
        return low
    return low[:REACH] + " " * (len(low) - 2 * REACH) + low[-REACH:]


def _pairs_of(message: str) -> Iterator[Pair]:
    """Pairs of neighbouring words of a message, none across a hole."""
    for part in _HOLE.split(message):
        yield from pairwise(_WORD.findall(_low(Canonical(part).unwrapped)))
