"""Notes the files of a release that guides cite. A wheel is read as an archive; nothing in it is ever run."""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.parser import HeaderParser
from hashlib import sha256
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from kb.guides.models import Release, Tool
from kb.team.due import cited_files
from kb.team.models import ReleaseFile

# Releases that are reported as compromised: not even read.
COMPROMISED = {"litellm": {"1.82.7", "1.82.8", "1.107.0"}}
ASKED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9.+!_-]*)")
LARGEST = 64_000_000  # bytes of one file in a wheel, unpacked
METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
DOWNLOAD = ("pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check")
PATIENCE = 600  # seconds for a download


class CannotNote(Exception):
    """A release can't be noted; the message says what to do."""


def normal(name: str) -> str:
    """A package's name as all its spellings come to."""
    return re.sub(r"[-_.]+", "-", name).lower()


def plain(version: str) -> str:
    """A version as all its spellings come to: v1.82.07.0+local is 1.82.7."""
    parts = [
        part.lstrip("0") or "0" for part in version.strip().lower().removeprefix("v").split("+")[0].split(".")
    ]
    while len(parts) > 1 and parts[-1] == "0":
        parts.pop()
    return ".".join(parts)


def refuse_compromised(package: str, version: str) -> None:
    """Raises CannotNote for a release that is reported as compromised, however its number is written."""
    if plain(version) in map(plain, COMPROMISED.get(normal(package), ())):
        raise CannotNote(
            f"{package} {version} is reported as compromised. Don't use it; note another release."
        )


def note_wheel(wheel: Path, tool: Tool, package: str, expected: str = "") -> str:
    """Stores the digest of each cited file as this wheel has it, and says which release that is."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            name, version = identity(archive)
            refuse_compromised(name, version)
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


def identity(archive: zipfile.ZipFile) -> tuple[str, str]:
    """Name and version as the wheel's own metadata says them; its file name may lie."""
    found = [name for name in archive.namelist() if METADATA.fullmatch(name)]
    if len(found) != 1:
        raise CannotNote("This archive is no wheel: it has no METADATA of its own. Give a .whl file.")
    headers = HeaderParser().parsestr(content(archive, found[0]).decode("utf-8", "replace"))
    return headers.get("Name", "").strip(), headers.get("Version", "").strip()


def digests(archive: zipfile.ZipFile, paths: Iterable[str]) -> dict[str, str]:
    """Path -> digest; empty for a file that the archive doesn't have."""
    names = set(archive.namelist())
    return {path: sha256(content(archive, path)).hexdigest() if path in names else "" for path in paths}


def content(archive: zipfile.ZipFile, name: str) -> bytes:
    """One file, however it is packed, unless it is beyond all measure."""
    with archive.open(name) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise CannotNote(f"{name} has more than {LARGEST:,} bytes. That is no file that a guide cites.")
    return data


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


@contextmanager
def downloaded(package: str, version: str) -> Iterator[Path]:
    """The wheel of a release, fetched by pip and thrown away afterwards; neither built nor installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", *DOWNLOAD, f"{package}=={version}", "--dest", folder]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise CannotNote(f"{package} {version} could not be fetched in {PATIENCE} seconds.") from error
        wheel = next(Path(folder).glob("*.whl"), None)
        if done.returncode or wheel is None:
            said = done.stderr.strip().splitlines()[-1:] or ["pip says nothing"]
            raise CannotNote(f"{package} {version} could not be fetched as a wheel: {said[0]}")
        yield wheel
