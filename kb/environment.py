"""Reads the environment into typed values, and refuses what makes no sense."""

import os
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from kb.probes.credential import Credential
from kb.probes.model import Llm
from kb.probes.target import LOOPBACK, Policy, parse_policy
from kb.team.roles import Role


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
    options = dict(parse_qsl(query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": database,
        "USER": unquote(user or ""),
        "PASSWORD": unquote(password or ""),
        "HOST": options.pop("host", "") or host or "",
        "PORT": str(port or options.pop("port", "")),
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 16, "timeout": 5}, **options},
    }


def env_port(name: str, default: int) -> int:
    """A TCP port. Raises ImproperlyConfigured if it isn't a number from 1 to 65535."""
    return env_count(name, default, most=65535)


def env_count(name: str, default: int, most: int, least: int = 1) -> int:
    """A whole number from `least` to `most`. Raises ImproperlyConfigured on anything else."""
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    if not value.isascii() or not value.isdigit() or len(value) > 9 or not least <= int(value) <= most:
        raise refuse(name, value[:20], f"use a number from {least} to {most}")
    return int(value)


def env_targets(name: str) -> Policy:
    """What the checker may call, as kb.probes.target reads it. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "").strip()
    try:
        return parse_policy(value) if value else LOOPBACK
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error


def env_webhooks(name: str) -> Policy:
    """Where webhooks may lead: comma-separated origins, `loopback`, `public`; unset: public addresses alone.

    The grammar is that of CULPRIT_TARGETS, without paths. Raises ImproperlyConfigured.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        return Policy((), public=True, setting=name)
    try:
        policy = parse_policy(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}") from error
    for one in policy.allowed:
        if one.path:
            raise ImproperlyConfigured(f"{name}: leave the path {one.path} out, give scheme, host and port.")
    return Policy(policy.allowed, policy.public, setting=name)


def env_llm(url: str, key: str, model: str) -> Llm | None:
    """The model that URL, KEY and MODEL name; None without an address. Raises ImproperlyConfigured."""
    address, secret, name = (os.environ.get(one, "").strip() for one in (url, key, model))
    if not address:
        for one, value in ((key, secret), (model, name)):
            if value:
                raise ImproperlyConfigured(f"{one} is of no use without {url}.")
        return None
    if not name:
        raise ImproperlyConfigured(f"{url} needs {model}, such as gpt-4o-mini.")
    if "," in address or "=" in address or not address.startswith(("http://", "https://")):
        plain, _, query = address.partition("?")  # in a query there may be a key
        shown = f"{plain}?…" if query else plain
        raise refuse(url, shown, "give one base address, such as https://llm.example.com/v1")
    try:
        policy = Policy(parse_policy(address).allowed, setting=url)
    except ValueError as error:
        raise ImproperlyConfigured(f"{url}: {error}") from error
    if secret and not Credential(secret).sendable:
        raise ImproperlyConfigured(f"{key} holds characters that no header can carry.")
    return Llm(address.rstrip("/"), secret, name, policy)


def env_site(name: str, default: str) -> str:
    """The address under which people reach the site: scheme, host, port. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "").strip().rstrip("/")
    expected = "give scheme and host alone, such as https://culprit.example.com"
    if not value:
        return default
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError as error:
        raise refuse(name, value, expected) from error
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    plain = f"{url.scheme}://{host}" + (f":{port}" if port else "")
    if url.scheme not in {"http", "https"} or not url.hostname or value.lower() != plain:
        raise refuse(name, value, expected)
    return plain


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail server; `host` is empty where there is none. A password is sent over TLS alone."""

    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    ssl: bool = False
    starttls: bool = False


def env_mail(name: str) -> Mail:
    """smtp://user:password@host:587 or smtps://…; unset: none. With a user, smtp:// asks for STARTTLS.

    Raises ImproperlyConfigured; the value is never shown, since it holds a password.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        return Mail()
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        url, port = urlsplit(""), None
    if url.scheme not in {"smtp", "smtps"} or not url.hostname or url.path.strip("/") or url.query:
        raise ImproperlyConfigured(
            f"{name} makes no sense: use smtp://user:password@host:587 or smtps://user:password@host:465, "
            "with special characters of the password written as %40."
        )
    user, ssl = unquote(url.username or ""), url.scheme == "smtps"
    usual = 465 if ssl else 587 if user else 25
    starttls = bool(user) and not ssl
    return Mail(url.hostname, port or usual, user, unquote(url.password or ""), ssl, starttls)


def env_sender(name: str, needed: bool) -> str:
    """Whom mails come from: an address, or `Culprit <culprit@example.com>`. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "").strip()
    if not value and needed:
        raise ImproperlyConfigured(f"{name} is missing: set it with EMAIL_URL, such as culprit@example.com.")
    if not value:
        return ""
    title, address = parseaddr(value)
    try:
        validate_email(address)
    except ValidationError:
        address = ""
    if not address or not value.isprintable():
        raise ImproperlyConfigured(
            f"{name}={value!r} makes no sense: use culprit@example.com or Culprit <culprit@example.com>."
        )
    return formataddr((title, address))


def env_issuer(name: str) -> str:
    """The identity provider's issuer, as its own configuration spells it; https, or http on this machine.

    Unset: there is none. Raises ImproperlyConfigured.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        return ""
    expected = "give the issuer's https address, such as https://login.example.com/realms/staff"
    try:
        url = urlsplit(value)
        local = url.hostname in {"127.0.0.1", "::1", "localhost"}
    except ValueError as error:
        raise refuse(name, value, expected) from error
    well_known = "/.well-known/" in value
    if (
        not url.hostname
        or url.query
        or url.fragment
        or well_known
        or url.scheme not in ({"https", "http"} if local else {"https"})
    ):
        raise refuse(name, value, expected)
    return value


def env_beside(name: str, other: str) -> str:
    """A value that makes sense together with `other` alone; never shown. Raises ImproperlyConfigured."""
    value = os.environ.get(name, "").strip()
    given = bool(os.environ.get(other, "").strip())
    if bool(value) != given:
        missing, there = (name, other) if given else (other, name)
        raise ImproperlyConfigured(f"{missing} is missing: {there} makes no sense without it.")
    return value


def env_words(name: str, default: str) -> str:
    """A few printable words. Raises ImproperlyConfigured if they are longer than 60 characters."""
    value = os.environ.get(name, "").strip()
    if not value.isprintable() or len(value) > 60:
        raise refuse(name, value[:60], "use at most 60 printable characters")
    return value or default


def env_roles(name: str) -> dict[str, Role]:
    """`group=role,group2=role2`: what the identity provider calls a role. Raises ImproperlyConfigured."""
    found: dict[str, Role] = {}
    value = os.environ.get(name, "").strip()
    for pair in filter(None, (part.strip() for part in value.split(","))):
        group, sign, role = (piece.strip() for piece in pair.rpartition("="))
        if not sign or not group:
            raise refuse(name, pair, "use group=role,group2=role2")
        if role not in Role.values:
            raise refuse(name, pair, f"a role is one of {', '.join(Role.values)}")
        if found.get(group, role) != role:
            raise refuse(name, pair, f"the group {group} has two roles")
        found[group] = Role(role)
    return found
