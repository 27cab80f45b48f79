"""Webhooks to a real endpoint: what it gets, and what every fault of it leads to."""

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from standardwebhooks import Webhook

from kb.notices import sending
from kb.notices.models import Delivery, Event, Kind, State, Subscription
from kb.notices.outbox import announce
from kb.notices.tasks import LEASE, PAUSES, claim, send_again, settle, sweep
from tests.notices.conftest import PUBLIC, REPORT, impatient_with, later, subscribe, work
from tests.notices.receivers import Answer, Receiver

pytestmark = pytest.mark.django_db


def told(receiver: Receiver, kind: Kind = Kind.WEBHOOK) -> Delivery:
    """One report, announced to one subscription and worked on once."""
    subscribe(kind, receiver.url)
    announce(Event.REPORT_NEW, *REPORT)
    work()
    return Delivery.objects.get()


def test_a_signed_webhook_verifies_with_the_library_of_its_receiver() -> None:
    with Receiver() as receiver:
        delivery = told(receiver)
    [got] = receiver.got
    assert got.path == "/services/T000/B000/canary-path-Xy9z"
    data = Webhook(Subscription.objects.get().secret).verify(got.body, got.headers)
    assert data["type"] == "report.new"
    assert data["timestamp"] == delivery.created.isoformat()
    assert data["data"]["subject"] == REPORT[0]
    assert data["data"]["url"].endswith("/review/abc/")
    assert data["data"]["facts"] == REPORT[2]
    assert got.headers["webhook-id"] == delivery.pk
    assert (delivery.state, delivery.attempts, delivery.error) == (State.SENT, 1, "")


def test_slack_gets_a_text_that_calls_nobody() -> None:
    with Receiver() as receiver:
        subscribe(Kind.SLACK, receiver.url)
        announce(Event.GUIDE_DUE, "<!channel> & @everyone | x", "/errors/", {"Hop": "<key>"})
        work()
    body = json.loads(receiver.got[0].body)
    assert body["text"].startswith("&lt;!channel&gt; &amp; @\u200beveryone")
    assert "/errors/" in body["text"]
    assert "<!channel>" not in json.dumps(body, ensure_ascii=False)
    assert body["blocks"][1]["fields"][0] == {"type": "plain_text", "text": "Hop: <key>", "emoji": False}
    assert "webhook-signature" not in receiver.got[0].headers


def test_only_who_asked_for_an_event_and_is_active_is_told() -> None:
    with Receiver() as receiver:
        subscribe(Kind.WEBHOOK, receiver.url, "decisions", events=["report.decided"])
        subscribe(Kind.WEBHOOK, receiver.url, "off", active=False)
        announce(Event.REPORT_NEW, *REPORT)
        work()
    assert receiver.got == []
    assert Delivery.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_after_a_rollback_nobody_is_told() -> None:
    def fail() -> None:
        with transaction.atomic():
            announce(Event.REPORT_NEW, *REPORT)
            raise RuntimeError

    with Receiver() as receiver:
        subscribe(Kind.WEBHOOK, receiver.url)
        with pytest.raises(RuntimeError):
            fail()
        work()
    assert (Delivery.objects.count(), DBTaskResult.objects.count(), receiver.got) == (0, 0, [])


def test_500_then_200_brings_the_same_id_and_the_same_body_again() -> None:
    with Receiver(Answer(500), Answer(200)) as receiver:
        delivery = told(receiver)
        assert (delivery.state, delivery.error) == (State.WAITING, "The receiver answered 500.")
        work()
        assert len(receiver.got) == 1, "not before its pause is over"
        later()
        work()
    first, second = receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.error) == (State.SENT, 2, "")


