#!/usr/bin/env python
"""Runs Culprit's commands."""

import os
import sys


def main() -> None:
    """Refuses an environment that makes no sense in one line, before anything starts."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        import kb.settings  # noqa: F401
    except ImproperlyConfigured as error:
        sys.exit(f"culprit: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
