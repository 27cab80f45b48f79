"""`manage.py export_content`: the database's guides back into content files."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

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
        exported = export(options["folder"])
        for file in exported.written:
            self.stdout.write(f"written: {file}")
        for file in exported.without_text:
            self.stderr.write(f"no text yet: {file}. Run load_content first, then export again.")
        for file in exported.conflicts:
            self.stderr.write(f"changed on disk: {file}. It was left as it is.")
        if exported.conflicts:
            raise CommandError(
                f"{len(exported.written)} files written, {len(exported.conflicts)} not, since they hold words"
                " that the database never loaded. Run load_content to bring those in, or move the files away,"
                " then export again."
            )
        self.stdout.write(f"{len(exported.written)} files written; the others stay as they are.")