def test_pauses_grow_until_it_is_given_up_and_it_can_be_sent_again() -> None:
    with Receiver(Answer(503)) as receiver:
        delivery = told(receiver)
        for pause in PAUSES:
            delivery.refresh_from_db()
            left = delivery.due - timezone.now()
            assert pause - timedelta(seconds=60) < left <= pause * 1.2
            later()
            work()
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == (State.DEAD, len(PAUSES) + 1)
        later()
        work()
        assert len(receiver.got) == len(PAUSES) + 1
        receiver.answers = [Answer(204)]
        assert send_again(Delivery.objects.all()) == 1
        work()
    delivery.refresh_from_db()
    assert delivery.state == State.SENT
    assert len({got.headers["webhook-id"] for got in receiver.got}) == 1


@pytest.mark.parametrize("value", ["7200", "date"])
def test_a_receiver_that_asks_for_time_gets_it(value: str) -> None:
    when = timezone.now() + timedelta(hours=2)
    if value == "date":
        value = when.strftime("%a, %d %b %Y %H:%M:%S GMT")
    with Receiver(Answer(429, {"Retry-After": value})) as receiver:
        delivery = told(receiver)
    assert when - timedelta(minutes=1) < delivery.due < when + timedelta(hours=1)


@pytest.mark.parametrize(
    "value",
    ["", "-5", "soon", "1e9", "\u0663", "Wed, 99 Foo 2026", "Mon, 1 Jan 99999999999999999999 00:00:00 GMT"],
)
def test_a_wait_that_makes_no_sense_is_none(value: str) -> None:
    assert sending.asked_wait(value) == 0.0


def test_410_switches_the_subscription_off() -> None:
    with Receiver(Answer(410)) as receiver:
        delivery = told(receiver)
        announce(Event.REPORT_NEW, *REPORT)
        work()
    assert (delivery.state, Subscription.objects.get().active) == (State.DEAD, False)
    assert "410" in delivery.error
    assert len(receiver.got) == 1


def test_a_subscription_that_is_switched_off_in_between_gets_nothing() -> None:
    with Receiver() as receiver:
        subscription = subscribe(Kind.WEBHOOK, receiver.url)
        announce(Event.REPORT_NEW, *REPORT)
        Subscription.objects.filter(pk=subscription.pk).update(active=False)
        work()
    assert receiver.got == []
    assert Delivery.objects.get().error == "The subscription was switched off."


def test_a_redirect_is_not_followed() -> None:
    with Receiver() as inside, Receiver(Answer(302, {"Location": inside.url})) as receiver:
        delivery = told(receiver)
    assert (len(receiver.got), inside.got) == (1, [])
    assert "302" in delivery.error
    assert delivery.state == State.WAITING


def test_an_endpoint_that_is_down_is_tried_later() -> None:
    with Receiver() as receiver:
        url = receiver.url
    subscribe(Kind.WEBHOOK, url)
    announce(Event.REPORT_NEW, *REPORT)
    work()
    delivery = Delivery.objects.get()
    assert delivery.state == State.WAITING
    assert "Nothing listens" in delivery.error


def test_an_endpoint_that_hangs_is_left_and_the_next_delivery_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver(Answer(hold=threading.Event())) as hanging, Receiver() as receiver:
        impatient_with(hanging, monkeypatch)
        subscribe(Kind.WEBHOOK, hanging.url, "hangs")
        subscribe(Kind.WEBHOOK, receiver.url, "well")
        announce(Event.REPORT_NEW, *REPORT)
        work()
        assert len(receiver.got) == 1
    delivery = Delivery.objects.get(subscription__name="hangs")
    assert delivery.state == State.WAITING
    assert "Gave up" in delivery.error


def test_an_answer_of_a_gigabyte_is_not_read() -> None:
    with Receiver(Answer(200, flood=1_000_000_000)) as receiver:
        delivery = told(receiver)
    assert delivery.state == State.SENT
    assert receiver.flooded < 50_000_000


def test_a_private_address_is_refused_when_sent_too(settings: Any) -> None:
    with Receiver() as receiver:
        subscribe(Kind.WEBHOOK, receiver.url)
        settings.CULPRIT_WEBHOOKS = PUBLIC
        announce(Event.REPORT_NEW, *REPORT)
        work()
    delivery = Delivery.objects.get()
    assert (delivery.state, receiver.got) == (State.DEAD, [])
    assert "CULPRIT_WEBHOOKS" in delivery.error


