"""Turns the bytes of an answer into JSON or text, within bounds. It opens nothing and keeps no secret out."""

import json
import zlib
from typing import Any

MOST_BYTES = 2_000_000
_LONGEST_NUMBER = 300


class TooLarge(ValueError):
    """The answer has more bytes than it may have, as sent or unpacked, or more values."""


class Unreadable(ValueError):
    """The answer is packed in a way that nobody asked for, or broken."""


def unpacked(data: bytes, encoding: str, most: int = MOST_BYTES) -> bytes:
    """Undo `Content-Encoding`, which some servers apply unasked. Raises TooLarge above `most`, Unreadable."""
    if encoding.strip().lower() in {"", "identity"}:
        return data
    if encoding.strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        raise Unreadable(encoding)
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        plain = unpacker.decompress(data, most + 1)
    except zlib.error as problem:
        raise Unreadable("broken compression") from problem
    if len(plain) > most:
        raise TooLarge
    return plain


def parsed(data: bytes) -> Any:
    """JSON as Python values, numbers always finite; where it is none, the text itself.

    NaN, Infinity, 1e400 and numbers of more than 300 digits become strings: they are no numbers that
    anything can be compared with, and no strict JSON either.
    """
    text = data.decode("utf-8-sig", "replace")
    try:
        return json.loads(text, parse_constant=str, parse_float=_float, parse_int=_int)
    except (ValueError, RecursionError):
        return text


def _float(text: str) -> float | str:
    if len(text) > _LONGEST_NUMBER or abs(float(text)) == float("inf"):
        return text[:40]
    return float(text)


def _int(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_NUMBER else text[:40]
