"""A key that goes through every door of the checker stays nowhere: no table, log, page, header or session."""

import hashlib
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests.checker.gateway import Gateway

pytestmark = pytest.mark.django_db
KEY = "sk-CanaryV" + "x7Q" * 8
ADMIN = "sk-CanaryA" + "m3Z" * 8
HASH = hashlib.sha256(KEY.encode()).hexdigest()


def tables() -> Iterator[str]:
    """Everything that the database holds, as text."""
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{name}"')
            yield from (repr(row) for row in cursor.fetchall())


def assert_clean(*texts: str) -> None:
    """None of the canaries is in any of these, nor in the database."""
    for text in (*texts, *tables()):
        for canary in (KEY, ADMIN, HASH):
            assert canary not in text, text[max(0, text.find(canary) - 80) :][:200]


@pytest.fixture(autouse=True)
def _logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


@pytest.mark.parametrize("scenario", ["stale_team_scoped_key", "key_unknown", "ok", "down_database"])
@pytest.mark.parametrize("echo", [False, True])
def test_a_check_leaves_no_key(
    db: None, client: Client, caplog: pytest.LogCaptureFixture, scenario: str, echo: bool
) -> None:
    with Gateway("1.84.0", scenario, admin=ADMIN, echo=echo) as gateway:
        data: dict[str, Any] = {"address": gateway.url, "key": KEY, "admin_key": ADMIN, "model": "lab-model"}
        data |= {"paid": "on", "error": f"401 for {KEY} hash {HASH}"}
        answer = client.post("/check/", data, follow=True)
    assert answer.redirect_chain
    page = answer.content.decode()
    headers = json.dumps([dict(hop_headers(answer)), answer.redirect_chain])
    assert_clean(page, headers, caplog.text, json.dumps(dict(client.session)))


def hop_headers(answer: Any) -> Any:
    """An answer's headers."""
    return answer.items()


def test_a_key_in_the_address_is_not_kept(db: None, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    for address in (f"http://user:{KEY}@127.0.0.1:4000", f"http://127.0.0.1:4000/?key={KEY}"):
        answer = client.post("/check/", {"address": address}, follow=True)
        assert_clean(answer.content.decode(), caplog.text)


def test_a_refused_form_shows_no_key_back(db: None, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    answer = client.post("/check/", {"key": KEY, "admin_key": ADMIN, "error": KEY, "answers": f"x {ADMIN}"})
    assert answer.status_code == 422
    assert_clean(answer.content.decode(), caplog.text)


def test_pasted_answers_leave_no_key(db: None, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    body = json.dumps({"error": {"message": f"Received API Key = {KEY}, Key Hash (Token) ={HASH}"}})
    text = f"### call\n{body}\nHTTP 401"
    answer = client.post("/check/", {"answers": text, "model": "m"}, follow=True)
    assert answer.status_code == 200
    assert_clean(answer.content.decode(), caplog.text)


def test_a_crash_midway_tells_no_key(
    db: None, client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"crashed with {KEY}")

    monkeypatch.setattr("kb.checker.running.run", crash)
    with Gateway("1.84.0", "ok") as gateway:
        data = {"address": gateway.url, "key": KEY, "model": "m", "paid": "on"}
        answer = client.post("/check/", data, follow=True)
    page = answer.content.decode()
    assert "RuntimeError" in page
    assert_clean(page, caplog.text)


def test_the_command_prints_no_key(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    monkeypatch.setenv("THE_ADMIN", ADMIN)
    with Gateway("1.84.0", "key_unknown", admin=ADMIN, echo=True) as gateway:
        line = [gateway.url, "--key-env", "THE_KEY", "--admin-key-env", "THE_ADMIN", "--model", "m"]
        for how in ([], ["--json"]):
            with pytest.raises(SystemExit):
                call_command("check_proxy", *line, *how)
    printed = capsys.readouterr()
    assert_clean(printed.out, printed.err)


@pytest.mark.parametrize("name", ["model", "end_user", "tags"])
@pytest.mark.parametrize("value", [KEY, "alice@example.com"])
def test_a_name_that_is_a_secret_is_refused_not_asked_for_under_another(
    db: None, client: Client, caplog: pytest.LogCaptureFixture, name: str, value: str
) -> None:
    with Gateway("1.84.0", "ok") as gateway:
        data = {"address": gateway.url, "key": "sk-1", "model": "m", name: value}
        answer = client.post("/check/", data)
        assert gateway.asked == []
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "manage.py check_proxy" in page
    assert value not in page
    assert_clean(page, caplog.text)


def test_a_link_shows_no_secret_that_it_brings(client: Client) -> None:
    page = client.get(
        "/check/", {"model": KEY, "address": f"http://user:{KEY}@h", "previous": KEY}
    ).content.decode()
    assert KEY not in page


def test_pasted_answers_that_spell_a_key_in_escapes_leave_none(
    db: None, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    spelled = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
    info = f'{{"key": "x", "info": {{"team_id": "{spelled}", "user_id": "{spelled}", "spend": 1}}}}'
    text = f'### key_info\n{info}\nHTTP 200\n### readiness\n{{"db": "{spelled}"}}\nHTTP 200'
    answer = client.post("/check/", {"answers": text, "model": "m"}, follow=True)
    assert answer.status_code == 200
    assert_clean(answer.content.decode(), caplog.text)


@pytest.mark.parametrize("letter", ["\\u0000", "\\ud800"])
def test_pasted_answers_with_letters_that_no_database_takes_are_read(
    db: None, client: Client, letter: str
) -> None:
    info = f'{{"key": "x", "info": {{"team_id": "a{letter}b", "user_id": "u{letter}", "spend": 1}}}}'
    error = f'{{"error": {{"message": "Budget{letter} has been exceeded!", "code": "400"}}}}'
    text = f"### key_info\n{info}\nHTTP 200\n### call\n{error}\nHTTP 400"
    assert client.post("/check/", {"answers": text, "model": "m"}, follow=True).status_code == 200
