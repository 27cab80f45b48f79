"""What changed for users between two releases of a tool, with the guides that are about it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from kb.guides.answering import NOBODY, Answer, key_of
from kb.guides.releases.comparing import Changed, compare
from kb.guides.releases.row import Row
from kb.guides.releases.table import Table
from kb.guides.runs import Run, words

NEW, GONE, REWORDED, RESTATED = "new", "gone", "reworded", "restated"
KINDS = (NEW, GONE, REWORDED, RESTATED)
PROVIDERS = "llms/"


@dataclass(frozen=True)
class Change:
    """One text that changed: `row` as it is, or as it was where it is gone; `before` where it was another."""

    kind: str
    row: Row
    before: Row | None = None

    @cached_property
    def key(self) -> str:
        """By which the guide of what stands in `row` is found."""
        return key_of(self.row)

    @cached_property
    def key_before(self) -> str:
        """By which the guide of the earlier words is found; empty where there are none."""
        return key_of(self.before) if self.before else ""

    @cached_property
    def area(self) -> str:
        """The part of the software that says it."""
        return self.row.area

    @property
    def logged(self) -> bool:
        """Whether it is a line of the log and no error."""
        return self.row.kind == "log"

    @cached_property
    def sought(self) -> str:
        """All that its words may be sought in, in lower case."""
        parts = [(row.text, row.raised, row.error_type, row.path, row.function) for row in self.rows]
        return " ".join(part for row in parts for part in row).lower()

    @property
    def rows(self) -> list[Row]:
        """As it was, where that is known, and as it is."""
        return [self.before, self.row] if self.before else [self.row]

    @property
    def runs(self) -> tuple[tuple[Run, ...], tuple[Run, ...]] | None:
        """The words before and after with those marked that differ; None where the words are the same."""
        if self.before is None or self.before.text == self.row.text:
            return None
        return words(self.before.text, self.row.text)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which changes are asked for."""

    area: str = ""
    sought: str = ""
    logged: bool = False

    def passes(self, one: Change) -> bool:
        """Whether a change is asked for: all words must be in it."""
        return (
            one.logged == self.logged
            and (not self.area or one.area == self.area)
            and all(word in one.sought for word in self.sought.lower().split())
        )


@dataclass(frozen=True, slots=True)
class Counts:
    """How many changes an area has, in the order of KINDS."""

    area: str
    of_kinds: list[int]

    @property
    def of_provider(self) -> bool:
        """Whether it is the connection to one provider."""
        return self.area.startswith(PROVIDERS)

    @property
    def parts(self) -> list[str]:
        """The area's name, cut where a line may break."""
        return self.area.split("/")


@lru_cache(maxsize=8)
def changes(releases: Table, old: str, new: str) -> tuple[Change, ...]:
    """From one release to another, by area; worked out once as long as the table stays as it is."""
    found = compare(releases.rows(old), releases.rows(new))
    made = [Change(NEW, row) for row in found.new]
    made += [Change(GONE, row) for row in found.gone]
    for kind, pairs in ((REWORDED, found.reworded), (RESTATED, found.restated)):
        made += [change_of(kind, pair) for pair in pairs]
    return tuple(sorted(made, key=lambda one: (place(one.area), one.row)))


def change_of(kind: str, pair: Changed) -> Change:
    """A pair of rows as a change."""
    return Change(kind, pair.after, pair.before)


@lru_cache(maxsize=4)
def areas_of(releases: Table) -> tuple[str, ...]:
    """All parts of the software in a table; providers last."""
    return tuple(sorted({row.area for row, _ in releases.entries}, key=place))


def place(area: str) -> tuple[bool, str]:
    """Where an area stands among others."""
    return area.startswith(PROVIDERS), area


def listed(found: Iterable[Change], known: Mapping[str, Answer]) -> dict[str, list[Change]]:
    """Kind -> its changes: those that a guide is about first, then those that a general one knows."""
    lists: dict[str, list[Change]] = {kind: [] for kind in KINDS}
    for one in sorted(found, key=lambda one: rank(one, known)):
        lists[one.kind].append(one)
    return lists


def rank(one: Change, known: Mapping[str, Answer]) -> int:
    """0 where a guide is about a text, 1 where only a general signature knows it, 2 else."""
    slug, general = guide_of(one, known)
    return 2 if not slug else 1 if general else 0


def guide_of(one: Change, known: Mapping[str, Answer]) -> Answer:
    """The guide of what a change is now or, where that has none, of what it was."""
    now, then = known.get(one.key, NOBODY), known.get(one.key_before, NOBODY)
    return then if now[0] == "" or (now[1] and then[0] and not then[1]) else now


def only_before(one: Change, known: Mapping[str, Answer]) -> bool:
    """Whether a guide recognises the earlier words and nothing recognises the new ones."""
    return known.get(one.key_before, NOBODY)[0] != "" and known.get(one.key, NOBODY)[0] == ""


def counted(found: Iterable[Change]) -> list[Counts]:
    """How many changes each area has; providers last."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        counts[one.area][one.kind] += 1
    return [Counts(area, [counts[area][kind] for kind in KINDS]) for area in sorted(counts, key=place)]


def total(rows: Sequence[Counts]) -> list[int]:
    """The sums of counts, kind by kind."""
    return [sum(row.of_kinds[place] for row in rows) for place in range(len(KINDS))]
