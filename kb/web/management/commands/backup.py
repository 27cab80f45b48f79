"""`manage.py backup FILE`: the whole database in one file."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.web.backups import Refused, back_up


class Command(BaseCommand):
    help = "Writes the whole database into one file while the site runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            back_up(options["file"])
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        size = options["file"].stat().st_size
        self.stdout.write(
            f"written: {options['file']}, {size:,} bytes. It holds password hashes: keep it safe."
        )
