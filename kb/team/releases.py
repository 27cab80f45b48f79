"""Notes which words that guides cite a release has. A wheel is read as an archive; nothing in it is run."""

import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from kb.guides.models import Release, Tool
from kb.guides.releases.opening import (
    ASKED,
    CannotOpen,
    content,
    downloaded,
    normal,
    refuse_compromised,
    wheel_identity,
)
from kb.team.due import Cited, cited_words
from kb.team.models import ReleaseFile

__all__ = ["ASKED", "CannotNote", "downloaded", "normal", "note_wheel", "refuse_compromised"]

CannotNote = CannotOpen  # a release can't be noted; the message says what to do


DIST_INFO = re.compile(r"-[^/-]+\.dist-info/")


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a release: its digest, and which of the words that were looked for stand in it."""

    sha256: str
    words: dict[str, bool]


def note_wheel(wheel: Path, tool: Tool, package: str, expected: str = "") -> str:
    """Stores which cited words stand in this wheel's files, and says which release that is."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            name, version = wheel_identity(archive, wheel)
            if normal(name) != normal(package):
                raise CannotNote(f"{wheel.name} holds {name or 'something without a name'}, not {package}.")
            known_release(tool, version, expected)
            files = looked_for(archive, version, cited_words(tool))
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise CannotNote(f"{wheel} can't be read as a wheel: {error}") from error
    keep(tool, version, files)
    return version


def known_release(tool: Tool, version: str, expected: str = "") -> None:
    """Raises CannotNote for a release that the tool doesn't list, or that isn't the one asked for."""
    if expected and version != expected:
        raise CannotNote(f"The wheel says that it is {version}, not {expected}.")
    known = list(Release.objects.filter(tool=tool).order_by("position").values_list("version", flat=True))
    if version not in known:
        listed = ", ".join(known) or "none"
        raise CannotNote(
            f"{tool} has no release {version} here (it has {listed}). Add it to the tool's releases first:"
            f" in {tool.slug}/tool.toml and load_content, or in the admin."
        )


def looked_for(archive: zipfile.ZipFile, version: str, rows: Iterable[Cited]) -> dict[str, Found]:
    """Path -> what this release has of it; no digest for a file that it doesn't have."""
    words: dict[str, set[str]] = {}
    for row in rows:
        words.setdefault(row.path, set()).add(row.words)
    names = set(archive.namelist())
    found = {}
    for path, asked in words.items():
        name = as_in(version, path)
        data = content(archive, name) if name in names else b""
        text = data.decode("utf-8", "replace")
        found[path] = Found(
            sha256(data).hexdigest() if name in names else "", {one: one in text for one in asked}
        )
    return found


def as_in(version: str, path: str) -> str:
    """The path as another release has it: a wheel's own facts stand in a folder that names its version."""
    return DIST_INFO.sub(f"-{version}.dist-info/", path)


def keep(tool: Tool, version: str, files: Mapping[str, Found]) -> None:
    """Writes down what wasn't known; a file that is noted again as it was keeps its moment."""
    with transaction.atomic():
        rows = {row.path: row for row in ReleaseFile.objects.filter(tool=tool, version=version)}
        for path, found in files.items():
            row = rows.get(path) or ReleaseFile(tool=tool, version=version, path=path)
            if row.pk and row.sha256 != found.sha256:
                row.noted, row.words = timezone.now(), {}
            words = row.words | found.words
            if not row.pk or (row.sha256, row.words) != (found.sha256, words):
                row.sha256, row.words = found.sha256, words
                row.save()
