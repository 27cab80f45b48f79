"""A copy of the whole database in one file, and the way back, by the means of SQLite and of PostgreSQL."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader

Migration = tuple[str, str]

# Empties `public` by what is in it: the schema itself, and what extensions keep there, may be another's.
EMPTY = """DO $$ DECLARE one record; BEGIN
FOR one IN SELECT oid, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace
    AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT EXISTS (
        SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
LOOP
    CONTINUE WHEN NOT EXISTS (SELECT FROM pg_class WHERE oid = one.oid);  -- went with another one
    EXECUTE format('DROP %s %s CASCADE', CASE one.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN
        'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, one.oid::regclass);
END LOOP; END $$"""


class Refused(Exception):
    """It can't be done; the message says what to do instead."""


def back_up(file: Path) -> None:
    """Writes all of the database as it is at one moment; the site may run meanwhile. Raises Refused."""
    if not in_use():
        raise Refused("This database is empty: is DATABASE_URL set as the site has it?")
    if file.exists():
        raise Refused(f"{file} is there already: name another file, or remove it first.")
    if not file.parent.is_dir():
        raise Refused(f"There is no folder {file.parent}: make it first, or name a file in another one.")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)  # both programs write into the empty file, which nobody else may read
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(part)])
    else:
        postgresql("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={part}")
    part.rename(file)


def restore(file: Path, replace: bool) -> None:
    """Makes the database what `file` says; nothing changes unless all of it can be read. Raises Refused."""
    if not file.is_file():
        raise Refused(f"There is no file {file}.")
    read = from_sqlite if connection.vendor == "sqlite" else from_postgresql
    unknown = sorted(set(read(file)) - known_here())
    if unknown:
        app, name = unknown[0]
        raise Refused(
            f"The backup was made by a newer version (it has {app} {name}): install that version first."
        )
    if not replace and in_use():
        raise Refused("There is data in this database: say --replace if the backup is to take its place.")
    put = into_sqlite if connection.vendor == "sqlite" else into_postgresql
    put(file)


def known_here() -> set[Migration]:
    """The migrations that this version has."""
    return set(MigrationLoader(None).disk_migrations)


def in_use() -> bool:
    """Whether the database has tables already."""
    return "django_migrations" in connection.introspection.table_names()


def from_sqlite(file: Path) -> list[Migration]:
    """The migrations in a SQLite file. Raises Refused if it is none, or broken."""
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?immutable=1", uri=True)) as copy:
            if copy.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise Refused(f"{file} is broken.")
            return list(copy.execute("SELECT app, name FROM django_migrations"))
    except sqlite3.Error as error:
        raise Refused(f"{file} is no backup of Culprit on SQLite, or is broken: {error}.") from error


def into_sqlite(file: Path) -> None:
    """Puts a copy of the file where the database is, in one step."""
    database = Path(str(connection.settings_dict["NAME"]))
    part = database.with_name(f"{database.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)  # it holds sessions and hashes of passwords
    shutil.copyfile(file, part)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nothing is lost if this stops before the end
    connection.close()
    for rest in ("-wal", "-shm"):
        database.with_name(f"{database.name}{rest}").unlink(missing_ok=True)
    part.replace(database)


def from_postgresql(file: Path) -> list[Migration]:
    """The migrations in a dump. Raises Refused if it is none, or broken."""
    command = [program("pg_restore"), "--data-only", "--table=django_migrations", "--file=-", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Refused(f"{file} is no backup of Culprit on PostgreSQL, or is broken.")
    rows = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 3]
    if not rows:
        raise Refused(f"{file} is no backup of Culprit: it has no table django_migrations.")
    return [(app, name) for _, app, name, _ in rows]


def into_postgresql(file: Path) -> None:
    """Puts the dump in place of what was there, newer tables too, in one transaction.

    All of the dump is read first: a torn one would be a shorter one to `psql`.
    """
    empty = ["--command=" + EMPTY] if in_use() else []
    connection.close()
    with tempfile.TemporaryDirectory(prefix="culprit-") as folder:
        script = Path(folder) / "dump.sql"
        postgresql("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(file))
        postgresql(
            "psql", "--no-psqlrc", "--quiet", "--output=/dev/null", "--set=ON_ERROR_STOP=1",
            "--single-transaction", "--command=SET client_min_messages = warning", *empty, f"--file={script}",
        )  # fmt: skip


def postgresql(name: str, *options: str) -> None:
    """Runs one of PostgreSQL's programs on our database. Raises Refused with its last words."""
    settings: dict[str, Any] = connection.settings_dict
    environment = {
        "PGHOST": settings["HOST"],
        "PGPORT": settings["PORT"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGDATABASE": settings["NAME"],
    }
    known = {key: str(value) for key, value in environment.items() if value}
    command = [program(name), *options]
    done = subprocess.run(  # noqa: S603
        command, env=os.environ | known, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(f"{name}: {last_words(done.stderr.splitlines())}")


def program(name: str) -> str:
    """Where one of PostgreSQL's programs is. Raises Refused if it isn't there."""
    found = shutil.which(name)
    if found is None:
        raise Refused(
            f"{name} isn't there: install PostgreSQL's client programs (Debian: postgresql-client)."
        )
    return found


def last_words(lines: Sequence[str]) -> str:
    """What went wrong, in the program's words: its last error, else its last line."""
    said = [line for line in lines if line.strip()]
    errors = [line for line in said if "ERROR:" in line]
    return (errors or said or ["it failed without a word"])[-1]
