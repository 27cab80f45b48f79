"""A made-up release, small enough to be read at a glance."""

import zipfile
from pathlib import Path

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n"


def wheel(folder: Path, files: dict[str, str], name: str = "gate", version: str = "1.0") -> Path:
    """A wheel with these files."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
        archive.writestr(f"{name}-{version}.dist-info/METADATA", METADATA.format(name=name, version=version))
    return path


def unpacked(folder: Path, files: dict[str, str], name: str = "gate", version: str = "1.0") -> Path:
    """The same as a folder."""
    with zipfile.ZipFile(wheel(folder, files, name, version)) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"
