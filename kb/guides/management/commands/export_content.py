"""`manage.py export_content`: the database's guides back into content files."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from kb.guides.exporting import export


class Command(BaseCommand):
    help = "Writes every published guide to its file, byte for byte as it was loaded or edited."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder",
            nargs="?",
            type=Path,
            default=settings.CONTENT_DIR,
            help="default: where content comes from",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        written = export(options["folder"])
        for file in written:
            self.stdout.write(f"written: {file}")
        self.stdout.write(f"{len(written)} files written; the others were as they must be.")
