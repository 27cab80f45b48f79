"""Opens a release to be read: a wheel, a folder, or a version that pip fetches. Nothing in it is run."""

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import HeaderParser
from pathlib import Path

# Releases that are reported as compromised: not even read.
COMPROMISED = {"litellm": {"1.82.7", "1.82.8", "1.107.0"}}
ASKED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9.+!_-]*)")
LARGEST = 64_000_000  # bytes of one file, unpacked
METADATA = re.compile(r"[^/]+\.dist-info/METADATA")
DOWNLOAD = ("pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check")
PATIENCE = 600  # seconds for a download


class CannotOpen(Exception):
    """A release can't be read; the message says what to do."""


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
    """Raises CannotOpen for a release that is reported as compromised, however its number is written."""
    if plain(version) in map(plain, COMPROMISED.get(normal(package), ())):
        raise CannotOpen(f"{package} {version} is reported as compromised. Don't use it; take another one.")


def opened(asked: str) -> tuple[str, str, dict[str, bytes]]:
    """(package, version, path -> source of its Python files) of `litellm==1.2.3`, a wheel or a folder."""
    found = ASKED.fullmatch(asked)
    if found:
        refuse_compromised(found[1], found[2])
        with downloaded(found[1], found[2]) as wheel:
            return opened_wheel(wheel)
    path = Path(asked)
    if path.is_dir():
        return opened_folder(path)
    if path.suffix == ".whl" and path.is_file():
        return opened_wheel(path)
    raise CannotOpen(f"{asked} is neither package==version nor a wheel nor a folder with an unpacked one.")


def opened_wheel(wheel: Path) -> tuple[str, str, dict[str, bytes]]:
    """The Python files of a wheel, read as an archive."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = sorted(archive.namelist())
            package, version = wheel_identity(archive, wheel)
            return package, version, {name: content(archive, name) for name in names if name.endswith(".py")}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise CannotOpen(f"{wheel} can't be read as a wheel: {error}") from error


def opened_folder(folder: Path) -> tuple[str, str, dict[str, bytes]]:
    """The Python files of an unpacked wheel."""
    found = {
        f"{file.parent.name}/METADATA": file.read_bytes() for file in folder.glob("*.dist-info/METADATA")
    }
    package, version = identity(found, folder)
    files = sorted(file for file in folder.rglob("*.py") if file.is_file())
    return package, version, {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def wheel_identity(archive: zipfile.ZipFile, wheel: Path) -> tuple[str, str]:
    """Name and version of a wheel that is open. Raises CannotOpen where it is none, or a compromised one."""
    names = [name for name in archive.namelist() if METADATA.fullmatch(name)]
    return identity({name: content(archive, name) for name in names}, wheel)


def identity(metadata: dict[str, bytes], where: Path) -> tuple[str, str]:
    """Name and version as the release's own metadata says them; its file name may lie."""
    if len(metadata) != 1:
        raise CannotOpen(f"{where} is no wheel: it must have one *.dist-info/METADATA of its own.")
    headers = HeaderParser().parsestr(next(iter(metadata.values())).decode("utf-8", "replace"))
    package, version = headers.get("Name", "").strip(), headers.get("Version", "").strip()
    refuse_compromised(package, version)
    return package, version


def content(archive: zipfile.ZipFile, name: str) -> bytes:
    """One file, however it is packed, unless it is beyond all measure."""
    with archive.open(name) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise CannotOpen(f"{name} has more than {LARGEST:,} bytes. That is no file to be read.")
    return data


@contextmanager
def downloaded(package: str, version: str) -> Iterator[Path]:
    """The wheel of a release, fetched by pip and thrown away afterwards; neither built nor installed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", *DOWNLOAD, f"{package}=={version}", "--dest", folder]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise CannotOpen(f"{package} {version} could not be fetched in {PATIENCE} seconds.") from error
        wheel = next(Path(folder).glob("*.whl"), None)
        if done.returncode or wheel is None:
            said = done.stderr.strip().splitlines()[-1:] or ["pip says nothing"]
            raise CannotOpen(f"{package} {version} could not be fetched as a wheel: {said[0]}")
        yield wheel
