"""`manage.py remind`: tells of guides whose review date has passed."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from kb.team.due import remind


class Command(BaseCommand):
    help = "Tells of each guide that became overdue, once; run it daily."

    def handle(self, *args: Any, **options: Any) -> None:
        notes = remind(timezone.localdate())
        for note in notes:
            self.stdout.write(f"overdue: {note.guide.slug}, owner: {note.owner_name or 'nobody'}")
        self.stdout.write(f"{len(notes)} reminders given." if len(notes) != 1 else "1 reminder given.")
