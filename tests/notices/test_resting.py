"""A receiver that fails is left alone for a while, with all that waits for it; others are told meanwhile."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from kb.notices.models import Delivery, Event, Kind, State, Subscription
from kb.notices.outbox import announce, try_out
from kb.notices.tasks import PAUSES, RESTS, send_again
from tests.notices.conftest import REPORT, impatient_with, later, subscribe, work
from tests.notices.receivers import Answer, Receiver

pytestmark = pytest.mark.django_db


def announced(number: int) -> None:
    """So many reports came in."""
    for _ in range(number):
        announce(Event.REPORT_NEW, *REPORT)


def resting(subscription: Subscription) -> timedelta:
    """How long nothing is sent to it any more."""
    subscription.refresh_from_db()
    assert subscription.rests_until
    return subscription.rests_until - timezone.now()


def test_a_receiver_that_hangs_costs_one_attempt_however_much_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Receiver(Answer(hold=threading.Event())) as hanging, Receiver() as well:
        impatient_with(hanging, monkeypatch)
        subscribe(Kind.WEBHOOK, hanging.url, "hangs")
        subscribe(Kind.WEBHOOK, well.url, "well")
        announced(5)
        work()
        announced(2)
        work()
        assert len(well.got) == 7
    waiting = Delivery.objects.filter(subscription__name="hangs")
    assert sorted(waiting.values_list("state", "attempts")) == [(State.WAITING, 0)] * 6 + [(State.WAITING, 1)]
    assert not waiting.filter(due__lte=timezone.now()).exists(), "each tells when it is tried next"


def test_what_waits_gets_no_new_task_until_its_time_comes() -> None:
    with Receiver(Answer(500)) as receiver:
        subscribe(Kind.WEBHOOK, receiver.url)
        announced(5)
        work()
    assert DBTaskResult.objects.count() == 6, "one each, and one for the next try"


def test_rests_grow_with_failures_in_a_row_and_end_with_the_first_success() -> None:
    with Receiver(Answer(503)) as receiver:
        subscription = subscribe(Kind.WEBHOOK, receiver.url)
        announced(10)
        for number, rest in enumerate([*RESTS, RESTS[-1]], start=1):
            work()
            assert len(receiver.got) == number
            assert rest - timedelta(seconds=60) < resting(subscription) <= rest * 1.2
            later()
        receiver.answers = [Answer(204)]
        work()
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SENT}
    subscription.refresh_from_db()
    assert (subscription.failures, subscription.rests_until) == (0, None)


def test_a_failure_after_a_success_rests_for_the_shortest_time_again() -> None:
    with Receiver(Answer(500), Answer(500), Answer(200), Answer(500)) as receiver:
        subscription = subscribe(Kind.WEBHOOK, receiver.url)
        announced(4)
        work()
        later()
        work()
        assert resting(subscription) > PAUSES[0] * 1.2
        later()
        work()
        assert len(receiver.got) == 4
    assert resting(subscription) <= PAUSES[0] * 1.2


def test_who_asks_for_time_gets_it_for_all_notices() -> None:
    with Receiver(Answer(429, {"Retry-After": "7200"}), Answer(200)) as receiver:
        subscribe(Kind.SLACK, receiver.url)
        announced(3)
        work()
    assert len(receiver.got) == 1
    soon = timezone.now() + timedelta(seconds=7100)
    assert Delivery.objects.filter(state=State.WAITING, due__gt=soon).count() == 3


def test_an_administrator_s_try_is_made_at_once() -> None:
    with Receiver(Answer(500), Answer(200)) as receiver:
        subscription = subscribe(Kind.WEBHOOK, receiver.url)
        announced(1)
        work()
        try_out(subscription)
        work()
        assert len(receiver.got) == 2
        Delivery.objects.update(state=State.DEAD)
        Subscription.objects.update(rests_until=timezone.now() + timedelta(hours=1))
        assert send_again(Delivery.objects.all()) == 2
        work()
        assert len(receiver.got) == 4


def test_a_subscription_that_was_mended_in_the_admin_rests_no_more(admin_user: User, settings: Any) -> None:
    with Receiver(Answer(500)) as broken, Receiver() as well:
        subscription = subscribe(Kind.WEBHOOK, broken.url)
        announced(1)
        work()
        client = Client()
        client.force_login(admin_user)
        given = {"name": "ops", "address": well.url, "events": Event.values, "active": "on"}
        client.post(f"/admin/notices/subscription/{subscription.pk}/change/", given)
        announced(1)
        work()
        assert (len(broken.got), len(well.got)) == (1, 1)
