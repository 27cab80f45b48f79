"""Signing in with the company's identity provider: a real one, and one that lies."""

import html
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Group, User
from django.test import Client

from kb.audit.models import Entry
from kb.team.roles import Role
from tests.team.liar import OTHER_KEY, Liar, lying
from tests.team.provider import CLIENT, SECRET, Provider, running

pytestmark = pytest.mark.django_db

BACK = "http://testserver/sign-in/with/company/callback/"
ROLES = {"docs": Role.EDITOR, "moderators": Role.REVIEWER, "it": Role.ADMINISTRATOR}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """A real provider that leads back to the test client's site."""
    with running(BACK) as found:
        yield found


def configure(settings: Any, issuer: str) -> None:
    """Sets the site up for an issuer."""
    settings.OIDC_ISSUER, settings.OIDC_NAME, settings.OIDC_ROLES = issuer, "Example Login", ROLES
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT, SECRET
    settings.OIDC_GROUPS_CLAIM = "groups"


@pytest.fixture
def company(settings: Any, provider: Provider) -> Provider:
    """The real provider, which the site trusts."""
    configure(settings, provider.issuer)
    return provider


@pytest.fixture
def liar(settings: Any) -> Iterator[Liar]:
    """A lying provider, which the site trusts."""
    with lying() as found:
        configure(settings, found.issuer)
        yield found


def leave(client: Client, following: str = "") -> str:
    """Presses the button on the sign-in page; the provider's address that the page leads to."""
    answer = client.post("/sign-in/with/company/" + (f"?next={following}" if following else ""))
    assert answer.status_code == 200, answer.content.decode()
    found = re.search(r'href="(http://127[^"]+)"', answer.content.decode())
    assert found
    return html.unescape(found[1])


def sign_in(client: Client, company: Provider, name: str, following: str = "") -> Any:
    """The whole way there and back; what the site answers in the end."""
    url = company.let_in(leave(client, following), name, BACK)
    return client.get(url.removeprefix("http://testserver"))


def come_back(client: Client, code: str = "c0de-of-the-liar") -> Any:
    """To the liar, which lets everybody in, and back."""
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    return client.get(f"/sign-in/with/company/callback/?code={code}&state={state}")


def groups_of(name: str) -> set[str]:
    return set(User.objects.get(username=name).groups.values_list("name", flat=True))


def test_the_sign_in_page_names_the_provider(company: Provider, client: Client) -> None:
    page = client.get("/sign-in/?next=/errors/").content.decode()
    assert "Sign in with Example Login" in page
    assert "/sign-in/with/company/?next=%2Ferrors%2F" in page


def test_without_a_provider_there_is_no_such_way(client: Client) -> None:
    assert "/sign-in/with/" not in client.get("/sign-in/").content.decode()
    assert client.post("/sign-in/with/company/").status_code == 404
    assert client.get("/sign-in/with/company/callback/?code=x&state=y").status_code == 404


def test_the_way_there_asks_for_a_code_with_pkce_and_state(company: Provider, client: Client) -> None:
    assert client.get("/sign-in/with/company/").status_code == 405
    asked = parse_qs(urlsplit(leave(client)).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 16
    assert asked["redirect_uri"] == [BACK]
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}


def test_a_link_cannot_ask_the_provider_for_more(company: Provider, client: Client) -> None:
    answer = client.post("/sign-in/with/company/?scope=all&auth_params=prompt%3Dnone&process=connect")
    page = html.unescape(answer.content.decode())
    assert "prompt=none" not in page
    assert (
        "all"
        not in parse_qs(urlsplit(re.findall(r'href="(http://127[^"]+)"', page)[0]).query)["scope"][0].split()
    )


def test_a_person_signs_in_and_has_the_roles_of_their_groups(
    library: Path, company: Provider, client: Client
) -> None:
    company.know("mary", ["docs", "canteen"], "mary@example.com")
    answer = sign_in(client, company, "mary")
    assert (answer.status_code, answer["Location"]) == (302, "/review/")
    assert groups_of("mary") == {"Editors"}
    mary = User.objects.get(username="mary")
    assert not mary.has_usable_password()
    assert not mary.is_staff
    assert mary.has_perm("guides.write")
    assert "Signed in as <b>mary</b>" in client.get("/").content.decode()


