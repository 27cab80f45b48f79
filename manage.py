#!/usr/bin/env python
"""Runs Culprit's commands."""

import os
import sys


def main() -> None:
    """Says in one line what is wrong with the environment or the database."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    try:
        import kb.settings  # noqa: F401
    except ImproperlyConfigured as error:
        sys.exit(f"culprit: {error}")
    try:
        execute_from_command_line(sys.argv)
    except (OperationalError, ProgrammingError) as error:
        if "--traceback" in sys.argv:
            raise
        why = str(error).partition("\n")[0]
        sys.exit(
            f"culprit: the database is away, locked, or not set up for this version ({why}):"
            " check DATABASE_URL, then run manage.py migrate."
        )


if __name__ == "__main__":
    main()
