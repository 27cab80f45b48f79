"""Tokens for scripts: shown once, kept as a hash, good for reading, never for more than their owner."""

import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from kb.audit.models import Entry
from kb.guides.models import Guide
from kb.team import tokens, transfer
from kb.team.models import Token
from kb.web.front import page_key
from tests.team.test_accounts import confirm, member, signed_in
from tests.team.test_roles import names, people, rows, things

__all__ = ["people", "things"]  # fixtures
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private(settings: Any) -> None:
    """The site is its team's alone: without a token a script reads nothing."""
    settings.CULPRIT_PRIVATE = True
    settings.CULPRIT_SECOND_FACTOR = False


def token_of(user: User, days: int = 30) -> str:
    """A new token's secret."""
    return tokens.make(user, "nightly", days)[1]


def script(secret: str, **more: Any) -> Client:
    """A program that sends the token with each request."""
    return Client(headers={"authorization": f"Bearer {secret}", **more}, enforce_csrf_checks=True)


def test_a_person_makes_one_sees_it_once_and_reads_with_it(library: Path) -> None:
    member("ann")
    here = signed_in("ann")
    assert here.get("/me/tokens/")["Location"].startswith("/me/confirm/")
    confirm(here)
    page = here.post("/me/tokens/", {"name": "nightly check", "days": "30"}).content.decode()
    found = re.search(r"culprit_[\w-]{43}", page)
    assert found
    again = here.get("/me/tokens/").content.decode()
    assert "nightly check" in again
    assert "culprit_" not in again
    assert Token.objects.get().digest not in again
    assert found[0] not in str(list(Token.objects.values()))
    answer = script(found[0]).get("/errors/gate/coin/")
    assert (answer.status_code, "The coin counter" in answer.content.decode()) == (200, True)
    assert (answer["Cache-Control"], answer.has_header("Set-Cookie")) == ("private, no-store", False)
    assert "last used" in here.get("/me/tokens/").content.decode()
    assert Token.objects.get().last_used == timezone.localdate()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": "", "days": "30"}, "Say what it is for"),
        ({"name": "  ", "days": "30"}, "Say what it is for"),
        ({"name": "x" * 61, "days": "30"}, "at most 60 characters"),
        ({"name": "x", "days": "36500"}, "Choose one of the list."),
        ({"name": "x", "days": ""}, "This field is required."),
    ],
)
def test_what_makes_no_sense_is_named_and_kept(library: Path, given: dict[str, str], says: str) -> None:
    member("ann")
    here = signed_in("ann")
    confirm(here)
    answer = here.post("/me/tokens/", given)
    page = answer.content.decode()
    assert (answer.status_code, says in page, Token.objects.exists()) == (422, True, False)
    assert f'value="{given["name"].strip()}"' in page or not given["name"].strip()


def test_twenty_at_a_time_are_enough(library: Path) -> None:
    ann = member("ann")
    for _ in range(20):
        token_of(ann)
    here = signed_in("ann")
    confirm(here)
    assert here.post("/me/tokens/", {"name": "x", "days": "30"}).status_code == 422
    here.post(f"/me/tokens/{Token.objects.all()[0].pk}/revoke/")
    assert here.post("/me/tokens/", {"name": "x", "days": "30"}).status_code == 200


def test_a_script_posts_a_text_to_be_matched(library: Path) -> None:
    here = script(token_of(member("ann")))
    answer = here.post("/match/", {"text": "The coin is spent: 3 of 2"})
    assert (answer.status_code, "The coin is spent" in answer.content.decode()) == (200, True)
    assert script("").post("/match/", {"text": "The coin is spent: 3 of 2"}).status_code == 401