def test_signing_in_goes_on_to_the_page_that_was_asked_for(company: Provider, client: Client) -> None:
    company.know("mary", ["docs"])
    assert sign_in(client, company, "mary", "/errors/")["Location"] == "/errors/"
    assert sign_in(Client(), company, "mary", "https://evil.example/")["Location"] == "/review/"


def test_roles_become_exactly_those_of_the_groups_at_every_sign_in(company: Provider, client: Client) -> None:
    company.know("nora", ["it", "moderators"])
    sign_in(client, company, "nora")
    assert groups_of("nora") == {"Administrators", "Reviewers"}
    nora = User.objects.get(username="nora")
    assert nora.is_staff
    nora.groups.add(Group.objects.create(name="On call"), Group.objects.get(name="Editors"))
    company.know("nora", [])
    answer = sign_in(Client(), company, "nora")
    assert answer["Location"] == "/"
    assert groups_of("nora") == {"Readers", "On call"}
    nora.refresh_from_db()
    assert not nora.is_staff
    said = Entry.objects.filter(what="person.roles", about="user nora").order_by("pk")
    assert [line.details.get("after") for line in said] == ["Administrators, Reviewers", "Readers"]
    sign_in(Client(), company, "nora")
    assert said.count() == 2
    assert client.get("/admin/").status_code in (302, 403)
    assert User.objects.count() == 1


def test_a_person_without_a_mapped_group_is_a_reader(company: Provider, client: Client) -> None:
    company.know("olga", ["canteen"])
    sign_in(client, company, "olga")
    assert groups_of("olga") == {"Readers"}
    assert client.get("/review/").status_code == 403


def test_an_e_mail_claim_never_leads_to_a_local_account(company: Provider, client: Client) -> None:
    admin = User.objects.create_superuser("root", "root@example.com", "a long enough word")
    company.know("root", [], "root@example.com")
    sign_in(client, company, "root")
    assert User.objects.count() == 2
    other = User.objects.exclude(pk=admin.pk).get()
    assert client.session["_auth_user_id"] == str(other.pk)
    assert other.username != "root"
    assert not other.has_perm("team.administer")
    assert not SocialAccount.objects.filter(user=admin).exists()
    assert client.get("/admin/").status_code in (302, 403)


def test_a_switched_off_account_stays_out(company: Provider, client: Client) -> None:
    company.know("pia", ["docs"])
    sign_in(client, company, "pia")
    User.objects.update(is_active=False)
    other = Client()
    assert sign_in(other, company, "pia")["Location"] == "/sign-in/off/"
    assert "_auth_user_id" not in other.session
    assert "switched off" in other.get("/sign-in/off/").content.decode()
    assert client.get("/me/").status_code == 302


def test_no_token_is_kept_and_nothing_that_the_provider_told(company: Provider, client: Client) -> None:
    company.know("mary", ["docs"], "mary@example.com")
    sign_in(client, company, "mary")
    assert not SocialToken.objects.exists()
    assert SocialAccount.objects.get().extra_data == {}
    assert UserSession.objects.get().user.username == "mary"
    assert client.get("/me/data.json").json()["account"]["from_identity_provider"] is True


def test_the_session_s_id_changes(company: Provider, client: Client) -> None:
    company.know("mary", [])
    leave(client)
    before = client.session.session_key
    sign_in(client, company, "mary")
    assert client.session.session_key != before


def test_a_way_back_is_good_once(company: Provider, client: Client) -> None:
    company.know("mary", [])
    url = company.let_in(leave(client), "mary", BACK).removeprefix("http://testserver")
    assert client.get(url).status_code == 302
    client.post("/sign-out/")
    again = client.get(url)
    assert again.status_code == 401
    assert "used already" in again.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_code_is_good_once_and_with_its_own_verifier_alone(company: Provider, client: Client) -> None:
    company.know("mary", [])
    url = company.let_in(leave(client), "mary", BACK)
    code = parse_qs(urlsplit(url).query)["code"][0]
    answer = come_back(client, code)  # another way there: another verifier
    assert answer.status_code == 502
    assert "You are not signed in" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_stranger_s_way_back_signs_nobody_in(company: Provider, client: Client) -> None:
    company.know("mary", [])
    url = company.let_in(leave(Client()), "mary", BACK)
    answer = client.get(url.removeprefix("http://testserver"))
    assert answer.status_code == 401
    assert "_auth_user_id" not in client.session


