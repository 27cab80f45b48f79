"""What the book says of accounts: refusals, lock-outs, second factors, passwords, sessions, and the end."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from kb.audit.models import Entry
from tests.team.test_accounts import PASSWORD, code_for, confirm, member, signed_in, with_app

pytestmark = pytest.mark.django_db


def lines(*what: str) -> list[tuple[str, str, str, int]]:
    """(what, who, about, how often) of the book, the oldest first."""
    rows = Entry.objects.filter(what__in=what).order_by("pk")
    return [(row.what, row.who, row.about, row.details.get("times", 0)) for row in rows]


def refuse(client: Client, name: str, times: int = 1) -> None:
    """Wrong passwords."""
    for _ in range(times):
        client.post("/sign-in/", {"login": name, "password": "not-this-word"})


def test_refusals_and_lock_outs_are_counted_by_account(client: Client) -> None:
    member("ann")
    refuse(client, "Ann", 7)
    assert lines("session.refused", "session.locked_out") == [
        ("session.refused", "", "user ann", 5),
        ("session.locked_out", "", "user ann", 2),
    ]
    assert Entry.objects.filter(path__startswith="/admin/auth/user/").count() == 2


def test_a_flood_of_refusals_fills_no_table_and_names_no_unknown_user(client: Client) -> None:
    for n in range(30):
        cache.clear()  # from an address of its own each time
        refuse(client, f"hunter{n}")
    assert lines("session.refused") == [("session.refused", "", "a user name that is nobody's", 30)]
    kept = str(list(Entry.objects.values()))
    assert "hunter" not in kept
    assert "not-this-word" not in kept


def test_the_next_hour_has_its_own_line(client: Client) -> None:
    member("ann")
    refuse(client, "ann")
    Entry.objects.update(at=timezone.now() - timedelta(minutes=61))
    refuse(client, "ann", 2)
    assert [times for *_, times in lines("session.refused")] == [1, 2]


def test_a_wrong_code_is_counted_and_a_right_one_is_not(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    member("ann")
    with django_capture_on_commit_callbacks(execute=True):
        secret = with_app(signed_in("ann"))
    there = signed_in("ann")
    for _ in range(7):
        there.post("/sign-in/second-factor/", {"code": "000000"})
    assert lines("session.wrong_code", "session.locked_out") == [
        ("session.wrong_code", "", "user ann", 5),
        ("session.locked_out", "", "user ann", 2),
    ]
    cache.clear()
    assert there.post("/sign-in/second-factor/", {"code": code_for(secret)}).status_code == 302
    assert lines("session.wrong_code")[0][3] == 5
    assert secret not in str(list(Entry.objects.values()))


def test_a_passkey_that_is_nobody_s_is_counted_without_a_word_of_it(client: Client) -> None:
    member("ann")
    client.get("/sign-in/passkey/", headers={"accept": "application/json"})
    for odd in (
        '{"id": "made-up"}',
        '{"id": "made-up", "rawId": 7}',
        "[1]",
        '"x"',
        "{}",
        '{"rawId": "bWFkZQ"}',
    ):
        answer = client.post("/sign-in/passkey/", {"credential": odd})
        assert answer.status_code == 302, odd
    assert lines("session.wrong_code") == [("session.wrong_code", "", "a passkey that is nobody's", 5)]
    assert "made" not in str(list(Entry.objects.values()))


def test_second_factors_come_and_go_in_the_book(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    member("ann")
    here = signed_in("ann")
    with django_capture_on_commit_callbacks(execute=True):
        with_app(here)
    here.post("/me/second-factor/app/remove/")
    assert lines("factor.added", "factor.removed") == [
        ("factor.added", "ann", "authenticator app", 0),
        ("factor.added", "ann", "recovery codes", 0),
        ("factor.removed", "ann", "authenticator app", 0),
        ("factor.removed", "ann", "recovery codes", 0),
    ]


def test_a_changed_password_and_ended_sessions_are_in_the_book(client: Client) -> None:
    ann = member("ann")
    here = signed_in("ann")
    given = {"oldpassword": PASSWORD, "password1": "another long word", "password2": "another long word"}
    here.post("/me/password/", given | {"oldpassword": "not-this-word"})
    assert lines("password.changed") == []
    here.post("/me/password/", given)
    assert lines("password.changed") == [("password.changed", "ann", "own account", 0)]
    ann.set_password(PASSWORD)
    ann.save()
    here, others = signed_in("ann"), [signed_in("ann") for _ in range(3)]
    stolen = ann.usersession_set.get(session_key=others[0].session.session_key)
    here.post(f"/me/sessions/{stolen.pk}/end/")
    here.post("/me/sessions/end/")
    assert [row[2] for row in lines("session.ended")] == ["another of their own", "all others of their own"]
    assert Entry.objects.get(about="all others of their own").details == {"number": 2}
    assert "long word" not in str(list(Entry.objects.values()))


def test_an_erased_account_leaves_one_line_without_a_name(client: Client) -> None:
    member("ann")
    refuse(client, "ann")
    here = signed_in("ann")
    confirm(here)
    here.post("/me/erase/", {"name": "ann"})
    assert not User.objects.exists()
    assert lines("person.erased") == [("person.erased", "", "own account", 0)]
    assert "ann" not in str(list(Entry.objects.values("who", "about", "details", "path")))


def test_administrators_see_it(client: Client) -> None:
    member("adam", "Administrators")
    refuse(client, "<b>bold</b>")
    page = signed_in("adam").get("/audit/?what=session.refused").content.decode()
    assert "a user name that is nobody&#x27;s" in page
    assert "times: 1" in page
    assert "bold" not in page


def test_the_admin_s_link_to_change_a_password_leads_to_where_the_book_is_told(boss: Client) -> None:
    for send in (boss.get, boss.post):
        assert send("/admin/password_change/")["Location"] == "/me/password/"
