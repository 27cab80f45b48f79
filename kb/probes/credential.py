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

from kb.diagnosis.text import harmless, redact

MOST_DEPTH = 40
MOST_VALUES = 100_000
MOST_CHARACTERS = 4_000

_SHORTEST = 4
_SENDABLE = re.compile(r"[\x21-\x7e]{1,4096}", re.ASCII)
_TELLING = re.compile(r"pass|pwd|secret|token|key|licen|auth|sig|credential", re.IGNORECASE)
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
    """Takes the given keys, their hashes and all that looks like a secret out of an answer."""

    def __init__(self, credentials: Iterable[Credential | None]) -> None:
        forms: dict[str, str] = {}
        for credential in credentials:
            forms |= credential.forms() if credential else {}
        self._forms = {form.lower(): mask for form, mask in forms.items()}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if forms else None
        self._left = MOST_VALUES

    def text(self, text: str, most: int = MOST_CHARACTERS) -> str:
        """A text that is safe to show and store, without secrets, of `most` characters at most."""
        if self._pattern:
            text = self._pattern.sub(self._mask, text)
        # Cut after redaction, so no secret loses the end by which it is known.
        clean = redact(harmless(text[: 2 * most])).text
        return clean if len(clean) <= most else clean[: most - 1] + "…"

    def body(self, value: Any) -> Any:
        """Parsed JSON, each string and name of it cleaned; what is nested too deeply or too much is cut."""
        self._left = MOST_VALUES
        return self._value(value, 0)

    def _mask(self, match: re.Match[str]) -> str:
        return self._forms.get(match[0].lower(), "<api_key>")

    def _value(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict | list) and (depth >= MOST_DEPTH or self._left < 0):
            return _TOO_DEEP
        if isinstance(value, dict):
            return {self.text(name): self._named(name, one, depth + 1) for name, one in value.items()}
        if isinstance(value, list):
            return [self._value(one, depth + 1) for one in value[: max(0, self._left)]]
        return self._number(value)

    def _named(self, name: str, value: Any, depth: int) -> Any:
        """A value whose name may say that it is a secret, though it looks like none itself."""
        if isinstance(value, str) and value and _TELLING.search(name):
            counts = redact(harmless(f"{name}={json.dumps(value[:MOST_CHARACTERS])}")).counts
            if kind := next((kind for kind, count in counts.items() if count), ""):
                return f"<{kind}>"
        return self._value(value, depth)

    def _number(self, value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        if isinstance(value, int) and not isinstance(value, bool) and self._pattern:
            digits = str(value)
            return self.text(digits) if self._pattern.search(digits) else value
        return value