def test_turning_back_at_the_provider_says_so(company: Provider, client: Client) -> None:
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    answer = client.get(f"/sign-in/with/company/callback/?error=access_denied&state={state}")
    assert answer.status_code == 401
    assert "You turned back at Example Login" in answer.content.decode()


def test_a_second_factor_set_up_here_is_asked_for_after_the_provider(
    company: Provider, client: Client
) -> None:
    from allauth.mfa.totp.internal.auth import TOTP

    company.know("mary", ["docs"])
    sign_in(client, company, "mary")
    TOTP.activate(User.objects.get(), "JBSWY3DPEHPK3PXP")
    other = Client()
    assert sign_in(other, company, "mary")["Location"] == "/sign-in/second-factor/"
    assert other.get("/review/").status_code == 302


def test_the_liar_is_believed_while_it_does_not_lie(liar: Liar, client: Client) -> None:
    liar.told = {"groups": "docs"}
    assert come_back(client).status_code == 302
    assert groups_of("mallory") == {"Editors"}


@pytest.mark.parametrize(
    ("claims", "told", "role"),
    [
        ({"groups": ["moderators"]}, {}, "Reviewers"),  # in the token alone
        ({"groups": ["it"]}, {"groups": []}, "Readers"),  # userinfo is fresher
        ({}, {"groups": {"it": True}}, "Readers"),
        ({}, {"groups": ["docs", {"name": "it"}]}, "Readers"),
        ({}, {"groups": [["it"]]}, "Readers"),
        ({}, {"groups": None}, "Readers"),
        ({}, {"groups": "docs,it"}, "Readers"),
        ({}, {"groups": 7}, "Readers"),
        ({}, {"role": "it"}, "Readers"),
    ],
)
def test_what_is_no_list_of_words_is_no_group(
    liar: Liar, client: Client, claims: dict[str, Any], told: dict[str, Any], role: str
) -> None:
    liar.claims, liar.told = claims, told
    assert come_back(client).status_code == 302
    assert groups_of("mallory") == {role}


@pytest.mark.parametrize(
    "told",
    [
        {"preferred_username": "x" * 4000, "name": "N" * 4000},
        {"preferred_username": "nu\0ll\n<b>", "given_name": "\0"},
        {"preferred_username": ["mallory"], "email": {"a": 1}, "name": 7},
        {"preferred_username": None, "email": "not an address"},
        {"email": "mallory@example.com", "email_verified": True},
    ],
)
def test_names_that_make_no_sense_do_no_harm(liar: Liar, client: Client, told: dict[str, Any]) -> None:
    liar.told = told
    assert come_back(client).status_code == 302
    user = User.objects.get()
    assert user.username.isprintable()
    assert len(user.username) <= 150


def test_the_same_subject_of_another_issuer_is_another_person(
    liar: Liar, client: Client, settings: Any
) -> None:
    come_back(client)
    with lying() as second:
        configure(settings, second.issuer)
        come_back(Client())
    assert User.objects.count() == 2


def slow(liar: Liar) -> Callable[[], tuple[int, Any]]:
    def wait() -> tuple[int, Any]:
        liar.done.wait(20)
        return 200, {}

    return wait


