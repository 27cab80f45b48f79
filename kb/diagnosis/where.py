"""Comparisons live here: a signature may ask that of two numbers that it captures one is the larger."""

import operator
import re
from collections.abc import Mapping

from kb.diagnosis.answer import Span

_COMPARISON = re.compile(r"(\w+) (<|<=|>|>=) (\w+)")
_SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def problems(where: str | None, pattern: str | None) -> list[str]:
    """What to do about a comparison of two groups of a pattern; an empty list if there is nothing to do."""
    if where is None:
        return []
    compared = _COMPARISON.fullmatch(where)
    if not compared:
        return ['Write where as two groups of the pattern and one of < <= > >= between: "spend < limit".']
    missing = [name for name in compared.group(1, 3) if f"(?P<{name}>" not in (pattern or "")]
    return [f"Name the group {name} in the pattern: where compares it." for name in missing]


def holds(where: str | None, groups: Mapping[str, Span]) -> bool:
    """Compare two captured numbers, if that is asked; what is no number makes no statement."""
    if where is None:
        return True
    left, sign, right = where.split()
    try:
        return bool(_SIGNS[sign](float(groups[left].literal), float(groups[right].literal)))
    except (KeyError, ValueError):
        return False
