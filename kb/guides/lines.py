"""Files of JSON lines, as commands read them."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError


def read_bytes(file: Path | None) -> bytes:
    """The file's bytes, or those of standard input. Raises CommandError if it can't be read."""
    if file is None:
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def rows(raw: bytes, *names: str) -> Iterator[list[Any]]:
    """The named values of each line, empty ones left out. Raises CommandError at the line that lacks one."""
    for number, line in enumerate(raw.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield [row[name] for name in names]
        except (ValueError, KeyError, TypeError) as error:
            form = ", ".join(f'"{name}": …' for name in names)
            raise CommandError(f"Line {number} is not {{{form}}}: {type(error).__name__} {error}") from error
