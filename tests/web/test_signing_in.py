"""Signing in and out; pages of those who don't are as they always were."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough word"


@pytest.fixture(autouse=True)
def _in_one_minute(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """Tries are counted in one minute, and passwords need no long sum."""
    monkeypatch.setattr("kb.web.throttle.time.time", lambda: 1_000_000_005.0)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def rita() -> User:
    """A reviewer with a password."""
    user = User.objects.create_user("rita", password=PASSWORD)
    user.groups.add(Group.objects.get(name="Reviewers"))
    return user


def sign_in(client: Client, name: str = "rita", password: str = PASSWORD, **more: Any) -> Any:
    """What the form answers."""
    return client.post("/sign-in/", {"login": name, "password": password, **more})


def test_a_reviewer_signs_in_and_comes_to_the_queue(library: Path, client: Client, rita: User) -> None:
    answer = sign_in(client)
    assert (answer.status_code, answer["Location"]) == (302, "/review/")
    page = client.get("/review/").content.decode()
    assert "Signed in as <b>rita</b>" in page
    assert client.post("/sign-out/")["Location"] == "/"
    assert client.get("/review/")["Location"] == "/sign-in/?next=/review/"


def test_who_reviews_nothing_comes_to_the_front_page(library: Path, client: Client) -> None:
    User.objects.create_user("otto", password=PASSWORD)
    answer = sign_in(client, "otto")
    assert answer["Location"] == "/"
    page = client.get("/").content.decode()
    assert "Signed in as <b>otto</b>" in page
    assert 'href="/review/"' not in page


def test_signing_out_needs_a_post(client: Client, rita: User) -> None:
    client.force_login(rita)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/review/").status_code == 200


def test_a_wrong_password_keeps_the_name_and_never_the_password(client: Client, rita: User) -> None:
    answer = sign_in(client, password="not-the-word")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "don&#x27;t belong together" in page
    assert 'value="rita"' in page
    assert "not-the-word" not in page


@pytest.mark.parametrize("name", ["", "nobody", "nu\0ll", "x" * 5000, "<b>bold</b>"])
def test_names_that_make_no_sense_are_refused(client: Client, name: str) -> None:
    answer = sign_in(client, name)
    assert answer.status_code == 422
    assert "<b>bold</b>" not in answer.content.decode()


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/review/?state=all", "/review/?state=all"),
        ("//evil.example/", "/review/"),
        ("https://evil.example/", "/review/"),
        ("javascript:alert(1)", "/review/"),
        ("/\\evil.example", "/review/"),
    ],
)
def test_next_leads_to_this_site_alone(client: Client, rita: User, wanted: str, leads_to: str) -> None:
    assert sign_in(client, next=wanted)["Location"] == leads_to


def test_five_wrong_tries_lock_a_name_for_five_minutes_whatever_the_address(
    client: Client, rita: User
) -> None:
    for n in range(5):
        answer = client.post("/sign-in/", {"login": "Rita ", "password": "wrong"}, REMOTE_ADDR=f"192.0.2.{n}")
        assert answer.status_code == 422
    answer = client.post("/sign-in/", {"login": "rita", "password": PASSWORD}, REMOTE_ADDR="192.0.2.99")
    page = answer.content.decode()
    assert answer.status_code == 429
    assert answer["Retry-After"] == "300"
    assert "Wait five minutes, then try again." in page
    assert 'value="rita"' in page
    assert PASSWORD not in page
    assert client.get("/review/").status_code == 302


def test_ten_tries_a_minute_from_an_address_whatever_the_name(client: Client, rita: User) -> None:
    for n in range(10):
        assert sign_in(client, f"user{n}").status_code == 422
    assert sign_in(client).status_code == 429
    answer = client.post("/sign-in/", {"login": "rita", "password": PASSWORD}, REMOTE_ADDR="192.0.2.1")
    assert answer.status_code == 302


def test_the_admin_s_sign_in_is_the_site_s_and_counts_tries_too(client: Client, admin_user: User) -> None:
    asked = client.get("/admin/", follow=True)
    assert asked.redirect_chain[-1] == ("/sign-in/?next=/admin/", 302)
    assert 'value="/admin/"' in asked.content.decode()
    given = {"login": "admin", "password": "password", "next": "/admin/"}
    assert client.post("/admin/login/?next=/admin/", given)["Location"] == "/sign-in/?next=/admin/"
    assert client.get("/admin/").status_code == 302
    for _ in range(5):
        assert client.post("/sign-in/", given | {"password": "x"}).status_code == 422
    assert client.post("/sign-in/", given).status_code == 429


def test_signing_in_leads_to_the_admin_if_that_was_asked_for(client: Client, admin_user: User) -> None:
    given = {"login": "admin", "password": "password", "next": "/admin/"}
    assert client.post("/sign-in/?next=/admin/", given)["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_the_form_needs_its_token(rita: User) -> None:
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_the_sign_in_page_is_not_kept(client: Client) -> None:
    answer = client.get("/sign-in/")
    assert "no-store" in answer["Cache-Control"]
    assert 'name="robots" content="noindex"' in answer.content.decode()


@pytest.mark.parametrize("path", ["/", "/errors/", "/errors/gate/coin/", "/categories/quota-rate/"])
def test_pages_for_everybody_vary_by_no_cookie(library: Path, client: Client, path: str) -> None:
    answer = client.get(path)
    assert "Cookie" not in answer.get("Vary", "")
    assert not answer.cookies
    assert "Signed in" not in answer.content.decode()
    assert client.get(path).content == answer.content


@pytest.mark.parametrize("path", ["/", "/errors/", "/errors/gate/coin/reports/"])
def test_a_signed_in_reader_s_pages_are_theirs_alone(
    library: Path, client: Client, rita: User, path: str
) -> None:
    assert "public" in client.get(path)["Cache-Control"]
    client.force_login(rita)
    answer = client.get(path)
    assert "private" in answer["Cache-Control"]
    assert "public" not in answer["Cache-Control"]
    assert "Signed in as <b>rita</b>" in answer.content.decode()


def test_a_name_is_shown_as_text(library: Path, client: Client) -> None:
    client.force_login(User.objects.create_user("<script>x</script>"))
    page = client.get("/").content.decode()
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_without_a_database_the_page_that_says_so_needs_no_session(
    library: Path, lenient_client: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient_client.force_login(rita)

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    answer = lenient_client.get("/errors/gate/coin/")
    assert answer.status_code in (200, 503)
    assert "Culprit" in answer.content.decode()
    monkeypatch.setattr("kb.guides.views.get_object_or_404", away)
    assert lenient_client.get("/errors/gate/coin/").status_code == 503
