"""Whose address counts: behind proxies of one's own the reader's, and nobody's own word."""

import pytest
from django.conf import settings as site
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from pytest_django import Settings

from kb.team.accounts import AccountAdapter
from kb.web.throttle import HOUR, address, seconds_to_wait

PROXY = "10.0.0.1"


def seen(forwarded: str | None) -> str:
    """The address that counts for a request through a proxy, and for the limits of sign-in too."""
    request = RequestFactory().get("/", REMOTE_ADDR=PROXY)
    if forwarded is not None:
        request.META["HTTP_X_FORWARDED_FOR"] = forwarded
    counted = address(request)
    assert AccountAdapter(request).get_client_ip(request) == counted
    return counted


@pytest.mark.parametrize("forwarded", [None, "", "192.0.2.7", "192.0.2.7, 192.0.2.8"])
def test_without_proxies_of_one_s_own_the_header_is_never_believed(forwarded: str | None) -> None:
    assert site.CULPRIT_PROXIES == 0
    assert seen(forwarded) == PROXY


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counts"),
    [
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        (1, "203.0.113.9,192.0.2.7", "192.0.2.7"),
        (2, "203.0.113.9, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        (1, "192.0.2.7:51234", "192.0.2.7"),
        (1, "2001:DB8::7", "2001:db8::"),
        (1, "[2001:db8:0:1:f::7]:51234", "2001:db8:0:1::"),
        (1, None, PROXY),
        (1, "", PROXY),
        (1, "192.0.2.7,", PROXY),
        (1, "192.0.2.7, unknown", PROXY),
        (1, "192.0.2.7, <script>", PROXY),
        (2, "192.0.2.7", PROXY),
    ],
)
def test_behind_proxies_what_they_added_counts_alone(
    proxies: int, forwarded: str | None, counts: str, settings: Settings
) -> None:
    settings.CULPRIT_PROXIES = proxies
    assert seen(forwarded) == counts


def wrong_tries(client: Client, forwarded: list[str]) -> int:
    """Wrong passwords for as many names, through one proxy; the status of a last try from elsewhere."""
    for number, header in enumerate(forwarded):
        given = {"login": f"user{number}", "password": "wrong"}
        tried = client.post("/sign-in/", given, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=header)
        assert tried.status_code == 422
    given = {"login": "rita", "password": "a long enough word"}
    last = client.post("/sign-in/", given, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR="192.0.2.99")
    return last.status_code


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("proxies", "forwarded", "answer"),
    [
        (0, "192.0.2.{}", 429),  # whoever writes the header is still the one who calls
        (1, "192.0.2.7", 302),  # one reader's tries lock nobody else out
        (1, "203.0.113.{}, 192.0.2.99", 429),  # and an invented beginning helps nobody
    ],
)
def test_the_lock_of_an_address_is_the_reader_s(
    proxies: int, forwarded: str, answer: int, client: Client, settings: Settings
) -> None:
    settings.CULPRIT_PROXIES = proxies
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.create_user("rita", password="a long enough word")
    assert wrong_tries(client, [forwarded.format(number) for number in range(10)]) == answer


def test_a_limit_in_force_is_not_lifted_by_many_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.web.throttle.time.time", lambda: 1_000_000_005.0)
    assert seconds_to_wait("paid", "192.0.2.1", 1, HOUR) == 0
    for number in range(400):
        seconds_to_wait("paid", f"192.0.3.{number}", 1, HOUR)
    assert seconds_to_wait("paid", "192.0.2.1", 1, HOUR) > 0
