"""`manage.py import_data FILE`: an export into an empty instance."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.team.transfer import Refused, take_in


class Command(BaseCommand):
    help = "Takes in an export: all of it or, if anything is wrong, nothing. The instance must be empty."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = take_in(options["file"].read_text(encoding="utf-8"))
        except (Refused, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{count:,} rows taken in. People sign in through the identity provider, or an administrator"
            " gives them a password; webhooks need their addresses again."
        )
