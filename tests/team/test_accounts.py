"""Accounts with passwords: sessions, second factors, the person's page, what is kept, and its end."""

import re
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import call_command
from django.db.models import Q
from django.test import Client

from kb.audit.models import Entry
from kb.evidence.models import Decision, EvidenceReport, State
from kb.evidence.moderation import decide
from kb.guides.models import Guide, Tool
from kb.notices.models import Delivery, Subscription
from kb.team.models import Note

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough word"


@pytest.fixture(autouse=True)
def _strict(settings: Any) -> None:
    """As an instance that nobody configured."""
    settings.CULPRIT_PRIVATE = settings.CULPRIT_SECOND_FACTOR = False


def member(name: str, role: str = "") -> User:
    """An account with a password, and maybe a role."""
    user = User.objects.create_user(name, password=PASSWORD)
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def signed_in(name: str, **more: Any) -> Client:
    """A browser in which this person has signed in."""
    client = Client(**more)
    answer = client.post("/sign-in/", {"login": name, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client


def confirm(client: Client, password: str = PASSWORD) -> Any:
    """Answers the question whether it is really them."""
    return client.post("/me/confirm/", {"password": password, "next": "/me/"})


def code_for(secret: str) -> str:
    """What an authenticator app shows now."""
    return format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))


def with_app(client: Client) -> str:
    """Sets up an authenticator app; its secret."""
    confirm(client)
    page = client.get("/me/second-factor/app/").content.decode()
    found = re.search(r'class="secret">([A-Z2-7]+)<', page)
    assert found
    answer = client.post("/me/second-factor/app/", {"code": code_for(found[1])})
    assert answer.status_code == 302, answer.content.decode()
    cache.clear()  # the app's next code
    return found[1]


def test_passwords_are_kept_with_argon2(client: Client) -> None:
    assert member("ann").password.startswith("argon2$")


def test_a_password_of_an_older_kind_is_kept_anew_at_sign_in(client: Client) -> None:
    from django.contrib.auth.hashers import make_password

    ann = member("ann")
    User.objects.filter(pk=ann.pk).update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
    signed_in("ann")
    ann.refresh_from_db()
    assert ann.password.startswith("argon2$")


