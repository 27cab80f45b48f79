"""`manage.py check_content`: every contract on content, by file and line."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from kb.guides import contracts
from kb.guides.library import read_tools
from kb.guides.source import ContentError


class Command(BaseCommand):
    help = "Checks the content files; exits with 1 if anything is wrong."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", help="show the problems of these files only")
        parser.add_argument("--wheels", type=Path, help="folder with releases to hold sources against")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = contracts.check(read_tools(settings.CONTENT_DIR), options["wheels"])
        except ContentError as error:
            found = error.problems
        names = [Path(name).name for name in options["files"]]
        found = [problem for problem in found if not names or Path(problem.path).name in names]
        for problem in found:
            self.stdout.write(str(problem))
        if found:
            self.stderr.write("1 problem." if len(found) == 1 else f"{len(found)} problems.")
            raise SystemExit(1)
        self.stdout.write("The content is as it must be.")