@pytest.mark.parametrize("private", [True, False])
def test_forged_expired_revoked_and_ownerless_tokens_are_refused(
    library: Path, settings: Any, private: bool
) -> None:
    settings.CULPRIT_PRIVATE = private
    ann = member("ann")
    good, expired, revoked = token_of(ann), token_of(ann), token_of(ann)
    Token.objects.filter(digest=tokens.digest(expired)).update(expires=timezone.now() - timedelta(seconds=1))
    assert tokens.revoke(Token.objects.get(digest=tokens.digest(revoked)), ann)
    bad = [
        expired,
        revoked,
        good[:-1],
        f"{good}x",
        f"culprit_{good[8:].swapcase()}",
        "culprit_",
        "culprit_" + "\u00e9",
    ]
    bad += [f"culprit_{Token.objects.all()[0].digest}", "culprit_' OR 1=1 --", "culprit_" + "x" * 5000]
    for secret in bad:
        answer = script(secret.encode().decode("latin-1")).get("/errors/gate/coin/")
        assert answer.status_code == 401, secret
        assert "revoked" in answer.json()["error"]
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert "no-store" in answer["Cache-Control"]
    assert script(good).get("/errors/gate/coin/").status_code == 200
    refused = Entry.objects.get(what="token.refused")
    assert (refused.about, refused.details["times"]) == ("user ann", 2)
    User.objects.update(is_active=False)
    assert script(good).get("/errors/gate/coin/").status_code == 401


def test_another_s_bearer_is_no_token_of_ours(library: Path, settings: Any) -> None:
    assert script("eyJhbGciOi.of.a.proxy").get("/errors/gate/coin/").status_code == 401
    browser = script("eyJhbGciOi.of.a.proxy", accept="text/html").get("/errors/gate/coin/")
    assert browser["Location"] == "/sign-in/?next=/errors/gate/coin/"
    settings.CULPRIT_PRIVATE = False
    assert script("eyJhbGciOi.of.a.proxy").get("/errors/gate/coin/").status_code == 200


def open_to_tokens(method: str) -> set[str]:
    """The names of the addresses whose views take tokens."""
    found = names(get_resolver())
    return {name for name, pattern in found if method in getattr(pattern.callback, "for_programs", ())}


def test_tokens_open_what_a_public_site_shows_to_everybody_and_nothing_more() -> None:
    shown = {row.partition(" ")[0] for row, statuses in rows().items() if statuses[0] == "200"}
    assert {"home", "browse", "guide", "category", "match", "search", "reports"} <= open_to_tokens("GET")
    assert open_to_tokens("GET") - shown == set()
    assert open_to_tokens("GET") == open_to_tokens("HEAD")
    assert open_to_tokens("POST") == {"match"}
    assert not open_to_tokens("PUT") | open_to_tokens("PATCH") | open_to_tokens("DELETE")
    own = ("me", "mfa_", "account_", "sign_", "admin:", "review", "note", "draft", "guide_", "audit", "due")
    assert not [name for name in open_to_tokens("GET") if name.startswith(own)]


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options"])
def test_whoever_s_it_is_a_token_reads_and_does_nothing_else(
    things: dict[str, Any], people: dict[str, User | None], settings: Any, method: str, private: bool
) -> None:
    settings.CULPRIT_PRIVATE = private
    owner = people["administrator"]
    assert owner
    owner.is_superuser = True
    owner.save()
    here = script(token_of(owner))
    open_to = open_to_tokens(method.upper())
    for name, pattern in names(get_resolver()):
        if name.startswith("admin:") and str(pattern.pattern).count("<"):
            continue
        path = reverse(name, kwargs=things.get(name)) if name and ":" not in name else "/admin/"
        status = getattr(here, method)(path).status_code
        assert status in ((200, 422) if name in open_to else (403,)), name
    assert getattr(here, method)("/admin/auth/user/").status_code == 403
    assert getattr(here, method)("/nowhere/").status_code == (404 if method in ("get", "head") else 403)


def test_a_token_reads_no_more_than_its_owner_does_now(library: Path, people: dict[str, User | None]) -> None:
    """Roles that were taken away are gone with the next request; so is the account."""
    owner = people["administrator"]
    assert owner
    here = script(token_of(owner))
    assert here.get("/audit/").status_code == 403
    assert here.get("/errors/").status_code == 200
    owner.groups.clear()
    assert here.get("/errors/").status_code == 200
    owner.delete()
    assert here.get("/errors/").status_code == 401


