"""`manage.py load_content`: content files into the database."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from kb.guides.coverage import renew
from kb.guides.loading import load
from kb.guides.matching import NotLoaded, require_tables
from kb.guides.source import ContentError


class Command(BaseCommand):
    help = "Loads the content files: all of them or, if anything is wrong, none."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_tables()
            loaded = load(settings.CONTENT_DIR)
        except NotLoaded as error:
            raise CommandError(str(error)) from error
        except ContentError as error:
            raise CommandError(f"{error}\nNothing was loaded.") from error
        for word in ("added", "changed", "retired"):
            for slug in getattr(loaded, word):
                self.stdout.write(f"{word}: {slug}")
        for slug in loaded.conflicts:
            self.stderr.write(
                f"edited twice: {slug}, in its file and in the browser. The browser's words stay;"
                " compare both on the guide's history page."
            )
        for problem in loaded.unread:
            self.stderr.write(f"left as it was: {problem}. Correct it in its editor.")
        counts = (len(loaded.added), len(loaded.changed), len(loaded.retired), loaded.unchanged)
        self.stdout.write("{} added, {} changed, {} retired, {} unchanged.".format(*counts))
        for slug in renew():
            self.stdout.write(f"counted: which errors of {slug} have a guide")
