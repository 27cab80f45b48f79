"""What accepted reports add up to: how many, on which versions and deployments, which fixes helped. Pure.

The database counts (`ReportQuerySet.summary`); this gives the counts the shape that a page shows.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kb.guides.wilson import Outcome

ROWS = 12  # versions with a row of their own; what is older shares one
NUMBERS = re.compile(r"\d{1,9}")

# (version, deployment, fits, how many)
Group = tuple[str, str, str, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One version: its words, a count for each column, and their sum."""

    title: str
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Version x deployment: `columns` are the deployments that occur, `sums` their totals."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def sums(self) -> tuple[int, ...]:
        return tuple(map(sum, zip(*(row.counts for row in self.rows), strict=True)))


@dataclass(frozen=True, slots=True)
class Summary:
    """All that a guide's page says of its reports; `newest` are reports, newest first."""

    total: int = 0
    same: int = 0
    different: int = 0
    matrix: Matrix = Matrix((), ())
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    newest: Sequence[Any] = ()

    @property
    def unsaid(self) -> int:
        """Reports that don't say whether the guide fits."""
        return self.total - self.same - self.different


def by_release(version: str) -> tuple[tuple[int, ...], str]:
    """Sorts versions by their numbers: 1.108.7 comes after 1.84.0."""
    return tuple(map(int, NUMBERS.findall(version))), version


def matrix(groups: Iterable[Group], deployments: Mapping[str, str]) -> Matrix:
    """Counts by version, newest first, and by deployment in the order of `deployments`: value -> words."""
    counts: Counter[tuple[str, str]] = Counter()
    for version, deployment, _, count in groups:
        counts[version, deployment] += count
    met = {deployment for _, deployment in counts}
    values = [value for value in (*deployments, "") if value in met]
    versions = sorted({version for version, _ in counts if version}, key=by_release, reverse=True)
    kept, older = versions[:ROWS], versions[ROWS:]
    titled = [(version, [version]) for version in kept]
    if older:
        titled.append((f"{len(older)} others", older))
    if any(not version for version, _ in counts):
        titled.append(("not said", [""]))
    rows = (
        Row(title, tuple(sum(counts[version, value] for version in group) for value in values))
        for title, group in titled
    )
    return Matrix(tuple(deployments.get(value, "not said") for value in values), tuple(rows))


def by_fix(rows: Iterable[tuple[str, str, int]]) -> dict[str, Outcome]:
    """Fix -> outcome, from (fix, yes or no, how many)."""
    counts: Counter[tuple[str, str]] = Counter()
    for fix, helped, count in rows:
        counts[fix, helped] += count
    return {fix: Outcome(counts[fix, "yes"], counts[fix, "no"]) for fix, _ in counts}


def summarise(
    groups: Sequence[Group],
    deployments: Mapping[str, str],
    outcomes: Mapping[str, Outcome],
    newest: Sequence[Any],
) -> Summary:
    """Everything together; `groups` cover every report once."""
    fits: Counter[str] = Counter()
    for _, _, word, count in groups:
        fits[word] += count
    return Summary(
        total=fits.total(),
        same=fits["same"],
        different=fits["different"],
        matrix=matrix(groups, deployments),
        outcomes=outcomes,
        newest=newest,
    )
