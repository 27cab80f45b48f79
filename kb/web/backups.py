"""A copy of the whole database in one file, and the way back, by the means of SQLite and of PostgreSQL."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.migrations.loader import MigrationLoader

Migration = tuple[str, str]


class Refused(Exception):
    """It can't be done; the message says what to do instead."""


def back_up(file: Path) -> None:
    """Writes all of the database as it is at one moment; the site may run meanwhile. Raises Refused."""
    if file.exists():
        raise Refused(f"{file} is there already: name another file, or remove it first.")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
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
    shutil.copyfile(file, part)
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
    """Loads the dump in one transaction, over what was there."""
    connection.close()
    postgresql(
        "pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction",
        f"--dbname={connection.settings_dict['NAME']}", str(file),
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


def last_words(lines: Iterable[str]) -> str:
    """What went wrong, in the program's words."""
    return next((line for line in reversed([*lines]) if line.strip()), "it failed without a word")
