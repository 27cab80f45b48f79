"""`manage.py db_worker`: the queue's own worker, which also looks each minute for what was left behind."""

import logging
import threading
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections
from django_tasks_db.management.commands import db_worker

from kb.notices.tasks import sweep

EVERY = 60.0  # seconds


class Command(db_worker.Command):
    requires_system_checks = []  # the server has made them
    help = "Sends notices; run one or more beside the server (manage.py serve starts one)."

    def handle(self, **options: Any) -> None:
        """Sweeps before the first task, then beside them. Ends in one line where the database is away."""
        try:
            sweep()
            if not options["batch"]:
                threading.Thread(target=keep_sweeping, daemon=True, name="sweep").start()
            super().handle(**options)
        except DatabaseError as problem:
            kind = type(problem).__name__
            raise CommandError(
                f"The database is away, locked or not migrated ({kind}): start again."
            ) from None


def keep_sweeping(ended: threading.Event | None = None) -> None:
    """A sweep each minute, until the process ends; one that fails is tried again a minute later."""
    ended = ended or threading.Event()
    while not ended.wait(EVERY):
        close_old_connections()
        try:
            sweep()
        except DatabaseError as problem:
            logging.getLogger("kb.notices").warning("The sweep failed (%s).", type(problem).__name__)
