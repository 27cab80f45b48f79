"""The table of releases: the same wheel gives the same bytes; what is written is read again; what changed."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as ours
from django.core.management import CommandError, call_command

from kb.guides.releases import table
from kb.guides.releases.comparing import compare
from kb.guides.releases.opening import CannotOpen, opened, opened_wheel
from kb.guides.releases.row import Row
from kb.guides.releases.scanning import scan
from tests.guides import files as guides
from tests.guides.releases.sources import unpacked, wheel

OLD = {
    "gate/key.py": """
def check(key):
    raise HTTPException(status_code=400, detail=f"Key {key} is spent, ask your admin")

def look(key):
    raise ValueError("No such key in the shop")

def wait(key):
    raise ValueError("Please wait for the other key")
"""
}
NEW = {
    "gate/key.py": """
def check(key):
    raise HTTPException(status_code=429, detail=f"Key {alias} is spent, ask your admin")

def look(key):
    raise ValueError("No such key in the whole shop")

def count(key):
    raise ValueError("Too many coins were thrown in at once")
"""
}
ODD = "gate/odd.py", 'def say():\n    raise ValueError("a\\\\nb\\nc\\td is odd ")\n'
WHEELS = Path(ours.BASE_DIR) / "var" / "wheels"


@pytest.fixture
def content(tmp_path: Path, settings: Any) -> Path:
    settings.CONTENT_DIR = guides.two(tmp_path / "content")
    return Path(settings.CONTENT_DIR)


def run(*args: str) -> str:
    out = StringIO()
    call_command("scan_release", *args, stdout=out)
    return out.getvalue()


def write_both(folder: Path) -> None:
    run(str(wheel(folder, OLD)), str(wheel(folder, NEW, version="2.0")), "--write")


def test_the_same_wheel_gives_the_same_bytes(tmp_path: Path, content: Path) -> None:
    write_both(tmp_path)
    first = (content / "gate" / table.NAME).read_bytes()
    run(str(wheel(tmp_path, NEW, version="2.0")), "--write")
    assert (content / "gate" / table.NAME).read_bytes() == first
    assert b"releases a=1.0 b=2.0\ngate/key.py\n check\n" in first
    assert b"  a !HTTPException:400 Key {key} is spent, ask your admin\n" in first


def test_a_table_is_read_as_it_was_written() -> None:
    scans = {
        "1": scan({"gate/key.py": OLD["gate/key.py"].encode(), ODD[0]: ODD[1].encode()}),
        "2": [],
        "3": [],
    }
    scans["3"] = scans["1"][:2]
    made = table.made(scans, ["1", "2", "3"])
    again = table.parsed(table.written(made))
    assert again == made
    assert "a\\nb\nc\td is odd " in [row.text for row in again.rows("1")]
    assert [row.text for row in again.rows("3")] == [row.text for row in scans["1"][:2]]
    assert again.newest == "3"


def test_a_line_that_makes_no_sense_is_named() -> None:
    with pytest.raises(table.BadTable, match="line 3"):
        table.parsed("releases a=1\ngate/key.py\n  a ?nothing of the kind\n")


def test_a_release_is_the_same_from_a_wheel_and_from_a_folder(tmp_path: Path) -> None:
    package, version, files = opened(str(unpacked(tmp_path, OLD)))
    assert (package, version) == ("gate", "1.0")
    assert scan(files) == scan(opened_wheel(wheel(tmp_path, OLD))[2])


def test_what_changed_is_told(tmp_path: Path, content: Path) -> None:
    write_both(tmp_path)
    told = run("--diff", "1.0", "2.0", "--tool", "gate")
    assert "New in 2.0:\n  + gate/key.py count: ValueError: Too many coins were thrown in at once" in told
    assert "Gone since 1.0:\n  - gate/key.py wait: ValueError: Please wait for the other key" in told
    assert "    - No such key in the shop\n    + No such key in the whole shop" in told
    assert "HTTPException 400 is now HTTPException 429: Key {alias} is spent, ask your admin" in told
    found = json.loads(run("--diff", "1.0", "2.0", "--tool", "gate", "--json"))
    assert [len(found[name]) for name in ("new", "gone", "reworded", "restated")] == [1, 1, 1, 1]


def test_a_text_that_moved_is_no_change() -> None:
    one = Row("gate/a.py", "f", "raise", "ValueError", 0, "", "The {key} is spent")
    two = Row("gate/b.py", "g", "raise", "ValueError", 0, "", "The {name} is spent")
    found = compare([one], [two])
    assert (found.new, found.gone, found.reworded, found.restated) == ([], [], [], [])


def test_a_word_of_the_type_that_came_or_went_is_told() -> None:
    def word(name: str) -> Row:
        return Row("gate/types.py", "ProxyErrorTypes", "type", "", 0, name, "")

    found = compare([word("auth_error"), word("old_error")], [word("auth_error"), word("new_error")])
    assert [row.error_type for row in found.new] == ["new_error"]
    assert [row.error_type for row in found.gone] == ["old_error"]
    assert (found.reworded, found.restated) == ([], [])


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8", "1.107.0", "1.82.07"])
def test_a_compromised_release_is_not_read(tmp_path: Path, version: str) -> None:
    with pytest.raises(CommandError, match="reported as compromised"):
        run(f"litellm=={version}")
    with pytest.raises(CannotOpen, match="reported as compromised"):
        opened(str(wheel(tmp_path, OLD, "litellm", version)))


def test_what_is_no_release_is_refused_in_words(tmp_path: Path, content: Path) -> None:
    with pytest.raises(CommandError, match="neither package==version nor a wheel"):
        run(str(tmp_path / "nowhere"))
    with pytest.raises(CommandError, match=r"Add 3\.0 to versions in gate/tool\.toml"):
        run(str(wheel(tmp_path, OLD, version="3.0")), "--write")
    with pytest.raises(CommandError, match="isn't in the table, which holds none"):
        run("--diff", "1.0", "2.0", "--tool", "gate")


def test_a_release_is_listed_by_area_with_lines(tmp_path: Path) -> None:
    told = run(str(wheel(tmp_path, OLD)))
    assert "sdk (3)" in told
    assert "gate/key.py:3 check: HTTPException 400: Key {key} is spent, ask your admin" in told
    assert json.loads(run(str(wheel(tmp_path, OLD)), "--json").splitlines()[0])["version"] == "1.0"


def wheels() -> Iterator[Path]:
    """Real wheels, where somebody put some."""
    return WHEELS.glob("litellm-*.whl")


@pytest.mark.skipif(
    not any(wheels()), reason="put wheels of LiteLLM into var/wheels/ to hold its table against"
)
def test_the_table_that_is_kept_is_what_the_wheels_say() -> None:
    known = table.read(Path(ours.CONTENT_DIR) / "litellm")
    for path in wheels():
        _, version, files = opened_wheel(path)
        alone = table.made({version: scan(files)}, [version])
        assert known.rows(version) == alone.rows(version)


def test_more_releases_than_letters_are_kept(tmp_path: Path) -> None:
    versions = [f"1.{number}" for number in range(60)]
    scans = {
        version: scan({"gate/a.py": f"raise ValueError('Door {version} is shut')".encode()})
        for version in versions
    }
    always = scan({"gate/b.py": b"raise ValueError('The house is shut')"})
    made = table.made({version: rows + always for version, rows in scans.items()}, versions)
    assert table.parsed(table.written(made)) == made
