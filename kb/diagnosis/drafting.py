"""From a text that nothing recognises to the beginning of a signature: the words in it that stay the same."""

import re

from kb.diagnosis.canonical import Canonical
from kb.diagnosis.text import normal_form

MOST = 4  # literals that a draft begins with
SHORTEST = 12  # characters of one
LONGEST = 200
SAMPLE = 4_000  # characters of a text that a draft keeps
_MASK = re.compile(r"<(?:id|url|time|path|n|[a-z]+_[a-z_]+)>")
# Quotes and brackets around words change from one transport to the next; an apostrophe in a word stays.
_WRAPPING = re.compile(r"""[{}\[\]"\n]+|(?<![^\W\d_])'+|'+(?![^\W\d_])|\\+""")
_EDGE = " \t.,:;=-()<>|`*'"
# What stands around any error and tells nothing.
_EVERYWHERE = re.compile(
    r"traceback \(most recent call last\)?|during handling of the above exception|exception occured"
    r"|error code|litellm proxy:error|the above exception was the direct cause|internal server error"
)
_CODE = (" raise ", " return ", " await ", " try:", " import ", " in __", " file ")  # of a stack on one line
_FRAMES = ("file ", "at ", "raise ", "traceback", "during handling", "the above exception")


def literals(text: str) -> list[str]:
    """Stretches of a text without ids, numbers, times, paths and quotes, in their order; the longest ones.

    `text` is `readable()` and redacted, or a normal form. Each occurs in it for the matcher.
    """
    plain = Canonical(text).unwrapped
    for part in (_telling(plain), plain):
        found = list(dict.fromkeys(_stable(part)))
        if found:
            kept = sorted(found, key=len, reverse=True)[:MOST]
            return [piece for piece in found if piece in kept]
    return []


def sample(text: str) -> str:
    """A text short enough for a guide: of a long one what stands around its telling line."""
    if len(text) <= SAMPLE:
        return text.strip()
    place = max(0, text.rfind(_telling(text)) - SAMPLE // 2)
    return text[place : place + SAMPLE].strip()


def _telling(text: str) -> str:
    """The line that says most of an error: the last that speaks of one, else the last."""
    lines = [line for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not line.strip().lower().startswith(_FRAMES)]
    errors = [line for line in said if "error" in line.lower() or "exception" in line.lower()]
    return (errors or said or lines or [""])[-1]


def _stable(part: str) -> list[str]:
    """The stretches of a part between what varies, in the letters that it has them in."""
    low = " ".join(part.split())
    masked = _MASK.split(normal_form(low)) if len(low) <= SAMPLE else []
    words = [piece for stretch in masked for piece in _WRAPPING.split(stretch)]
    pieces = [piece.strip(_EDGE) for word in words for piece in _EVERYWHERE.split(word)]
    told = [piece for piece in pieces if _tells(piece)]
    said = [piece for piece in told if not any(code in f" {piece}" for code in _CODE)]
    return [_as_written(piece[:LONGEST].strip(_EDGE), low) for piece in said or told]


def _tells(piece: str) -> bool:
    """Whether a stretch is long enough to tell an error."""
    words = re.findall(r"[^\W\d_]{2,}", piece)
    return len(piece) >= SHORTEST and len(words) >= 2


def _as_written(piece: str, text: str) -> str:
    """A stretch of a normal form in the text's own letters."""
    place = text.lower().find(piece)
    return text[place : place + len(piece)] if place >= 0 else piece
