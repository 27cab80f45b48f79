"""What readers see when something is wrong: a clear page, and never a trace."""

import io
import json
import logging
import socket
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection
from django.test import Client
from django.utils.module_loading import import_string
from pytest_django import Settings

from kb.guides import views
from kb.web.logs import OnPurpose
from kb.web.management.commands import serve

pytestmark = pytest.mark.django_db


def test_health_is_answered_without_a_database(client: Client) -> None:
    with connection.execute_wrapper(away):
        assert client.get("/healthz").content == b"ok\n"
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert client.get("/readyz").status_code == 200


def test_health_is_answered_whatever_the_site_is_called_and_over_http(
    client: Client, settings: Settings
) -> None:
    """`serve` waits for it on loopback, and Kubernetes asks a pod by its address."""
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["culprit.example.com"], True
    for path in ("/healthz", "/readyz"):
        answer = client.get(path, headers={"host": "10.1.2.3:8000"})
        assert answer.content == b"ok\n"
        assert "no-store" in answer["Cache-Control"]


def away(*args: object) -> None:
    """Any query while the database is away."""
    raise OperationalError("could not connect to server at db.internal, user kb")


@pytest.mark.parametrize(
    "url", ["/", "/errors/", "/errors/gate/coin/", "/search/?q=coin", "/categories/quota-rate/"]
)
def test_a_database_that_is_away_gives_the_503_page_without_a_trace(
    url: str, library: Path, lenient_client: Client
) -> None:
    with connection.execute_wrapper(away):
        answer = lenient_client.get(url)
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    page = answer.content.decode()
    assert "<h1" in page
    assert "db.internal" not in page
    assert "Traceback" not in page


def test_a_pasted_text_survives_a_database_that_is_away(library: Path, lenient_client: Client) -> None:
    with connection.execute_wrapper(away):
        answer = lenient_client.post("/match/", {"text": "The coin is spent: 3 of 2"})
    assert answer.status_code == 503
    assert "The coin is spent: 3 of 2" in answer.content.decode()


def test_a_bug_gives_the_500_page_without_a_trace(
    library: Path, lenient_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(views, "get_object_or_404", broken)
    answer = lenient_client.get("/errors/gate/coin/")
    assert answer.status_code == 500
    assert "secret detail" not in answer.content.decode()
    assert "<h1" in answer.content.decode()


def test_a_forged_form_gives_the_403_page(library: Path) -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x", "password": "y"})
    assert answer.status_code == 403
    assert "<h1" in answer.content.decode()


def test_a_host_that_is_not_ours_is_refused(library: Path) -> None:
    assert Client().get("/", headers={"host": "evil.example"}).status_code == 400


def test_an_address_that_is_asked_in_another_way_says_what_it_takes(library: Path, client: Client) -> None:
    answer = client.get("/check/models/")
    page = answer.content.decode()
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "This address takes POST, and was asked with GET." in page
    told = client.put("/match/", headers={"accept": "application/json"})
    assert told.json() == {"error": "PUT is not taken here, only GET, HEAD, POST."}
    assert told.status_code == 405


def test_a_program_reads_in_json_what_is_wrong(
    library: Path, lenient_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"accept": "application/json"}

    def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("secret detail")

    with connection.execute_wrapper(away):
        answer = lenient_client.get("/errors/", headers=asked)
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    assert answer.json() == {"error": "The database does not answer. Wait ten seconds and ask again."}
    monkeypatch.setattr(views, "get_object_or_404", broken)
    answer = lenient_client.get("/errors/gate/coin/", headers=asked)
    assert answer.status_code == 500
    assert answer.json() == {"error": "Something broke on this site. It is in the log of whoever runs it."}
    assert lenient_client.get("/", headers=asked | {"host": "evil.example"}).json()["error"]


def test_who_may_not_see_a_page_is_one_line_in_the_log(library: Path, client: Client) -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    for name in settings.LOGGING["handlers"]["console"]["filters"]:
        handler.addFilter(import_string(settings.LOGGING["filters"][name]["()"])())
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    try:
        client.force_login(User.objects.create_user("ann"))
        assert client.get("/audit/").status_code == 403
        assert said.getvalue() == "Forbidden (Permission denied): /audit/\n"
        logger.error("broken", exc_info=ValueError("why"))
        assert "ValueError: why" in said.getvalue()
    finally:
        logger.removeHandler(handler)


def test_a_server_s_own_warning_of_many_threads_is_left_out_and_no_other() -> None:
    kept = OnPurpose()
    threads = "Configuration allows spawning up to 64 Python threads, which seems quite high compared to"
    for words, shown in ((threads, False), ("Unexpected exit from worker-1", True)):
        record = logging.LogRecord("_granian.wsgi", logging.WARNING, "", 0, words, None, None)
        assert kept.filter(record) is shown
    written = json.loads(serve.LOG.read_text())
    assert import_string(written["filters"]["on_purpose"]["()"]) is OnPurpose
    assert written["handlers"]["console"]["filters"] == ["on_purpose"]


def test_a_second_serve_on_a_port_stops_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one shares its port, as the server does so that its workers can."""
    monkeypatch.setattr(serve, "call_command", lambda *args, **options: pytest.fail("it went on"))
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        first.listen()
        port = first.getsockname()[1]
        monkeypatch.setattr("django.conf.settings.PORT", port)
        for host in ("127.0.0.1", "0.0.0.0"):
            with pytest.raises(
                CommandError, match=f"^The port {port} is in use: .* set PORT to a free one.$"
            ):
                call_command("serve", "--host", host)
    assert not serve.taken("127.0.0.1", port)


def test_a_serve_that_comes_second_while_both_prepare_stops_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("127.0.0.1", 0))
        monkeypatch.setattr("django.conf.settings.PORT", first.getsockname()[1])
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # bound, and no listener yet
        monkeypatch.setattr(serve, "call_command", lambda *args, **options: first.listen())
        monkeypatch.setattr(serve, "load_apart", lambda: None)
        monkeypatch.setattr(serve, "started", lambda command: pytest.fail("it was started"))
        with pytest.raises(CommandError, match="is in use"):
            call_command("serve")


def test_a_serve_whose_content_can_t_be_loaded_stops_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(settings.BASE_DIR / "manage.py")])
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/empty.sqlite3")
    with pytest.raises(SystemExit) as stopped:
        serve.load_apart()
    assert stopped.value.code == 1
    assert "Run manage.py migrate" in capfd.readouterr().err
