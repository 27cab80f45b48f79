"""What the tests of notices share: who may be called, subscriptions, and the queue's real worker."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from kb.diagnosis.finding import Reply
from kb.notices import sending
from kb.notices.models import Delivery, Event, Kind, Subscription
from kb.notices.tasks import sweep
from kb.probes import dial
from kb.probes.target import Policy, Target, parse_policy
from tests.notices.receivers import Receiver

PUBLIC = Policy((), public=True, setting="CULPRIT_WEBHOOKS")
REPORT = ("A new report on Budget exceeded", "/review/abc/", {"Version": "1.84.0", "Text": "<b> & *co*"})


@pytest.fixture(autouse=True)
def _as_in_a_test(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers stand on this machine; a worker stays on the connection that holds the test's transaction."""
    monkeypatch.setattr("django_tasks_db.management.commands.db_worker.close_old_connections", lambda: None)
    listed = parse_policy("loopback")
    settings.CULPRIT_WEBHOOKS = Policy(listed.allowed, setting="CULPRIT_WEBHOOKS")


@pytest.fixture
def mail_settings(settings: Any) -> Callable[[int], None]:
    """Points Django's real SMTP backend to a port of loopback."""

    def point(port: int) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        settings.DEFAULT_FROM_EMAIL = "Culprit <culprit@example.com>"
        settings.CULPRIT_URL = "https://culprit.example.com"

    return point


def subscribe(kind: Kind, address: str, name: str = "ops", **more: Any) -> Subscription:
    """Somebody who is told of everything."""
    more = {"events": Event.values, **more}
    return Subscription.objects.create(name=name, kind=kind, address=address, **more)


def impatient_with(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """This receiver is given up soon, and no other: a busy machine answers late."""
    post = dial.post

    def soon(target: Target, path: str, body: bytes, headers: dict[str, str], seconds: float) -> Reply:
        hangs = target.port == receiver.server.server_port
        return post(target, path, body, headers, 0.3 if hangs else 60.0)

    monkeypatch.setattr(sending, "post", soon)


def work() -> None:
    """The queue's own worker, until nothing is ready any more."""
    sweep()
    Worker(
        queue_names=["default"], interval=0, batch=True, backend_name="default", startup_delay=False,
        max_tasks=None, worker_id="test", excluded_queue_names=[],
    ).run()  # fmt: skip


def later() -> None:
    """All pauses and leases are over."""
    Delivery.objects.update(due=timezone.now())
    Subscription.objects.update(rests_until=None)
    DBTaskResult.objects.update(run_after=timezone.now())
