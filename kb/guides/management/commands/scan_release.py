"""`manage.py scan_release`: what a release can say to its users, read from its code."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.guides.library import read_tools
from kb.guides.releases import table
from kb.guides.releases.comparing import Changed, Difference, compare, plain
from kb.guides.releases.opening import CannotOpen, normal, opened
from kb.guides.releases.row import Row
from kb.guides.releases.scanning import scan


class Command(BaseCommand):
    help = "Lists the errors and log lines that a release can print, from its code; nothing in it is run."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("release", nargs="*", help="PACKAGE==VERSION, a .whl file, or an unpacked wheel")
        parser.add_argument(
            "--diff",
            nargs=2,
            metavar=("OLD", "NEW"),
            help="what changed between two releases of the tool's table",
        )
        parser.add_argument("--write", action="store_true", help="keep what was found in the tool's table")
        parser.add_argument("--tool", default="", help="the tool's slug, where it isn't the package's name")
        parser.add_argument("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["diff"]:
                self.differ(options["diff"][0], options["diff"][1], options)
            elif options["release"]:
                self.scan(options)
            else:
                raise CommandError("Name a release, such as litellm==1.84.0, or give --diff OLD NEW.")
        except (CannotOpen, table.BadTable) as error:
            raise CommandError(str(error)) from error

    def scan(self, options: dict[str, Any]) -> None:
        """Reads each release that was named; writes them down, or lists what they say."""
        found: dict[str, list[Row]] = {}
        tool = options["tool"]
        for asked in options["release"]:
            package, version, files = opened(asked)
            tool = tool or normal(package)
            found[version] = scan(files)
        if options["write"]:
            self.keep(tool, found)
        elif options["json"]:
            for version, rows in found.items():
                self.lines({"version": version} | plain(row) for row in rows)
        else:
            for version, rows in found.items():
                self.listed(version, rows)

    def keep(self, tool: str, found: dict[str, list[Row]]) -> None:
        """Brings releases into the tool's table; the others in it stay."""
        source = next((one for one in read_tools(settings.CONTENT_DIR) if one.slug == tool), None)
        if source is None:
            raise CommandError(f"There is no tool {tool!r} in {settings.CONTENT_DIR}. Give one with --tool.")
        unknown = [version for version in found if version not in source.versions]
        if unknown:
            raise CommandError(f"Add {', '.join(unknown)} to versions in {tool}/tool.toml first.")
        known = table.read(source.folder)
        scans = {version: known.rows(version) for version in known.versions} | found
        made = table.made(scans, source.versions)
        file = source.folder / table.NAME
        file.write_text(table.written(made), "utf-8")
        for version, rows in found.items():
            self.stdout.write(f"{version}: {len(rows)} texts. {file.name} holds {', '.join(made.versions)}.")

    def listed(self, version: str, rows: list[Row]) -> None:
        """Readable: by area, with file and line."""
        areas = Counter(row.area for row in rows)
        for area in sorted(areas):
            self.stdout.write(f"{area} ({areas[area]})")
            for row in rows:
                if row.area == area:
                    self.stdout.write(f"  {shown(row)}")
        self.stdout.write(f"{version}: {len(rows)} texts in {len(areas)} areas.")

    def differ(self, old: str, new: str, options: dict[str, Any]) -> None:
        """What changed from one release of the table to another."""
        known = table.read(Path(settings.CONTENT_DIR) / (options["tool"] or "litellm"))
        for version in (old, new):
            if version not in known.versions:
                listed = ", ".join(known.versions) or "none"
                raise CommandError(
                    f"{version} isn't in the table, which holds {listed}. Scan it with --write."
                )
        found = compare(known.rows(old), known.rows(new))
        if options["json"]:
            self.lines([{"old": old, "new": new} | found.as_object()])
        else:
            self.readable(found, old, new)

    def readable(self, found: Difference, old: str, new: str) -> None:
        """A diff to be read."""
        self.block(f"New in {new}", (f"+ {shown(row)}" for row in found.new))
        self.block(f"Gone since {old}", (f"- {shown(row)}" for row in found.gone))
        self.block("Reworded", (f"{was_and_is(one)}" for one in found.reworded))
        self.block("Another status or type", (f"{facts_changed(one)}" for one in found.restated))
        counts = (len(found.new), len(found.gone), len(found.reworded), len(found.restated))
        self.stdout.write("{} new, {} gone, {} reworded, {} with another status or type.".format(*counts))

    def block(self, title: str, rows: Iterable[str]) -> None:
        """A titled list; nothing where there is none."""
        shown_rows = list(rows)
        if shown_rows:
            self.stdout.write(f"{title}:")
        for row in shown_rows:
            self.stdout.write(f"  {row}")

    def lines(self, rows: Iterable[Any]) -> None:
        """One JSON object a line."""
        for row in rows:
            self.stdout.write(json.dumps(row, ensure_ascii=False, sort_keys=True))


def place(row: Row) -> str:
    """File, line where it is known, and function."""
    line = f":{row.line}" if row.line else ""
    return f"{row.path}{line} {row.function or '-'}"


def facts(row: Row) -> str:
    """Class or level, status and type."""
    return " ".join(str(part) for part in (row.raised, row.status, row.error_type) if part) or row.kind


def shown(row: Row) -> str:
    """A row on one line."""
    return f"{place(row)}: {facts(row)}: {table.escaped(row.text)}".rstrip(": ")


def was_and_is(one: Changed) -> str:
    """A text as it was and as it is."""
    before, after = table.escaped(one.before.text), table.escaped(one.after.text)
    return f"{place(one.after)} ({one.likeness:.2f})\n    - {before}\n    + {after}"


def facts_changed(one: Changed) -> str:
    """Status and type as they were and as they are."""
    return (
        f"{place(one.after)}: {facts(one.before)} is now {facts(one.after)}: {table.escaped(one.after.text)}"
    )
