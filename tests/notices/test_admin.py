"""Subscriptions and deliveries in the admin: what is refused and why, and what is never shown again."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from kb.audit.models import Entry
from kb.notices.models import Delivery, Event, Kind, State, Subscription
from kb.notices.outbox import announce
from tests.notices.conftest import PUBLIC, REPORT, subscribe, work
from tests.notices.receivers import Answer, Receiver

pytestmark = pytest.mark.django_db
ADD = "/admin/notices/subscription/add/"


def add(client: Client, **more: Any) -> str:
    """Fill in the form; the page that comes of it."""
    data = {"name": "ops", "kind": "webhook", "address": "", "events": ["report.new"], "active": "on", **more}
    return client.post(ADD, data, follow=True).content.decode()


def test_a_signing_secret_is_shown_once_and_never_again(admin_client: Client) -> None:
    with Receiver() as receiver:
        page = add(admin_client, address=receiver.url)
    subscription = Subscription.objects.get()
    assert re.findall(r"whsec_[\w+/=]+", page) == [subscription.secret]
    for url in ("/admin/notices/subscription/", f"/admin/notices/subscription/{subscription.pk}/change/"):
        again = admin_client.get(url).content.decode()
        assert "whsec_" not in again
        assert "canary-path" not in again
        assert "/…Xy9z" in again


def test_the_page_with_the_secret_is_kept_nowhere(admin_client: Client) -> None:
    data = {"name": "ops", "kind": "webhook", "events": ["report.new"], "active": "on"}
    with Receiver() as receiver:
        answer = admin_client.post(ADD, data | {"address": receiver.url})
    assert "no-store" in answer["Cache-Control"]
    assert "whsec_" not in str(answer.cookies)


@pytest.mark.parametrize(
    ("kind", "address", "says"),
    [
        ("webhook", "", "Give an e-mail address"),
        ("webhook", "ops@example.com", "begins with https://"),
        ("slack", "https://10.0.0.5/hook", "a private address"),
        ("slack", "https://10.0.0.5/hook", "lists what it may call in CULPRIT_WEBHOOKS"),
        ("webhook", "https://169.254.169.254/latest", "a metadata service"),
        ("webhook", "http://203.0.113.9/hook", "Give an https:// address."),
        ("webhook", "http://example.com/hook", "Give an https:// address."),
        ("webhook", "https://user:canary@example.com/", "Leave user name and password out"),
        ("webhook", "https://93.184.216.34:22/x", "ports 80, 443, 4000, 8080 only"),
        ("webhook", "https://example.com/a b", "without spaces"),
        ("webhook", "ftp://example.com/", "Give the whole address"),
        ("email", "ops@example.com", "set EMAIL_URL and EMAIL_FROM"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_words(
    kind: str, address: str, says: str, admin_client: Client, settings: Any
) -> None:
    settings.CULPRIT_WEBHOOKS = PUBLIC
    settings.EMAIL_HOST = ""
    page = add(admin_client, kind=kind, address=address)
    assert says in page.replace("&#x27;", "'")
    assert Subscription.objects.count() == 0
    assert 'value="ops"' in page
    assert "canary" not in page


def test_a_name_that_leads_to_a_private_address_is_refused(
    admin_client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CULPRIT_WEBHOOKS = PUBLIC
    monkeypatch.setattr("kb.notices.address.look_up", lambda host, port: ("93.184.216.34", "10.1.2.3"))
    assert "resolves to 10.1.2.3, which is a private address" in add(
        admin_client, address="https://hooks.example.com/x"
    )


def test_a_mail_address_is_checked_and_kept_in_the_form(admin_client: Client, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    page = add(admin_client, kind="email", address="no mail address")
    assert "Enter a valid email address." in page
    assert 'value="no mail address"' in page
    add(admin_client, kind="email", address="ops@example.com")
    assert Subscription.objects.get().shown == "ops@example.com"


def test_a_subscription_can_be_switched_off_though_its_receiver_is_gone(
    admin_client: Client, settings: Any
) -> None:
    subscription = subscribe(Kind.SLACK, "https://10.0.0.5/services/a-long-and-secret-path")
    settings.CULPRIT_WEBHOOKS = PUBLIC
    url = f"/admin/notices/subscription/{subscription.pk}/change/"
    admin_client.post(url, {"name": "renamed", "address": "", "events": ["guide.due"]})
    subscription.refresh_from_db()
    assert (subscription.name, subscription.active, subscription.events) == ("renamed", False, ["guide.due"])
    assert subscription.address.endswith("a-long-and-secret-path")


def test_an_imported_subscription_gets_a_secret_that_is_shown(admin_client: Client) -> None:
    subscription = subscribe(Kind.WEBHOOK, "")
    Subscription.objects.update(secret="")
    url = f"/admin/notices/subscription/{subscription.pk}/change/"
    data = {"name": "ops", "address": "", "events": ["guide.due"], "active": "on"}
    assert "Give an e-mail address" in admin_client.post(url, data).content.decode()
    with Receiver() as receiver:
        page = admin_client.post(url, data | {"address": receiver.url}).content.decode()
    subscription.refresh_from_db()
    assert subscription.secret.startswith("whsec_")
    assert subscription.secret.replace("+", "&#x2B;") in page.replace("+", "&#x2B;")


def test_without_events_it_is_refused(admin_client: Client) -> None:
    page = add(admin_client, address="https://example.com/", events=[])
    assert "This field is required." in page


def test_a_test_notice_goes_the_whole_way(admin_client: Client) -> None:
    with Receiver() as receiver:
        subscription = subscribe(Kind.WEBHOOK, receiver.url)
        data = {"action": "send_test", "_selected_action": [subscription.pk]}
        page = admin_client.post("/admin/notices/subscription/", data, follow=True).content.decode()
        assert "1 on the way" in page
        assert Entry.objects.filter(what="notice.tested", who="admin", about="subscription ops").exists()
        work()
    assert b'"type": "test"' in receiver.got[0].body


def test_what_was_given_up_is_listed_and_sent_again(admin_client: Client) -> None:
    with Receiver(Answer(410), Answer(200)) as receiver:
        subscribe(Kind.WEBHOOK, receiver.url)
        announce(Event.REPORT_NEW, *REPORT)
        work()
        url = "/admin/notices/delivery/"
        page = admin_client.get(f"{url}?state__exact=dead").content.decode()
        assert REPORT[0] in page
        assert "wants no more: switched off" in page
        Subscription.objects.update(active=True)
        data = {"action": "again", "_selected_action": [Delivery.objects.get().pk]}
        assert "1 on the way again" in admin_client.post(url, data, follow=True).content.decode()
        work()
    assert Delivery.objects.get().state == State.SENT
    assert Entry.objects.get(what="notice.sent_again").details == {"number": 1}
    assert "None of these" in admin_client.post(url, data, follow=True).content.decode()


def test_the_list_says_in_a_sentence_what_came_of_each(admin_client: Client) -> None:
    subscription = subscribe(Kind.EMAIL, "team@example.com")
    at = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
    for state, error in ((State.WAITING, "Timed out"), (State.SENT, ""), (State.DEAD, "It said 404")):
        Delivery.objects.create(
            subscription=subscription, event="guide.due", subject=f"A {state} one", path="/due/",
            state=state, error=error, due=at, sent=at,
        )  # fmt: skip
    page = admin_client.get("/admin/notices/delivery/").content.decode()
    for words in (
        "Waits, tried next 25 Nov, 09:30: Timed out",
        "Sent 25 Nov, 09:30",
        "Given up: It said 404",
    ):
        assert words in page