def test_a_token_beside_a_session_is_still_a_token(library: Path) -> None:
    member("adam", "Administrators")
    browser = signed_in("adam")
    member("ann")
    headers = {"authorization": f"Bearer {token_of(User.objects.get(username='ann'))}"}
    assert browser.get("/audit/").status_code == 200
    assert browser.get("/audit/", headers=headers).status_code == 403
    assert browser.post("/me/sessions/end/", headers=headers).status_code == 403


def test_nobody_revokes_or_sees_another_s(library: Path) -> None:
    ann = member("ann")
    member("bob")
    secret = token_of(ann)
    bob = signed_in("bob")
    confirm(bob)
    assert bob.post(f"/me/tokens/{Token.objects.get().pk}/revoke/").status_code == 404
    assert "good until" not in bob.get("/me/tokens/").content.decode()
    assert script(secret).get("/").status_code == 200


def test_an_administrator_lists_and_revokes_and_sees_no_secret(library: Path) -> None:
    ann = member("ann")
    secret = token_of(ann)
    token = Token.objects.get()
    member("adam", "Administrators")
    adam = signed_in("adam")
    for path in ("/admin/team/token/", f"/admin/team/token/{token.pk}/change/"):
        page = adam.get(path).content.decode()
        assert "nightly" in page
        assert token.digest not in page
    assert adam.get("/admin/team/token/add/").status_code == 403
    adam.post("/admin/team/token/", {"action": "revoke_tokens", "_selected_action": [token.pk]})
    assert script(secret).get("/").status_code == 401
    made, ended = Entry.objects.filter(what__startswith="token.").exclude(what="token.refused").order_by("pk")
    assert (made.what, made.who, made.details) == ("token.made", "ann", {"token": "nightly", "days": 30})
    assert (ended.what, ended.who, ended.about) == ("token.revoked", "adam", "user ann")


def test_neither_exports_nor_my_own_data_carry_what_it_is_checked_with(library: Path) -> None:
    ann = member("ann")
    token_of(ann)
    digest = Token.objects.get().digest
    out = io.StringIO()
    kept = signed_in("ann").get("/me/data.json").content.decode()
    assert "nightly" in kept
    assert digest not in kept
    rows = {row["model"] for row in json.loads(exported(out))["rows"]}
    assert ("team.token" in rows, digest in out.getvalue()) == (False, False)


def exported(out: io.StringIO) -> str:
    """All rows of this instance; inside of a test's transaction there is no moment of its own."""
    for row in transfer.rows():
        out.write(json.dumps(row) + ",")
    return f'{{"rows": [{out.getvalue()[:-1]}]}}'


def test_an_erased_person_s_tokens_are_gone(library: Path) -> None:
    ann = member("ann")
    secret = token_of(ann)
    here = signed_in("ann")
    confirm(here)
    here.post("/me/erase/", {"name": "ann"})
    assert not Token.objects.exists()
    assert script(secret).get("/").status_code == 401


def test_a_secret_typed_as_a_name_is_taken_out(library: Path) -> None:
    member("ann")
    here = signed_in("ann")
    confirm(here)
    here.post("/me/tokens/", {"name": "sk-proj-" + "Zq8" * 12, "days": "30"})
    assert Token.objects.get().name == "<api_key>"


def test_a_pasted_token_is_taken_out_of_a_text(library: Path, settings: Any) -> None:
    settings.CULPRIT_PRIVATE = False
    secret = token_of(member("ann"))
    page = Client().post("/match/", {"text": f"curl said {secret} is wrong"}).content.decode()
    assert secret not in page
    assert "1 API key" in page


def test_no_kept_page_answers_a_token(settings: Any) -> None:
    settings.CULPRIT_PRIVATE = False
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/errors/"}
    assert page_key(environ) is not None
    assert page_key(environ | {"HTTP_AUTHORIZATION": "bearer culprit_x"}) is None
    assert page_key(environ | {"HTTP_AUTHORIZATION": "Basic eDp5"}) is not None


def test_a_reader_of_a_guide_is_told_as_before(library: Path, settings: Any) -> None:
    """In public mode a page is the same with and without a token."""
    settings.CULPRIT_PRIVATE = False
    secret = token_of(member("ann"))
    path = Guide.objects.all()[0].get_absolute_url()
    assert script(secret).get(path).content == Client().get(path).content