def test_a_name_that_leads_to_another_place_now_is_refused(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CULPRIT_WEBHOOKS = PUBLIC
    monkeypatch.setattr("kb.notices.address.look_up", lambda host, port: ("10.1.2.3",))
    subscribe(Kind.WEBHOOK, "https://hooks.example.com/x")
    announce(Event.REPORT_NEW, *REPORT)
    work()
    delivery = Delivery.objects.get()
    assert delivery.state == State.DEAD
    assert "10.1.2.3, which is a private address" in delivery.error


def test_a_delivery_that_breaks_stops_no_other() -> None:
    with Receiver() as receiver:
        subscribe(Kind.WEBHOOK, receiver.url, "broken", secret="whsec_" + "!" * 3)
        subscribe(Kind.WEBHOOK, receiver.url, "well")
        announce(Event.REPORT_NEW, *REPORT)
        work()
    states = dict(Delivery.objects.values_list("subscription__name", "state"))
    assert states == {"broken": State.WAITING, "well": State.SENT}
    assert "Sending broke" in Delivery.objects.get(state=State.WAITING).error


def test_no_path_and_no_secret_shows_in_what_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    with Receiver(Answer(302, {"Location": "/canary-path-Xy9z"})) as receiver:
        told(receiver, Kind.SLACK)
    told_of = [str(row) for row in [*Delivery.objects.values(), *DBTaskResult.objects.values()]]
    assert "canary-path" not in "".join(told_of) + caplog.text
    assert Subscription.objects.get().shown.endswith("/…Xy9z")


def test_two_at_once_never_hold_the_same_delivery() -> None:
    subscribe(Kind.WEBHOOK, "https://hooks.example.com/x")
    announce(Event.REPORT_NEW, *REPORT)
    key = Delivery.objects.get().pk
    assert [one.pk for one in claim(key)] == [key]
    assert claim(key) == []


def test_who_comes_back_after_the_lease_changes_nothing_any_more() -> None:
    subscribe(Kind.WEBHOOK, "https://hooks.example.com/x")
    announce(Event.REPORT_NEW, *REPORT)
    key = Delivery.objects.get().pk
    late = claim(key)
    later()
    [second] = claim(key)
    settle(late, sending.Outcome("Too late."))
    second.refresh_from_db()
    assert (second.state, second.attempts, second.error) == (State.SENDING, 2, "")
    assert second.due > timezone.now() + LEASE - timedelta(minutes=1)


def test_what_lost_its_task_gets_one_and_no_second() -> None:
    with Receiver() as receiver:
        subscribe(Kind.WEBHOOK, receiver.url)
        announce(Event.REPORT_NEW, *REPORT)
        DBTaskResult.objects.all().delete()
        sweep()
        sweep()
        assert DBTaskResult.objects.count() == 1
        work()
    assert len(receiver.got) == 1


def test_what_is_old_is_forgotten() -> None:
    with Receiver() as receiver:
        delivery = told(receiver)
    long_ago = timezone.now() - timedelta(days=400)
    Delivery.objects.filter(pk=delivery.pk).update(sent=long_ago)
    DBTaskResult.objects.update(finished_at=long_ago)
    sweep()
    assert (Delivery.objects.count(), DBTaskResult.objects.count()) == (0, 0)


def test_secrets_stay_out_of_an_export(tmp_path: Path) -> None:
    from django.core.management import call_command

    subscribe(Kind.WEBHOOK, "https://hooks.example.com/canary-path")
    call_command("dumpdata", "notices", output=str(tmp_path / "dump.json"))
    text = (tmp_path / "dump.json").read_text()
    assert '"name": "ops"' in text
    assert "whsec_" not in text
    assert "canary-path" not in text
