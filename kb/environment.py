"""Reads the environment into typed values, and refuses what makes no sense."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from kb.probes.target import LOOPBACK, Policy, parse_policy


def refuse(name: str, value: str, expected: str) -> ImproperlyConfigured:
    """The one line that says which value makes no sense and what would. Passwords in it are hidden."""
    shown = value if "@" not in value else f"…@{value.rsplit('@', 1)[1]}"
    return ImproperlyConfigured(f"{name}={shown!r} makes no sense: {expected}.")


def env_bool(name: str, default: bool) -> bool:
    """1, true, yes, on / 0, false, no, off, in any case. Raises ImproperlyConfigured on anything else."""
    value = os.environ.get(name, "").strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    if value:
        raise refuse(name, value, "use 1 or 0")
    return default


def env_hosts(name: str, default: list[str]) -> list[str]:
    """Comma-separated host names without scheme, port or path. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    hosts = [host.strip() for host in value.split(",") if host.strip()]
    for host in hosts:
        if "/" in host or " " in host or (":" in host and not host.startswith("[")):
            raise refuse(name, host, "give host names alone, such as docs.example.com,.example.org")
    return hosts


def env_secret(name: str, file: Path) -> str:
    """A secret of at least 32 characters from NAME, else from `file`, which is made if it isn't there.

    The file keeps sessions alive over a restart of an instance that nobody configured.
    """
    value = os.environ.get(name, "").strip()
    if value:
        if len(value) < 32:
            raise ImproperlyConfigured(f"{name} is too short: use at least 32 random characters.")
        return value
    if not file.exists():
        from django.core.management.utils import get_random_secret_key

        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(get_random_secret_key())
    return file.read_text().strip()


SQLITE_TUNING = {
    # IMMEDIATE takes the write lock at once, so that two writers wait instead of failing midway.
    "transaction_mode": "IMMEDIATE",
    "timeout": 10,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=268435456;"
        " PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
    ),
}


def env_database(name: str, embedded: Path) -> dict[str, Any]:
    """Django's settings for postgresql://user:password@host:port/name or sqlite:///path; unset: embedded.

    Raises ImproperlyConfigured for another scheme, a missing database name or a bad port.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        return sqlite(embedded)
    expected = "use postgresql://user:password@host:5432/name or sqlite:///path/to/file"
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError as error:
        raise refuse(name, value, expected) from error
    path = unquote(url.path)
    if url.scheme == "sqlite" and path.strip("/") and not url.netloc:
        return sqlite(Path(path[1:]))  # three slashes: a relative path; four: an absolute one
    if url.scheme in {"postgresql", "postgres"} and path.strip("/"):
        return postgresql(url.username, url.password, url.hostname, port, path[1:], url.query)
    raise refuse(name, value, expected)


def sqlite(path: Path) -> dict[str, Any]:
    """An embedded database in one file, tuned for many readers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "CONN_MAX_AGE": None,
        "OPTIONS": SQLITE_TUNING,
    }


def postgresql(
    user: str | None,
    password: str | None,
    host: str | None,
    port: int | None,
    database: str,
    query: str,
) -> dict[str, Any]:
    """PostgreSQL through Django's own connection pool; `?host=/path` names a socket's folder."""
    options = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "USER": unquote(user or ""),
        "PASSWORD": unquote(password or ""),
        "HOST": unquote(options.pop("host", "")) or host or "",
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 16, "timeout": 5}, **options},
    }


def env_port(name: str, default: int) -> int:
    """A TCP port. Raises ImproperlyConfigured if it isn't a number from 1 to 65535."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= 65535:
        raise refuse(name, value, "use a number from 1 to 65535")
    return int(value)


def env_targets(name: str) -> Policy:
    """What the checker may call, as kb.probes.target reads it. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "").strip()
    try:
        return parse_policy(value) if value else LOOPBACK
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error