@pytest.mark.parametrize("path", ["/sign-up/", "/accounts/signup/", "/signup/", "/sign-in/signup/"])
def test_nobody_makes_an_account_for_themselves(library: Path, client: Client, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.post(path, {"username": "eve", "password1": PASSWORD}).status_code == 404
    assert not User.objects.exists()


def test_createsuperuser_makes_the_first_account(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", "--noinput", username="root", email="", verbosity=0)
    assert signed_in("root").get("/admin/").status_code == 200


def test_the_session_s_id_changes_at_sign_in(client: Client) -> None:
    member("ann")
    session = client.session
    session["before"] = 1
    session.save()
    before = client.session.session_key
    client.post("/sign-in/", {"login": "ann", "password": PASSWORD})
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_a_right_password_does_not_wipe_the_wrong_tries(client: Client) -> None:
    member("ann")
    for _ in range(4):
        assert client.post("/sign-in/", {"login": "ann", "password": "wrong"}).status_code == 422
    signed_in("ann")
    assert client.post("/sign-in/", {"login": "ann", "password": "wrong"}).status_code == 422
    assert client.post("/sign-in/", {"login": "ann", "password": PASSWORD}).status_code == 429


def test_changing_the_password_ends_the_other_sessions(client: Client) -> None:
    member("ann")
    here, there = signed_in("ann"), signed_in("ann")
    given = {"oldpassword": PASSWORD, "password1": "another long word", "password2": "another long word"}
    wrong = here.post("/me/password/", given | {"oldpassword": "wrong"})
    assert "This is not your password." in wrong.content.decode()
    short = here.post("/me/password/", given | {"password1": "short", "password2": "short"})
    assert "too short" in short.content.decode()
    before = here.session.session_key
    assert here.post("/me/password/", given)["Location"] == "/me/"
    assert "Your password is changed" in here.get("/me/").content.decode()
    assert here.session.session_key != before
    assert there.get("/me/").status_code == 302
    assert Client().post("/sign-in/", {"login": "ann", "password": PASSWORD}).status_code == 422


def test_the_page_lists_my_sessions_and_nobody_else_s(client: Client) -> None:
    member("ann")
    member("bob")
    here = signed_in("ann", headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/133.0"})
    signed_in("ann", headers={"user-agent": "Mozilla/5.0 (iPhone) Version/18.1 Mobile Safari/604.1"})
    signed_in("bob", headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/131.0 Safari/537.36"})
    page = here.get("/me/").content.decode()
    assert "Firefox on Linux, here" in page
    assert "Safari on iPhone" in page
    assert "Mozilla" not in page
    assert "Windows" not in page
    assert here.session.session_key not in page


def test_a_stolen_cookie_is_refused_once_its_session_is_ended(client: Client) -> None:
    member("ann", "Reviewers")
    here, thief = signed_in("ann"), Client()
    there = signed_in("ann")
    thief.cookies = there.cookies.copy()
    assert thief.get("/review/").status_code == 200
    stolen = UserSession.objects.get(session_key=there.session.session_key)
    assert here.post(f"/me/sessions/{stolen.pk}/end/")["Location"] == "/me/"
    assert thief.get("/review/").status_code == 302
    assert there.get("/me/").status_code == 302
    assert here.get("/review/").status_code == 200


def test_all_other_sessions_end_at_once(client: Client) -> None:
    member("ann")
    here, others = signed_in("ann"), [signed_in("ann") for _ in range(3)]
    here.post("/me/sessions/end/")
    assert "3 other sessions have ended." in here.get("/me/").content.decode()
    assert [other.get("/me/").status_code for other in others] == [302, 302, 302]
    assert here.get("/me/").status_code == 200


def test_ending_this_session_signs_out(client: Client) -> None:
    member("ann")
    here = signed_in("ann")
    mine = UserSession.objects.get()
    assert here.post(f"/me/sessions/{mine.pk}/end/")["Location"] == "/sign-in/"
    assert here.get("/me/").status_code == 302


def test_nobody_ends_another_s_session(client: Client) -> None:
    member("ann")
    member("bob")
    ann = signed_in("ann")
    other = UserSession.objects.get(user__username="ann")
    assert signed_in("bob").post(f"/me/sessions/{other.pk}/end/").status_code == 404
    assert ann.get("/me/").status_code == 200
    assert ann.get(f"/me/sessions/{other.pk}/end/").status_code == 405


def test_an_app_is_set_up_after_the_password_and_then_asked_for(client: Client) -> None:
    member("ann", "Reviewers")
    here = signed_in("ann")
    assert here.get("/me/second-factor/app/")["Location"].startswith("/me/confirm/")
    assert "This is not your password." in confirm(here, "wrong").content.decode()
    secret = with_app(here)
    codes = re.findall(r"<code>(\d+)</code>", here.get("/me/second-factor/codes/").content.decode())
    assert len(codes) == 10
    assert re.findall(r"<code>(\d+)</code>", here.get("/me/second-factor/codes/").content.decode()) == []

    there = signed_in("ann")
    assert there.get("/review/").status_code == 302
    asked = there.get("/sign-in/second-factor/").content.decode()
    assert "recovery code" in asked
    wrong = there.post("/sign-in/second-factor/", {"code": "000000"})
    assert "This code is wrong" in wrong.content.decode()
    assert there.post("/sign-in/second-factor/", {"code": code_for(secret)})["Location"] == "/review/"
    assert there.get("/review/").status_code == 200


def test_a_code_is_good_once(client: Client) -> None:
    member("ann")
    secret = with_app(signed_in("ann"))
    code = code_for(secret)
    first, second = signed_in("ann"), signed_in("ann")
    assert first.post("/sign-in/second-factor/", {"code": code}).status_code == 302
    assert second.post("/sign-in/second-factor/", {"code": code}).status_code == 200
    assert second.get("/me/").status_code == 302


def test_a_recovery_code_signs_in_once(client: Client) -> None:
    member("ann")
    here = signed_in("ann")
    with_app(here)
    code = re.findall(r"<code>(\d+)</code>", here.get("/me/second-factor/codes/").content.decode())[0]
    there, again = signed_in("ann"), signed_in("ann")
    assert there.post("/sign-in/second-factor/", {"code": code}).status_code == 302
    assert there.get("/me/").status_code == 200
    assert again.post("/sign-in/second-factor/", {"code": code}).status_code == 200
    assert again.get("/me/").status_code == 302


def test_wrong_codes_lock_too(client: Client) -> None:
    member("ann")
    secret = with_app(signed_in("ann"))
    there = signed_in("ann")
    for _ in range(5):
        there.post("/sign-in/second-factor/", {"code": "000000"})
    answer = there.post("/sign-in/second-factor/", {"code": code_for(secret)})
    assert "Wait five minutes" in answer.content.decode()
    assert there.get("/me/").status_code == 302


def test_the_app_s_secret_is_kept_encrypted(client: Client, settings: Any) -> None:
    member("ann")
    secret = with_app(signed_in("ann"))
    kept = Authenticator.objects.get(type="totp")
    assert secret not in str(kept.data)
    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))
    settings.SECRET_KEY = "another site's secret of at least 32 characters"
    assert kept.wrap().validate_code(code_for(secret)) is False


def test_the_app_is_removed_after_the_password(client: Client) -> None:
    member("ann")
    here = signed_in("ann")
    with_app(here)
    here.post("/me/second-factor/app/remove/")
    assert not Authenticator.objects.exists()
    assert signed_in("ann").get("/me/").status_code == 200


@pytest.mark.parametrize("role", ["Reviewers", "Editors", "Administrators"])
def test_where_it_is_asked_for_strong_rights_need_a_second_factor(
    library: Path, client: Client, settings: Any, role: str
) -> None:
    settings.CULPRIT_SECOND_FACTOR = True
    member("ann", role)
    here = signed_in("ann")
    for path in ("/review/", "/admin/", "/", "/errors/gate/coin/", "/nowhere/"):
        assert here.get(path)["Location"].startswith("/me/second-factor/?next="), path
    assert here.post("/review/", {"after": "accepted"}).status_code == 302
    told = here.get("/", headers={"accept": "application/json"})
    assert (told.status_code, told.json()["error"]) == (403, "Set up a second factor first.")
    page = here.get("/me/second-factor/").content.decode()
    assert "Set one up now" in page
    with_app(here)
    assert here.get("/review/").status_code == 200
    assert "Set one up now" not in here.get("/me/second-factor/").content.decode()


def test_who_has_no_strong_rights_needs_none(library: Path, client: Client, settings: Any) -> None:
    settings.CULPRIT_SECOND_FACTOR = True
    member("ann", "Reporters")
    assert signed_in("ann").get("/errors/").status_code == 200
    assert client.get("/errors/").status_code == 200


def test_a_superuser_needs_one_too(library: Path, client: Client, settings: Any) -> None:
    settings.CULPRIT_SECOND_FACTOR = True
    User.objects.create_superuser("root", password=PASSWORD)
    assert signed_in("root").get("/admin/")["Location"].startswith("/me/second-factor/")


def busy(user: User) -> EvidenceReport:
    """Somebody who reported, decided and noted something."""
    guide, tool = Guide.objects.filter(slug="coin").get(), Tool.objects.first()
    assert tool
    report = EvidenceReport.objects.create(
        tool=tool, guide=guide, by=user, form="one", story="It broke on a Monday."
    )
    decide(report, State.ACCEPTED, "", user, 0)
    Note.objects.create(guide=guide, words="Ask the night shift.", owner=user, by=user)
    return report


def test_i_can_download_all_that_is_kept_of_me_and_nothing_of_others(library: Path, client: Client) -> None:
    ann = member("ann", "Reviewers")
    busy(ann)
    other = member("bob")
    EvidenceReport.objects.create(tool=Tool.objects.all()[0], by=other, form="two", story="Bob's story.")
    here = signed_in("ann")
    with_app(here)
    answer = here.get("/me/data.json")
    assert 'filename="culprit-my-data.json"' in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    kept = answer.json()
    assert kept["account"]["user_name"] == "ann"
    assert kept["account"]["groups"] == ["Reviewers"]
    assert len(kept["sessions"]) == 1
    assert {row["type"] for row in kept["second_factors"]} == {"totp", "recovery_codes"}
    assert kept["evidence.evidencereport.by"][0]["fields"]["story"] == "It broke on a Monday."
    assert kept["evidence.decision.by"][0]["fields"]["after"] == "accepted"
    assert kept["team.note.owner"][0]["fields"]["words"] == "Ask the night shift."
    text = answer.content.decode()
    assert "Bob's story" not in text
    assert "argon2" not in text
    assert here.session.session_key not in text


def test_erasing_my_account_keeps_what_i_wrote_without_my_name(library: Path, client: Client) -> None:
    ann = member("ann", "Reviewers")
    report = busy(ann)
    here, there = signed_in("ann"), signed_in("ann")
    assert here.get("/me/erase/")["Location"].startswith("/me/confirm/")
    confirm(here)
    assert here.post("/me/erase/", {"name": "anne"}).status_code == 422
    assert User.objects.filter(username="ann").exists()
    gone = here.post("/me/erase/", {"name": "ann"})
    assert "Your account is erased" in gone.content.decode()
    assert not User.objects.exists()
    report.refresh_from_db()
    assert (report.by, report.story, report.state) == (None, "It broke on a Monday.", State.ACCEPTED)
    assert Decision.objects.get().by is None
    assert Note.objects.get().owner is None
    assert not UserSession.objects.exists()
    for browser in (here, there):
        assert browser.get("/me/").status_code == 302
    assert not Entry.objects.filter(who="ann").exists()


def administer(client: Client, action: str, *people: User, **more: str) -> Any:
    """Runs an action of the admin's list of people."""
    given = {"action": action, "_selected_action": [person.pk for person in people], **more}
    return client.post("/admin/auth/user/", given)


def deeds() -> set[tuple[str, str]]:
    """Who did what, as the book has it."""
    return set(Entry.objects.values_list("who", "what"))


def test_an_administrator_downloads_and_erases_for_others(library: Path, client: Client) -> None:
    ann = member("ann", "Reviewers")
    report = busy(ann)
    member("adam", "Administrators")
    here = signed_in("adam")
    given = {"username": "ann", "first_name": "Ann", "last_name": "Ash", "is_active": "on"}
    assert here.post(f"/admin/auth/user/{ann.pk}/change/", given).status_code == 302
    mail = Subscription.objects.create(name="mail", kind="email", address="a@example.com", events=[])
    for facts in ([["decided by", "ann"], ["decision", "accepted"]], [["Owner", "Ann Ash"]]):
        Delivery.objects.create(subscription=mail, event="report.decided", facts=facts)
    assert Entry.objects.filter(about="user ann").exists()
    file = administer(here, "export_data", ann)
    assert file.json()["account"]["user_name"] == "ann"
    asked = administer(here, "erase_people", ann)
    assert "Erase 1 account?" in asked.content.decode()
    assert User.objects.filter(pk=ann.pk).exists()
    administer(here, "erase_people", ann, sure="yes")
    assert not User.objects.filter(pk=ann.pk).exists()
    assert deeds() >= {("adam", "person.downloaded"), ("adam", "person.erased")}
    for rows in (Entry.objects.filter(Q(about__contains="ann") | Q(who="ann")), LogEntry.objects.all()):
        assert "ann" not in str(list(rows.values())).lower()
    assert sorted(map(len, Delivery.objects.values_list("facts", flat=True))) == [0, 1]
    assert "ann" not in str(list(Delivery.objects.values_list("facts"))).lower()
    report.refresh_from_db()
    assert report.by is None


def test_an_administrator_makes_accounts_and_ends_sessions(client: Client) -> None:
    ann = member("ann")
    member("adam", "Administrators")
    here, hers = signed_in("adam"), signed_in("ann")
    with_app(hers)
    given = {"username": "new", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert here.post("/admin/auth/user/add/", given).status_code == 302
    assert signed_in("new").get("/me/").status_code == 200
    administer(here, "end_sessions", ann)
    assert hers.get("/me/").status_code == 302
    administer(here, "remove_second_factors", ann)
    assert deeds() >= {("adam", "person.sessions_ended"), ("adam", "person.factors_removed")}
    assert Entry.objects.filter(what="person.factors_removed", about="user ann").exists()
    assert signed_in("ann").get("/me/").status_code == 200


def test_an_administrator_touches_no_superuser_and_becomes_none(client: Client) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    adam = member("adam", "Administrators")
    here = signed_in("adam")
    administer(here, "erase_people", root, sure="yes")
    administer(here, "remove_second_factors", root)
    assert User.objects.filter(pk=root.pk).exists()
    changed = here.post(f"/admin/auth/user/{root.pk}/change/", {"username": "mine"})
    assert changed.status_code == 403
    assert here.get(f"/admin/auth/user/{root.pk}/password/").status_code == 403
    here.post(
        f"/admin/auth/user/{adam.pk}/change/", {"username": "adam", "is_superuser": "on", "is_active": "on"}
    )
    adam.refresh_from_db()
    assert not adam.is_superuser


@pytest.mark.parametrize("staff", [True, False])
def test_the_admin_is_for_administrators_alone(client: Client, staff: bool) -> None:
    ann = member("ann", "Editors")
    User.objects.update(is_staff=staff)
    here = signed_in("ann")
    answer = here.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert here.get("/admin/auth/user/", follow=True).status_code == 403
    ann.groups.add(Group.objects.get(name="Administrators"))
    assert here.get("/admin/").status_code == 200


def test_an_account_without_a_password_has_none_to_change(library: Path, client: Client) -> None:
    client.force_login(User.objects.create_user("ann"))
    assert client.get("/me/password/").status_code == 404
    assert "/me/password/" not in client.get("/me/").content.decode()


@pytest.mark.parametrize(
    "path",
    ["/me/", "/me/second-factor/", "/me/password/", "/me/erase/", "/sign-in/", "/me/second-factor/app/"],
)
def test_these_pages_are_kept_by_nobody_and_run_no_inline_script(client: Client, path: str) -> None:
    member("ann")
    here = signed_in("ann")
    confirm(here)
    answer = here.get(path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert "<!doctype html>" in page
    for script in re.findall(r"<script[^>]*>", page):
        assert "src=" in script or 'type="application/json"' in script
    assert not re.search(r"\son\w+=|style=", page)
