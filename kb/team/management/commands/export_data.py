"""`manage.py export_data FILE`: all data as JSON."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.team.transfer import export, migrated


class Command(BaseCommand):
    help = "Writes all data as JSON, without passwords and other secrets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        if not migrated():
            raise CommandError("This database isn't set up for this version: run manage.py migrate first.")
        try:
            with open(options["file"], "x", encoding="utf-8", opener=for_the_owner) as out:
                count = export(out)
        except FileExistsError as error:
            raise CommandError(f"{options['file']} is there already: name another file.") from error
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"written: {options['file']}, {count:,} rows.")


def for_the_owner(path: str, flags: int) -> int:
    """Opens a file that nobody else may read: it holds people's names and addresses."""
    return os.open(path, flags, 0o600)
