"""Notes the files of a release that guides cite. A wheel is read as an archive; nothing in it is ever run."""

import zipfile
from collections.abc import Iterable
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
from kb.team.due import cited_files
from kb.team.models import ReleaseFile

__all__ = ["ASKED", "CannotNote", "downloaded", "normal", "note_wheel", "refuse_compromised"]

CannotNote = CannotOpen  # a release can't be noted; the message says what to do


def note_wheel(wheel: Path, tool: Tool, package: str, expected: str = "") -> str:
    """Stores the digest of each cited file as this wheel has it, and says which release that is."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            name, version = wheel_identity(archive, wheel)
            if normal(name) != normal(package):
                raise CannotNote(f"{wheel.name} holds {name or 'something without a name'}, not {package}.")
            known_release(tool, version, expected)
            files = digests(archive, {row.path for row in cited_files(tool)})
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


def digests(archive: zipfile.ZipFile, paths: Iterable[str]) -> dict[str, str]:
    """Path -> digest; empty for a file that the archive doesn't have."""
    names = set(archive.namelist())
    return {path: sha256(content(archive, path)).hexdigest() if path in names else "" for path in paths}


def keep(tool: Tool, version: str, files: dict[str, str]) -> None:
    """Writes down what wasn't known; a file that is noted again as it was keeps its moment."""
    with transaction.atomic():
        rows = {row.path: row for row in ReleaseFile.objects.filter(tool=tool, version=version)}
        for path, digest in files.items():
            row = rows.get(path)
            if row is None:
                ReleaseFile.objects.create(tool=tool, version=version, path=path, sha256=digest)
            elif row.sha256 != digest:
                row.sha256, row.noted = digest, timezone.now()
                row.save()
