"""`manage.py restore FILE`: the database as a backup says, brought up to this version."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.web.backups import Refused, restore


class Command(BaseCommand):
    help = "Puts a backup in place of the database and brings it up to this version. Stop the site first."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="over a database that has data")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restore(options["file"], options["replace"])
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write(f"restored from {options['file']}.")
