"""Mail through a real mail server: what arrives, how reports are gathered, and every fault of the server."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from django.db.models import F

from kb.notices.models import Delivery, Event, Kind, State
from kb.notices.outbox import announce
from kb.notices.tasks import GATHER
from tests.notices.conftest import REPORT, later, subscribe, work
from tests.notices.receivers import Mailbox, mail_server
from tests.probes import servers

pytestmark = pytest.mark.django_db
Point = Callable[[int], None]
TO = "ops@example.com"


def minutes_pass() -> None:
    """The time in which reports are gathered is over."""
    Delivery.objects.filter(sent__isnull=False).update(sent=F("sent") - GATHER)
    later()


def test_a_mail_says_what_happened_and_where(mail_settings: Point) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        mail_settings(port)
        subscribe(Kind.EMAIL, TO)
        announce(Event.REPORT_NEW, *REPORT)
        work()
    [mail] = mailbox.mails
    assert (mail["To"], mail["From"]) == (TO, "Culprit <culprit@example.com>")
    assert mail["Subject"] == REPORT[0]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content().replace("\r\n", "\n")
    assert "https://culprit.example.com/review/abc/" in text
    assert "Version: 1.84.0\nText: <b> & *co*" in text
    assert Delivery.objects.get().state == State.SENT


def test_a_subject_cannot_add_headers(mail_settings: Point) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        mail_settings(port)
        subscribe(Kind.EMAIL, TO)
        announce(Event.GUIDE_DUE, "Due\r\nBcc: evil@example.com\n\nHello", "/", {"A\nB": "1\r\n.\r\nQUIT"})
        work()
    [mail] = mailbox.mails
    assert mail["Bcc"] is None
    assert mailbox.recipients == [[TO]]
    assert mail["Subject"] == "Due Bcc: evil@example.com Hello"
    assert "A B: 1 . QUIT" in mail.get_content()


def test_new_reports_are_gathered_into_one_mail(mail_settings: Point) -> None:
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        mail_settings(port)
        subscribe(Kind.EMAIL, TO)
        announce(Event.REPORT_NEW, "First", "/1/", {})
        work()
        for number in ("Second", "Third", "Fourth"):
            announce(Event.REPORT_NEW, number, f"/{number}/", {})
        work()
        assert [mail["Subject"] for mail in mailbox.mails] == ["First"]
        announce(Event.REPORT_DECIDED, "Decided", "/d/", {})
        work()
        assert len(mailbox.mails) == 2, "other events don't wait"
        minutes_pass()
        work()
    last = mailbox.mails[2]
    assert last["Subject"] == "3 new: Second"
    for number in ("Second", "Third", "Fourth"):
        assert f"https://culprit.example.com/{number}/" in last.get_content()
    assert len(mailbox.mails) == 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SENT}


class Deaf(Mailbox):
    """Takes the mail and never says so."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(60)
        return "250 OK"


def test_a_mail_server_that_hangs_is_left_and_the_mail_keeps_its_name(
    mail_settings: Point, settings: Any
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    deaf, well = Deaf(), Mailbox()
    with mail_server(deaf) as port:
        mail_settings(port)
        subscribe(Kind.EMAIL, TO)
        announce(Event.REPORT_NEW, *REPORT)
        work()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts) == (State.WAITING, 1)
    assert "didn't answer in time" in delivery.error
    with mail_server(well) as port:
        mail_settings(port)
        later()
        work()
    assert [mail["Message-ID"] for mail in deaf.mails] == [mail["Message-ID"] for mail in well.mails]


def test_who_announces_never_waits_for_the_mail_server(mail_settings: Point, settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 60
    deaf = Deaf()
    with mail_server(deaf) as port:
        mail_settings(port)
        subscribe(Kind.EMAIL, TO)
        announce(Event.REPORT_NEW, *REPORT)
    assert deaf.mails == []
    assert Delivery.objects.get().state == State.WAITING


def test_a_mail_server_that_is_down_is_tried_later(mail_settings: Point) -> None:
    with mail_server(Mailbox()) as port:
        mail_settings(port)
    subscribe(Kind.EMAIL, TO)
    announce(Event.REPORT_NEW, *REPORT)
    work()
    delivery = Delivery.objects.get()
    assert delivery.state == State.WAITING
    assert "EMAIL_URL" in delivery.error


def test_a_refused_recipient_is_said_without_the_server_s_words(mail_settings: Point) -> None:
    with mail_server(Mailbox(refuses="550 no such user canary-words")) as port:
        mail_settings(port)
        subscribe(Kind.EMAIL, TO)
        announce(Event.REPORT_NEW, *REPORT)
        work()
    assert Delivery.objects.get().error == "The mail server refused the recipient (550)."


def test_signing_in_goes_through_starttls_alone(
    mail_settings: Point, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = tmp_path / "ca.pem"
    servers.authority().cert_pem.write_to_path(str(authority))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    mailbox, given = Mailbox(), []

    def sign_in(server: SMTP, session: Session, envelope: Envelope, way: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given.append((session.ssl is not None, data.login))
        return AuthResult(success=data.password == b"p@ss", handled=False)

    options = {"tls_context": servers.certified("127.0.0.1"), "require_starttls": True}
    with mail_server(mailbox, authenticator=sign_in, auth_required=True, **options) as port:
        mail_settings(port)
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "culprit", "p@ss"
        settings.EMAIL_USE_TLS = True
        subscribe(Kind.EMAIL, TO)
        announce(Event.REPORT_DECIDED, *REPORT)
        work()
        assert len(mailbox.mails) == 1
        settings.EMAIL_HOST_PASSWORD = "canary-wrong"
        announce(Event.REPORT_DECIDED, *REPORT)
        work()
    assert given == [(True, b"culprit")] * len(given)
    error = Delivery.objects.get(state=State.WAITING).error
    assert "refused the sign-in" in error
    assert "canary" not in error
