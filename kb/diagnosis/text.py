"""A pasted text enters here: made safe, cut to size, freed of secrets, read plainly, fingerprinted.

It decides nothing about errors, and it keeps nothing.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import re2

from kb.diagnosis.canonical import Canonical, canonical
from kb.diagnosis.redaction import KINDS, Redacted, redact, redact_whole

__all__ = [
    "KINDS",
    "MAX_BYTES",
    "Canonical",
    "Redacted",
    "TextTooLarge",
    "canonical",
    "fingerprint",
    "harmless",
    "normal_form",
    "readable",
    "redact",
    "redact_whole",
]

MAX_BYTES = 1_000_000
NORMAL_FORM_CHARACTERS = 2_000

_REPLACEMENT = "\ufffd"
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_CONTROLS = (*(code for code in range(0x20) if chr(code) not in "\t\n\r\x1b"), 0x7F)
_UNSAFE = dict.fromkeys((*_CONTROLS, *_BIDI, *range(0xD800, 0xE000)), _REPLACEMENT)


class TextTooLarge(ValueError):
    """The text has more than MAX_BYTES bytes in UTF-8."""


def readable(text: str) -> str:
    """A text that is `harmless` and small enough to judge. Raises TextTooLarge above MAX_BYTES."""
    if len(text) > MAX_BYTES or _size(text) > MAX_BYTES:
        raise TextTooLarge(f"Paste less: the text has more than {MAX_BYTES:,} bytes.")
    return harmless(text)


def harmless(text: str) -> str:
    r"""Make any str of any size safe to show and store.

    Controls other than \t \n \r ESC, lone surrogates and bidi controls become U+FFFD, one for one;
    `\r\n` becomes `\n`.
    """
    return text.translate(_UNSAFE).replace("\r\n", "\n")


def _size(text: str) -> int:
    """Bytes in UTF-8; encodes only where the number of characters leaves it open."""
    if text.isascii() or len(text) * 4 <= MAX_BYTES:
        return len(text)
    return len(text.encode("utf-8", "surrogatepass"))


# Databases and their like quote whom and what they refused: the mask goes between the groups.
_NAMED = r"\b(?:user|username|role|owner|account|database|host|host ?name|server at) |@"
_MASKS = (
    (rf"((?:{_NAMED})[\"'`])[^\"'`]{{1,64}}([\"'`])", "<id>"),
    (r"<[a-z_]+>|sk-\.{3}[\w-]+|sk-[\w-]*\*+[\w-]*", "<id>"),
    (r"(?:https?|wss?|redis|rediss|postgres|postgresql)://[^\s\"'<>)\]},]+", "<url>"),
    (
        r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?)?"
        r"|\b\d{1,2}:\d\d:\d\d(?:[.,]\d+)?",
        "<time>",
    ),
    (r"(?:\b[a-z]:)(?:[\\/]+[\w.@+~-]+)+|(?:[\w.@+~-]+)?(?:/[\w.@+~-]+){2,}", "<path>"),
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<id>"),
    (r"\b0x[0-9a-f]+\b", "<id>"),
    (r"\b[a-z]+[_-][\w-]*\d[\w-]*", "<id>"),
    (r"\$?\b\d+(?:[.,]\d+)*(?:e[+-]?\d+)?", "<n>"),
    (r"\w*\d\w*", "<id>"),
)  # fmt: skip


def normal_form(text: str) -> str:
    """What stays of a text when all that varies between two occurrences is masked.

    Lower case, at most NORMAL_FORM_CHARACTERS characters: of a longer one its two ends, since an
    answer says what happened first and a traceback last.
    """
    plain = canonical(text).text.strip()
    half = NORMAL_FORM_CHARACTERS // 2
    reach = 8 * half
    if len(plain) <= 2 * reach:
        masked = _masked(plain)
        if len(masked) <= NORMAL_FORM_CHARACTERS:
            return masked
        return masked[:half] + masked[-half:]
    return _masked(plain[:reach])[:half] + _masked(plain[-reach:])[-half:]


def _masked(plain: str) -> str:
    low = plain.lower().encode("utf-8", "replace")  # in a str, re2 counts the letters before each find
    for pattern, mask in _MASKS:
        low = re2.sub(pattern, _always(mask), low)
    return low.decode()


def _always(mask: str) -> Callable[[Any], bytes]:
    """A function of any find, which keeps its groups; a plain mask would be a template, read at each find."""
    encoded = mask.encode()
    return lambda found: encoded.join(found.groups()) or encoded


def fingerprint(text: str) -> str:
    """`v1:` and 16 hex digits; equal for two renderings of one error. `text` is `readable()`."""
    digest = hashlib.sha256(normal_form(text).encode("utf-8", "replace")).hexdigest()
    return f"v1:{digest[:16]}"