CONFIG, TOKEN = "/.well-known/openid-configuration", "/token"
LIES: dict[str, Callable[[Liar], Any]] = {
    "another issuer in the token": lambda liar: liar.claims.update(iss="https://evil.example"),
    "another audience": lambda liar: liar.claims.update(aud="another-client"),
    "two audiences, another party": lambda liar: liar.claims.update(aud=[CLIENT, "x"], azp="x"),
    "an expired token": lambda liar: liar.claims.update(exp=1_600_000_000),
    "a token of tomorrow": lambda liar: liar.claims.update(nbf=4_000_000_000),
    "no expiry": lambda liar: liar.claims.update(exp=None),
    "no subject": lambda liar: liar.claims.update(sub=None),
    "a number as subject": lambda liar: liar.claims.update(sub=7),
    "another subject at userinfo": lambda liar: liar.told.update(sub="admin"),
    "no subject at userinfo": lambda liar: liar.told.update(sub=None),
    "another key": lambda liar: setattr(
        liar, "sign", lambda claims: jwt.encode(claims, OTHER_KEY, "RS256", headers={"kid": "one"})
    ),
    "an unknown key": lambda liar: liar.header.update(kid="two"),
    "no signature": lambda liar: setattr(liar, "sign", lambda claims: jwt.encode(claims, None, "none")),
    "a shared secret": lambda liar: setattr(
        liar, "sign", lambda claims: jwt.encode(claims, SECRET, "HS256", headers={"kid": "one"})
    ),
    "no token": lambda liar: setattr(liar, "sign", lambda claims: None),
    "a number as token": lambda liar: setattr(liar, "sign", lambda claims: 7),
    "a torn token": lambda liar: setattr(liar, "sign", lambda claims: "aaaa.bbbb"),
    "no access token": lambda liar: liar.answers.update({TOKEN: lambda: (200, {"id_token": "x"})}),
    "a list for a token": lambda liar: liar.answers.update({TOKEN: lambda: (200, [1])}),
    "a number for a token": lambda liar: liar.answers.update({TOKEN: lambda: (200, 1)}),
    "garbage for a token": lambda liar: liar.answers.update({TOKEN: lambda: (200, b"{garbage")}),
    "nothing for a token": lambda liar: liar.answers.update({TOKEN: lambda: (200, b"")}),
    "500 for a token": lambda liar: liar.answers.update({TOKEN: lambda: (500, b"secret stack trace")}),
    "garbage at userinfo": lambda liar: liar.answers.update({"/userinfo": lambda: (200, b"\xff<html>")}),
    "a list at userinfo": lambda liar: liar.answers.update({"/userinfo": lambda: (200, [])}),
    "500 at userinfo": lambda liar: liar.answers.update({"/userinfo": lambda: (500, {})}),
    "garbage for keys": lambda liar: liar.answers.update({"/keys": lambda: (200, {"keys": [{"kid": 1}]})}),
    "no keys": lambda liar: liar.answers.update({"/keys": lambda: (200, {"keys": []})}),
    "500 for keys": lambda liar: liar.answers.update({"/keys": lambda: (503, {})}),
    "a slow token": lambda liar: liar.answers.update({TOKEN: slow(liar)}),
}  # fmt: skip


@pytest.mark.parametrize("lie", list(LIES))
def test_a_lie_signs_nobody_in_and_is_told_of_without_what_was_said(
    liar: Liar,
    client: Client,
    lie: str,
    caplog: pytest.LogCaptureFixture,
    settings: Any,
) -> None:
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = 1
    LIES[lie](liar)
    with caplog.at_level(logging.DEBUG):
        answer = come_back(client)
    page = answer.content.decode()
    assert answer.status_code == 502
    assert "You are not signed in" in page
    assert "Begin again" in page
    assert "no-store" in answer["Cache-Control"]
    assert "_auth_user_id" not in client.session
    assert not User.objects.exists()
    said = caplog.text + page
    for secret in ("c0de-of-the-liar", "at-of-the-liar", SECRET, "eyJ", "secret stack trace"):
        assert secret not in said
    assert "Signing in through the identity provider failed" in caplog.text


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"{garbage"),
        (200, []),
        (500, {}),
        (404, {}),
        (200, {}),
        (200, {"issuer": "https://evil.example"}),
    ],
)
def test_a_provider_that_does_not_say_who_it_is_is_not_gone_to(
    liar: Liar, client: Client, answer: tuple[int, Any]
) -> None:
    liar.answers[CONFIG] = lambda: answer
    page = client.post("/sign-in/with/company/")
    assert page.status_code == 502
    assert "Something is wrong with Example Login" in page.content.decode()


@pytest.mark.parametrize("url", ["javascript:alert(1)", None, 7, "file:///etc/passwd"])
@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_addresses_that_are_none_are_not_used(liar: Liar, client: Client, name: str, url: Any) -> None:
    liar.config = {name: url}
    page = client.post("/sign-in/with/company/")
    assert page.status_code == 502
    assert f"has no {name}" in page.content.decode()


def test_a_provider_that_goes_away_on_the_way_back(client: Client, settings: Any) -> None:
    with lying() as liar:
        configure(settings, liar.issuer)
        state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    answer = client.get(f"/sign-in/with/company/callback/?code=x&state={state}")
    assert answer.status_code == 502
    assert "can&#x27;t be reached" in answer.content.decode()
    assert client.post("/sign-in/with/company/").status_code == 502
