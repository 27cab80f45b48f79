"""The environment is read into typed values, and nonsense is refused in one line that says what to do."""

import os
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from kb import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "http", "PORT='http' makes no sense: use a number from 1 to 65535."),
        ("PORT", "70000", "use a number from 1 to 65535"),
        ("CULPRIT_REPORTS", "many", "CULPRIT_REPORTS='many' makes no sense: use a number from 1 to 100000."),
        ("CULPRIT_REPORTS", "0", "use a number from 1 to 100000"),
        ("CULPRIT_REPORTS", "9" * 5_000, "use a number from 1 to 100000"),
        ("CULPRIT_PROXIES", "one", "CULPRIT_PROXIES='one' makes no sense: use a number from 0 to 10."),
        ("CULPRIT_PRIVATE", "yes please", "CULPRIT_PRIVATE='yes please' makes no sense: use 1 or 0."),
        ("OIDC_ISSUER", "http://login.example.com", "give the issuer's https address"),
        ("OIDC_ISSUER", "https://login.example.com/.well-known/openid-configuration", "give the issuer's"),
        ("OIDC_ISSUER", "https://login.example.com", "OIDC_CLIENT_ID is missing: OIDC_ISSUER makes no sense"),
        ("OIDC_CLIENT_SECRET", "hunter2", "OIDC_ISSUER is missing: OIDC_CLIENT_SECRET makes no sense"),
        ("OIDC_ROLES", "docs=chief", "a role is one of reader, reporter, reviewer, editor, administrator"),
        ("OIDC_ROLES", "docs", "use group=role,group2=role2"),
        ("OIDC_ROLES", "docs=editor,docs=reader", "the group docs has two roles"),
        ("OIDC_NAME", "x" * 61, "use at most 60 printable characters"),
        ("DEBUG", "maybe", "DEBUG='maybe' makes no sense: use 1 or 0."),
        ("ALLOWED_HOSTS", "https://docs.example.com", "give host names alone"),
        ("SECRET_KEY", "short", "use at least 32 random characters"),
        ("DATABASE_URL", "mysql://u:hunter2@db/x", "use postgresql://user:password@host:5432/name"),
        ("DATABASE_URL", "postgresql://u:hunter2@db:port/x", "use postgresql://"),
        ("DATABASE_URL", "postgresql://u:hunter2@db/", "use postgresql://"),
        ("DATABASE_URL", "nonsense", "use postgresql://"),
        ("CULPRIT_URL", "culprit.example.com", "such as https://culprit.example.com"),
        ("CULPRIT_URL", "https://culprit.example.com/path", "give scheme and host alone"),
        ("CULPRIT_URL", "https://u:hunter2@culprit.example.com", "give scheme and host alone"),
        ("CULPRIT_WEBHOOKS", "hooks.example.com", "Write the whole address"),
        ("CULPRIT_WEBHOOKS", "https://hooks.example.com/services", "leave the path /services out"),
        ("EMAIL_URL", "mail.example.com", "use smtp://user:password@host:587"),
        ("EMAIL_URL", "smtp://user:hunter2", "use smtp://user:password@host:587"),
        ("EMAIL_URL", "imap://u:hunter2@mail.example.com", "use smtp://user:password@host:587"),
        ("EMAIL_URL", "smtp://u:hunter2@mail.example.com:587", "EMAIL_FROM is missing"),
        ("EMAIL_FROM", "nobody", "EMAIL_FROM='nobody' makes no sense"),
    ],
)
def test_a_value_that_makes_no_sense_stops_the_start_in_one_line(name: str, value: str, says: str) -> None:
    ran = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert says in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert "hunter2" not in ran.stderr


def test_a_postgresql_url_gives_a_pooled_connection(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(
        "DATABASE_URL",
        "postgresql://kb:p%40ss@db.example:5433/culprit?sslmode=require&sslrootcert=%2Fetc%2Fca.pem",
    )
    settings = environment.env_database("DATABASE_URL", tmp_path / "x.sqlite3")
    assert settings["ENGINE"] == "django.db.backends.postgresql"
    assert (settings["USER"], settings["PASSWORD"]) == ("kb", "p@ss")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example", "5433", "culprit")
    assert settings["OPTIONS"]["sslmode"] == "require"
    assert settings["OPTIONS"]["sslrootcert"] == "/etc/ca.pem"
    assert settings["OPTIONS"]["pool"]["max_size"] > 1


def test_without_a_url_the_database_is_embedded_and_tuned(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings = environment.env_database("DATABASE_URL", tmp_path / "var" / "x.sqlite3")
    assert settings["ENGINE"] == "django.db.backends.sqlite3"
    assert settings["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    for pragma in ("journal_mode=WAL", "mmap_size"):
        assert pragma in settings["OPTIONS"]["init_command"]


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:////srv/kb.sqlite3", "/srv/kb.sqlite3"), ("sqlite:///kb.sqlite3", "kb.sqlite3")],
)
def test_a_sqlite_url_names_a_file(
    url: str, path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "mkdir", lambda *a, **k: None)
    monkeypatch.setenv("DATABASE_URL", url)
    assert environment.env_database("DATABASE_URL", tmp_path / "x")["NAME"] == path


def test_a_secret_is_made_once_and_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    first = environment.env_secret("SECRET_KEY", tmp_path / "secret-key")
    assert len(first) >= 32
    assert environment.env_secret("SECRET_KEY", tmp_path / "secret-key") == first
    assert (tmp_path / "secret-key").stat().st_mode & 0o077 == 0


def test_a_port_out_of_range_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "0")
    with pytest.raises(ImproperlyConfigured, match="1 to 65535"):
        environment.env_port("PORT", 8000)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://kb:p%40ss@mail.example:2525", ("mail.example", 2525, "kb", "p@ss", False, True)),
        ("smtp://kb:p@mail.example", ("mail.example", 587, "kb", "p", False, True)),
        ("smtp://relay", ("relay", 25, "", "", False, False)),
        ("smtps://kb:p@mail.example", ("mail.example", 465, "kb", "p", True, False)),
        ("", ("", 0, "", "", False, False)),
    ],
)
def test_a_password_travels_over_tls_alone(
    url: str, expected: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    assert astuple(environment.env_mail("EMAIL_URL")) == expected


def test_without_a_list_webhooks_reach_public_addresses_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CULPRIT_WEBHOOKS", raising=False)
    policy = environment.env_webhooks("CULPRIT_WEBHOOKS")
    assert (policy.allowed, policy.public, policy.setting) == ((), True, "CULPRIT_WEBHOOKS")
