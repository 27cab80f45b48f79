"""`manage.py export_data FILE`: all data as JSON."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.team.transfer import export


class Command(BaseCommand):
    help = "Writes all data as JSON, without passwords and other secrets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("x", encoding="utf-8") as out:
                count = export(out)
        except FileExistsError as error:
            raise CommandError(f"{options['file']} is there already: name another file.") from error
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"written: {options['file']}, {count:,} rows.")
