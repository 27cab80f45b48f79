"""How sure a few reports make us that a fix helps, and the order of fixes that follows. Pure.

The interval is Wilson's score interval for a proportion (E. B. Wilson, "Probable Inference, the Law of
Succession, and Statistical Inference", JASA 22, 1927). Brown, Cai and DasGupta ("Interval Estimation for a
Binomial Proportion", Statistical Science 16, 2001) recommend it for small samples, where the usual one fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol, TypeVar

Z = 1.959964  # of the normal distribution, for 95 %
HALF = 0.5
FEW = 4  # below this even unanimous readers leave one half inside the interval


@dataclass(frozen=True, slots=True)
class Outcome:
    """What readers said of one fix: how many it helped, and how many not."""

    helped: int = 0
    failed: int = 0

    @property
    def total(self) -> int:
        """How many said whether it helped."""
        return self.helped + self.failed

    @property
    def few(self) -> bool:
        """Too few to say anything."""
        return self.total < FEW


class Keyed(Protocol):
    """Anything with a key, such as a quick fix."""

    @property
    def key(self) -> str: ...


Fix = TypeVar("Fix", bound=Keyed)


def interval(helped: int, total: int) -> tuple[float, float]:
    """(lower, upper) bound of the true proportion at 95 %; (0, 1) where nobody reported."""
    if not total:
        return (0.0, 1.0)
    share, square = helped / total, Z * Z
    middle = share + square / (2 * total)
    spread = Z * sqrt(share * (1 - share) / total + square / (4 * total * total))
    scale = 1 + square / total
    return (max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))


def standing(outcome: Outcome) -> tuple[int, float]:
    """Sorts fixes by what was shown: it helps, nothing, it doesn't help; where shown, the best first.

    Shown to help: the lower bound is above one half. Shown not to: the upper bound is below it.
    """
    lower, upper = interval(outcome.helped, outcome.total)
    if lower > HALF:
        return (0, -lower)
    return (2, -lower) if upper < HALF else (1, 0.0)


def in_order(fixes: Sequence[Fix], outcomes: Mapping[str, Outcome]) -> list[tuple[Fix, Outcome]]:
    """Fixes with their outcomes, given in the editors' order.

    The editors' order stands until reports show otherwise: first come the fixes that were shown to help,
    by their lower bound; then, as the editors have them, all of which reports show nothing yet; last
    those shown not to help. So it takes four readers who agree to move a fix, and one never does.
    """
    pairs = [(fix, outcomes.get(fix.key, Outcome())) for fix in fixes]
    return sorted(pairs, key=lambda pair: standing(pair[1]))
