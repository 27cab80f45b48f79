"""How times are taken and shown: cases in turn, rounds repeated, medians printed."""

import math
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import cpu_count
from statistics import median
from typing import Any

BATCH = 0.02  # seconds that one measured batch of calls takes at least
SLOW = 0.5  # seconds for a call above which two rounds must do

Case = Callable[[], object]


def medians(cases: Mapping[str, Case], rounds: int = 7) -> dict[str, float]:
    """Seconds for one call of each case; in each round every case has its turn."""
    sizes = {name: batch(case) for name, case in cases.items()}
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(rounds):
        for name, case in cases.items():
            if turn < 2 or taken[name][0] < SLOW:
                taken[name].append(timed(case, sizes[name]) / sizes[name])
    return {name: median(values) for name, values in taken.items()}


def batch(case: Case) -> int:
    """How many calls fill BATCH; asking warms the case up."""
    count = 1
    while (taken := timed(case, count)) < BATCH:
        count = max(count * 2, math.ceil(count * BATCH / max(taken, 1e-7)))
    return count


def timed(case: Case, count: int) -> float:
    """Seconds for `count` calls."""
    start = time.perf_counter()
    for _ in range(count):
        case()
    return time.perf_counter() - start


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of all lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def machine() -> str:
    """The machine in one line."""
    return (
        f"{cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints a Markdown table, with its columns in line."""
    lines = [list(map(str, line)) for line in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    for line in lines:
        print(f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |")


def goal(words: str, met: bool) -> bool:
    """Prints a goal and whether this run met it."""
    print(f"goal: {words}: {'met' if met else 'MISSED'}")
    return met
