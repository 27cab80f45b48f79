"""Sends what was claimed, once, and says what came of it in words without secrets. It writes no row."""

import smtplib
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.core.mail import get_connection
from django.utils import timezone
from standardwebhooks import Webhook

from kb.diagnosis.finding import Reply
from kb.notices import wording
from kb.notices.address import door
from kb.notices.models import Delivery, Kind
from kb.probes.dial import post
from kb.probes.target import Refused

POST_SECONDS = 15.0
GONE = 410
LONGEST_WAIT = 86_400.0  # seconds that a receiver may ask for


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt; `why` is empty where it was sent.

    `final` says that another attempt makes no sense, `gone` that the receiver wants nothing more at all,
    `wait` how many seconds it asked for.
    """

    why: str = ""
    final: bool = False
    gone: bool = False
    wait: float = 0.0


def send(batch: Sequence[Delivery]) -> Outcome:
    """Send `batch`, which is for one subscription; more than one go into one mail. Never raises."""
    kind = batch[0].subscription.kind
    try:
        return _mail(batch) if kind == Kind.EMAIL else _post(batch[0])
    except Exception as problem:
        # By its kind alone: its words might hold an address or a password.
        return Outcome(f"Sending broke ({type(problem).__name__}).")


def _post(delivery: Delivery) -> Outcome:
    found = door(delivery.subscription.address)
    if isinstance(found, Refused):
        return Outcome(found.why, final=found.hop == "target")
    signed = delivery.subscription.kind == Kind.WEBHOOK
    body = wording.webhook(delivery) if signed else wording.slack(delivery)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if signed:
        headers |= signature(delivery, body)
    return outcome(post(found.target, found.path, body.encode(), headers, POST_SECONDS))


def signature(delivery: Delivery, body: str) -> dict[str, str]:
    """The headers of Standard Webhooks; the id is the delivery's own, the time that of this attempt."""
    now = timezone.now()
    return {
        "webhook-id": delivery.pk,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(delivery.subscription.secret).sign(delivery.pk, now, body),
    }


def outcome(reply: Reply) -> Outcome:
    """What a receiver's answer means. Any 2xx is a yes; all but 410 is worth another try."""
    if reply.status is None:
        return Outcome(reply.why)
    if 200 <= reply.status < 300:
        return Outcome()
    if reply.status == GONE:
        return Outcome("The receiver answered 410, it wants no more: switched off.", final=True, gone=True)
    if reply.status // 100 == 3:
        return Outcome(f"The receiver answered {reply.status}, sending us elsewhere, which isn't followed.")
    return Outcome(
        f"The receiver answered {reply.status}.", wait=asked_wait(reply.headers.get("retry-after", ""))
    )


def asked_wait(text: str) -> float:
    """The seconds of a Retry-After, a number or a date; 0 where it says nothing, a day at most."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max((when - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_WAIT)


def _mail(batch: Sequence[Delivery]) -> Outcome:
    if not settings.EMAIL_HOST:
        return Outcome("This instance has no mail server: set EMAIL_URL and EMAIL_FROM.")
    connection = get_connection()
    try:
        # Closed by us: the backend leaves a connection open where the sign-in was refused.
        with closing(connection):
            connection.send_messages([wording.mail(batch)])
    except smtplib.SMTPAuthenticationError:
        return Outcome("The mail server refused the sign-in: check user and password of EMAIL_URL.")
    except smtplib.SMTPRecipientsRefused as problem:
        codes = sorted({code for code, _ in problem.recipients.values()})
        return Outcome(f"The mail server refused the recipient ({', '.join(map(str, codes))}).")
    except smtplib.SMTPResponseException as problem:
        return Outcome(f"The mail server answered {problem.smtp_code}.")
    except smtplib.SMTPNotSupportedError:
        return Outcome("The mail server offers no STARTTLS or no sign-in, which EMAIL_URL asks for.")
    except (smtplib.SMTPServerDisconnected, TimeoutError):
        return Outcome("The mail server closed the connection, or didn't answer in time.")
    except ConnectionRefusedError:
        return Outcome("Nothing listens where EMAIL_URL says that the mail server is.")
    except OSError as problem:
        return Outcome(f"The mail server can't be reached ({type(problem).__name__}).")
    return Outcome()
