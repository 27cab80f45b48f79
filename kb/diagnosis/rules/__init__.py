"""One file, one cause (or one tight family): pure functions from facts to findings, found by listing this
package.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known of one cause. `judge` may say nothing where its cause has no bearing."""

    id: str
    hop: str
    judge: Callable[[Facts], Iterable[Finding]]


def listed() -> tuple[Rule, ...]:
    """Each module here whose name has no leading underscore gives its RULE, in order of name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_")
    return tuple(importlib.import_module(f"{__name__}.{name}").RULE for name in names)
