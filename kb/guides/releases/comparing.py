"""What a release says that another one didn't: new, gone, reworded, or with another status or error.type."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from kb.guides.releases.row import Row
from kb.guides.releases.wording import HOLE

SAME_FUNCTION = 0.5  # likeness from which a text counts as the other one, reworded
SAME_FILE = 0.7


@dataclass(frozen=True, slots=True)
class Changed:
    """A text as it was and as it is; `likeness` is 1 where only status or error.type differ."""

    before: Row
    after: Row
    likeness: float


@dataclass(slots=True)
class Difference:
    """What changed from one release to the next."""

    new: list[Row] = field(default_factory=list)
    gone: list[Row] = field(default_factory=list)
    reworded: list[Changed] = field(default_factory=list)
    restated: list[Changed] = field(default_factory=list)  # another status or error.type

    def as_object(self) -> dict[str, Any]:
        """For --json."""
        return {
            "new": [plain(row) for row in self.new],
            "gone": [plain(row) for row in self.gone],
            "reworded": [pair(one) for one in self.reworded],
            "restated": [pair(one) for one in self.restated],
        }


def plain(row: Row) -> dict[str, Any]:
    """A row as JSON has it, without what it doesn't have."""
    facts = {
        "area": row.area, "path": row.path, "function": row.function, "kind": row.kind, "class": row.raised,
        "status": row.status, "type": row.error_type, "text": row.text, "line": row.line,
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value}


def pair(one: Changed) -> dict[str, Any]:
    """A change as JSON has it."""
    return {"likeness": round(one.likeness, 2), "before": plain(one.before), "after": plain(one.after)}


def shape(row: Row) -> tuple[str, str]:
    """What a row says, whatever its holes are called and wherever it stands."""
    if not row.text:
        return "name", row.raised or row.error_type
    return row.kind, HOLE.sub("{}", row.text)


def compare(before: Iterable[Row], after: Iterable[Row]) -> Difference:
    """From one release's rows to another's. A text that only moved is no change."""
    old, new = by_shape(before), by_shape(after)
    found = Difference()
    for key in sorted(old.keys() & new.keys()):
        found.restated += restated(old[key], new[key])
    gone = sorted(row for key in old.keys() - new.keys() for row in old[key][:1])
    come = sorted(row for key in new.keys() - old.keys() for row in new[key][:1])
    found.reworded = reworded(gone, come)
    left = {one.before for one in found.reworded}
    found.gone = [row for row in gone if row not in left]
    right = {one.after for one in found.reworded}
    found.new = [row for row in come if row not in right]
    return found


def by_shape(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows by what they say."""
    found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in sorted(rows):
        found[shape(row)].append(row)
    return found


def restated(before: list[Row], after: list[Row]) -> list[Changed]:
    """The same words in the same function, which came with a status or type and now come with another."""
    was, now = by_place(before), by_place(after)
    found = []
    for place in sorted(was.keys() & now.keys()):
        gone = [row for key, row in was[place].items() if key not in now[place]]
        come = [row for key, row in now[place].items() if key not in was[place]]
        found += [Changed(left, right, 1.0) for left, right in zip(gone, come, strict=False)]
    return found


def by_place(rows: list[Row]) -> dict[tuple[str, str], dict[tuple[int, str], Row]]:
    """File and function -> status and type -> a row."""
    found: defaultdict[tuple[str, str], dict[tuple[int, str], Row]] = defaultdict(dict)
    for row in rows:
        found[row.path, row.function][row.status, row.error_type] = row
    return found


def reworded(gone: list[Row], come: list[Row]) -> list[Changed]:
    """Pairs of texts of one file that are alike, the most alike first; each is in one pair at most."""
    by_file: defaultdict[str, list[Row]] = defaultdict(list)
    for row in come:
        by_file[row.path].append(row)
    pairs = [
        (likeness, left, right)
        for left in gone
        for right in by_file[left.path]
        if left.kind == right.kind and left.text and right.text and (likeness := alike(left, right))
    ]
    found: list[Changed] = []
    used: set[Row] = set()
    for likeness, left, right in sorted(pairs, key=lambda one: (-one[0], one[1], one[2])):
        if left not in used and right not in used:
            used |= {left, right}
            found.append(Changed(left, right, likeness))
    return sorted(found, key=lambda one: one.after)


def alike(left: Row, right: Row) -> float:
    """How alike two texts are from 0 to 1; 0 where that isn't enough to be the same error."""
    least = SAME_FUNCTION if left.function == right.function else SAME_FILE
    matcher = SequenceMatcher(None, HOLE.sub("{}", left.text), HOLE.sub("{}", right.text), autojunk=False)
    if matcher.real_quick_ratio() < least or matcher.quick_ratio() < least:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= least else 0.0
