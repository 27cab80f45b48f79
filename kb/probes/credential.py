"""Keys live here while a check runs, and what takes them out of everything that a proxy says.

Nothing here stores, logs or shows a key.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from kb.diagnosis.text import harmless, redact_whole

MOST_DEPTH = 40
MOST_VALUES = 20_000
MOST_CHARACTERS = 4_000

_SHORTEST = 4
_SENDABLE = re.compile(r"[\x21-\x7e]{1,4096}", re.ASCII)
_TELLING = re.compile(r"pass|pwd|secret|token|key|licen|auth|sig|credential", re.IGNORECASE)
_LONGEST_WORD = 100
_AT_ONCE = 64
_MASK = re.compile(r"<[a-z_]+>")
_TOO_DEEP = "<nested too deeply>"


class Credential:
    """A key in memory. Its repr and str are `***`; it can't be pickled or copied into a model."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Take a key as it was pasted: outer white space and a leading `Bearer ` are dropped."""
        self._value = re.sub(r"\A\s*(?i:bearer\s+)?", "", value).rstrip()

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("A key isn't stored.")

    @property
    def sendable(self) -> bool:
        """Whether an HTTP header can carry it: visible ASCII, up to 4,096 characters."""
        return _SENDABLE.fullmatch(self._value) is not None

    @property
    def hash(self) -> str:
        """SHA-256 in hex, under which LiteLLM keeps the key."""
        return hashlib.sha256(self._value.encode("utf-8", "surrogatepass")).hexdigest()

    def header(self) -> str:
        """The value of the Authorization header: for the dialler, and nobody else."""
        return f"Bearer {self._value}"

    def forms(self) -> dict[str, str]:
        """Each form in which a server may repeat this key, and what takes its place."""
        if len(self._value) < _SHORTEST:
            return {}
        escaped = json.dumps(self._value)[1:-1]
        written = {self._value, quote(self._value, safe=""), quote_plus(self._value), escaped}
        return {**dict.fromkeys(written, "<api_key>"), self.hash: "<key_hash>"}


class Scrubber:
    """Takes the given keys, their hashes and all that looks like a secret out of the answers of one run."""

    def __init__(self, credentials: Iterable[Credential | None]) -> None:
        forms: dict[str, str] = {}
        for credential in credentials:
            forms |= credential.forms() if credential else {}
        self._forms = {form.lower(): mask for form, mask in forms.items()}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if forms else None
        self._seen: dict[str, str] = {}

    def text(self, text: str, most: int = MOST_CHARACTERS) -> str:
        """A text that is safe to show and store, without secrets, of `most` characters at most."""
        if self._pattern:
            text = self._pattern.sub(self._mask, text)
        # Cut after redaction, so no secret loses the end by which it is known.
        clean = redact_whole(harmless(text[: 2 * most])).text
        return clean if len(clean) <= most else clean[: most - 1] + "…"

    def body(self, value: Any) -> tuple[Any, bool]:
        """Parsed JSON, each string and name of it cleaned; and whether it was cut.

        Of more than MOST_VALUES values the first are kept. What is nested more than MOST_DEPTH deep is
        replaced by a mark: no proxy answers so, and it takes nothing away from a list.
        """
        words, sound = _words(value)
        self._learn([word for word in words if len(word) <= _LONGEST_WORD and word not in self._seen])
        if sound and all(self.word(word) == word for word in words):
            return value, False
        walk = _Walk(self)
        return walk.value(value, 0), walk.cut

    def word(self, text: str) -> str:
        """What `text` does, for the strings inside of an answer, of which many were looked at together."""
        if text not in self._seen:
            self._seen[text] = self.text(text)
        return self._seen[text]

    def _learn(self, words: list[str]) -> None:
        """Look at many short strings at once, and more closely only where there is something to find.

        No form of secret reaches over the end of a line, so lines that are clean together are clean alone.
        """
        if len(words) == 1:
            self._seen[words[0]] = self.text(words[0])
        elif words:
            lines = "\n".join(words)
            if len(words) <= _AT_ONCE and self._clean(lines):
                self._seen.update(zip(words, words, strict=True))
            else:
                half = len(words) // 2
                self._learn(words[:half])
                self._learn(words[half:])

    def _clean(self, text: str) -> bool:
        known = self._pattern is not None and self._pattern.search(text) is not None
        return not known and redact_whole(harmless(text)).text == text

    def _mask(self, match: re.Match[str]) -> str:
        return self._forms.get(match[0].lower(), "<api_key>")


def _words(value: Any) -> tuple[dict[str, None], bool]:
    """What of a body may hide a secret: its strings, names and long numbers, of its first MOST_VALUES values.

    And whether all of it was looked at, so that it may stay as it is if these are clean.
    """
    found: dict[str, None] = {}
    sound, count, depth, level = True, 0, 0, [value]
    while level and depth < MOST_DEPTH and count < MOST_VALUES:
        deeper: list[Any] = []
        for one in level[: MOST_VALUES - count]:
            if isinstance(one, str):
                found[one] = None
            elif isinstance(one, dict):
                found |= dict.fromkeys(one)
                found |= {_line(*pair): None for pair in one.items() if _telling(*pair)}
                deeper += one.values()
            elif isinstance(one, list):
                deeper += one
            elif isinstance(one, float):
                sound = sound and math.isfinite(one)
            elif isinstance(one, int) and not -100 < one < 1000:
                found[str(one)] = None
        count, depth, level = count + len(level), depth + 1, deeper
    return found, sound and count <= MOST_VALUES and not level


def _telling(name: str, value: Any) -> bool:
    """Whether a value's name may say that it is a secret, though it looks like none itself."""
    return isinstance(value, str) and value != "" and _TELLING.search(name) is not None


def _line(name: str, value: str) -> str:
    return f"{name}={json.dumps(value)}"


class _Walk:
    """One way through one body."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._word = scrubber.word
        self._left = MOST_VALUES
        self.cut = False

    def value(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, str):
            return self._word(value)
        if isinstance(value, dict | list):
            return self._inside(value, depth)
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, int) and not isinstance(value, bool):
            digits = str(value)
            return value if len(digits) < _SHORTEST or self._word(digits) == digits else self._word(digits)
        return value

    def _inside(self, value: dict[str, Any] | list[Any], depth: int) -> Any:
        if depth >= MOST_DEPTH:
            return _TOO_DEEP
        if isinstance(value, dict):
            return {self._word(name): self._named(name, value[name], depth + 1) for name in self._some(value)}
        return [self.value(one, depth + 1) for one in self._some(value)]

    def _some(self, values: Iterable[Any]) -> Iterable[Any]:
        for one in values:
            if self._left <= 0:
                self.cut = True
                return
            yield one

    def _named(self, name: str, value: Any, depth: int) -> Any:
        clean = self.value(value, depth)
        if clean == value and _telling(name, value):
            line = _line(name, value)
            found = _MASK.search(self._word(line).removeprefix(name))
            return found[0] if found and found[0] not in value else clean
        return clean
