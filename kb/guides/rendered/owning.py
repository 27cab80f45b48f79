"""Which guides own a template: those with a signature whose literals lie in its fixed words.

This is worked out from plain substrings, without the matcher, which is held against it.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import re2

from kb.diagnosis.signature import ERROR_TYPE_WEIGHT, PATTERN_WEIGHT, STATUS_WEIGHT, Signature
from kb.guides.rendered.values import fixed


@dataclass(frozen=True, slots=True)
class Claim:
    """A signature whose literals lie in a template, with their characters and what its facts add to these."""

    guide: str
    signature: Signature
    characters: int

    def holds(self, message: str, text: str) -> bool:
        """Whether what the signature asks beyond its literals is there: its pattern in the redacted words as
        they were filled in; its status and type, and nothing that it excludes, in the text that carries them.
        """
        one = self.signature
        if one.none_of and any(literal in plain(text) for literal in lowered(one.none_of)):
            return False
        shown = all(str(fact) in text for fact in (one.status, one.error_type) if fact is not None)
        return shown and (one.pattern is None or searched(one.pattern, one.where, message))

    @property
    def order(self) -> tuple[bool, bool, int]:
        """General signatures last, those that quote others first, then by what they read of the template."""
        return self.signature.general, not self.signature.quotes, -self.characters


class Plain(NamedTuple):
    """A signature with its literals as they are sought in plain words."""

    signature: Signature
    all_of: list[str]
    any_of: list[str]
    none_of: list[str]

    def claim(self, words: str) -> Claim | None:
        """Its claim on words, facts and pattern left aside."""
        all_there = all(literal in words for literal in self.all_of)
        if not all_there or any(literal in words for literal in self.none_of):
            return None
        option = max((literal for literal in self.any_of if literal in words), key=len, default="")
        if self.any_of and not option:
            return None
        read = sum(map(len, self.all_of)) + len(option)
        return Claim(self.signature.guide, self.signature, read + bonus(self.signature))


class Owners:
    """All signatures, asked for one template after another."""

    def __init__(self, signatures: Iterable[Signature]) -> None:
        self._plain = [Plain(one, *map(lowered, (one.all_of, one.any_of, one.none_of))) for one in signatures]
        options = re2.Options()
        options.max_mem = 256 << 20
        self._longest = re2.Set.SearchSet(options)  # leaves few signatures to be asked
        for one in self._plain:
            self._longest.Add(re2.escape(max(one.all_of, key=len)))
        self._longest.Compile()

    def of(self, template: str, status: int = 0, error_type: str = "") -> list[Claim]:
        """The claims on a template that is answered with a status and a type, the best first."""
        words = plain(fixed(template))
        found: dict[str, Claim] = {}
        for index in self._longest.Match(words) or ():
            one = self._plain[index]
            claim = one.claim(words) if fits(one.signature, status, error_type) else None
            if claim and (claim.guide not in found or claim.order < found[claim.guide].order):
                found[claim.guide] = claim
        return sorted(found.values(), key=lambda claim: (*claim.order, claim.guide))


@lru_cache(maxsize=2_000)
def compiled(pattern: str) -> Any:
    """A pattern that letter case doesn't matter to."""
    options = re2.Options()
    options.case_sensitive = False
    return re2.compile(pattern, options)


def searched(pattern: str, where: str | None, message: str) -> bool:
    """Whether a pattern is found in words with their white space folded, and `where` isn't untrue of it."""
    found = compiled(pattern).search(" ".join(message.split()))
    if found is None or where is None:
        return found is not None
    left, sign, right = where.split()
    try:
        return SIGNS[sign](float(found.group(left)), float(found.group(right)))
    except (TypeError, ValueError):
        return False


SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def bonus(one: Signature) -> int:
    """What facts count besides literals."""
    return (
        PATTERN_WEIGHT * (one.pattern is not None)
        + ERROR_TYPE_WEIGHT * (one.error_type is not None)
        + STATUS_WEIGHT * (one.status is not None)
    )


def fits(one: Signature, status: int, error_type: str) -> bool:
    """Whether a signature's facts may be those of the template; a fact that it doesn't know may be any."""
    same_status = one.status is None or not status or one.status == status
    return same_status and (one.error_type is None or one.error_type == error_type)


def lowered(literals: tuple[str, ...]) -> list[str]:
    """Literals as they are sought in plain words."""
    return [plain(literal) for literal in literals]


def plain(text: str) -> str:
    """In lower case, with runs of white space as one space."""
    low = " ".join(text.lower().split())
    return f"{low} " if text[-1:].isspace() else low
