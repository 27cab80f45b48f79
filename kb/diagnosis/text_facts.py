"""What a text says of itself lives here: HTTP status, error type, exception names; no verdicts."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

import re2

T = TypeVar("T")

_STATUS = (
    # LiteLLM prints its code as a string, providers print a number: the string is the gateway's.
    r"(?i)[\"']code[\"']: ?[\"']([1-5]\d\d)[\"']",
    r"(?i)\berror code: ([1-5]\d\d)\b",
    r"(?i)\bstatus_code[\"']?(?:=|: ?)[\"']?([1-5]\d\d)\b",
    r"(?i)\bHTTP(?:/\d(?:\.\d)?)?\"? ([1-5]\d\d)\b",
    r"(?i)[\"'](?:code|error_code)[\"']: ?[\"']?([1-5]\d\d)\b",
    r"(?i)\b(?:exception|error|occurred): ([45]\d\d): ",
    # SDKs in JavaScript, Claude Code and Codex: "RateLimitError: 429 …", "API Error: 400 {", "status: 400".
    r"(?i)\b\w*Error: ([45]\d\d) ",
    r"(?i)\bstatus:? ([45]\d\d)\b",
)
_TYPE = (
    r"(?i)[\"']type[\"']: ?[\"']([a-z]\w{2,60})[\"'], ?[\"']param[\"']",
    r"(?i)[\"'](?:type|error_type)[\"']: ?[\"']([a-z]\w{2,60})[\"']",
    r"(?i)\btype: ?'([a-z]\w{2,60})'",  # an object as Node prints it
)
_CLASS = r"\b([A-Z]\w{2,60}(?:Error|Exception|Timeout|Exceeded|Warning))\b"
_NO_TYPE = frozenset({
    "none", "null", "error", "object", "function", "string", "text", "array", "integer",
    "number", "boolean", "message", "json_schema", "json_object", "ephemeral", "image_url",
    "thinking", "tool_use", "tool_result",
})  # fmt: skip
# Facts are sought at the ends of long texts: an answer leads with them, a log ends with them.
_REACH = 100_000


@dataclass(frozen=True, slots=True)
class TextFacts:
    """The facts that a text states.

    `status` and `error_type` are the gateway's own where the text shows its error object, of
    several the last (what was answered); `statuses` and `error_types` are all that the text
    names, nested bodies included; `classes` are exception names in order of appearance.
    """

    status: int | None
    error_type: str | None
    classes: tuple[str, ...]
    statuses: frozenset[int]
    error_types: frozenset[str]


def text_facts(canonical_text: str) -> TextFacts:
    """Read the facts off a `canonical()` text; linear in its length."""
    text = canonical_text
    if len(text) > 2 * _REACH:
        text = text[:_REACH] + " " + text[-_REACH:]
    statuses = [[int(found) for found in _all(pattern, text)] for pattern in _STATUS]
    types = [[found for found in _all(pattern, text) if _tells(found)] for pattern in _TYPE]
    return TextFacts(
        status=_last_of_first(statuses),
        error_type=_last_of_first(types),
        classes=tuple(dict.fromkeys(_all(_CLASS, text))),
        statuses=frozenset(chain(*statuses)),
        error_types=frozenset(found.lower() for found in chain(*types)),
    )


def _last_of_first(found: list[list[T]]) -> T | None:
    return next((values[-1] for values in found if values), None)


def _tells(error_type: str) -> bool:
    return error_type.lower() not in _NO_TYPE


def _all(pattern: str, text: str) -> list[str]:
    return [match.group(1) for match in _compiled(pattern).finditer(text)]


@lru_cache(maxsize=32)
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern)
