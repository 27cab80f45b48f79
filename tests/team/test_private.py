"""A private site: strangers learn nothing of it, whatever they ask for and however."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.urls import get_resolver, reverse

from kb.guides.models import Guide
from kb.web.front import Front, page_key
from tests.evidence.sent import signed
from tests.team.test_roles import names, people, things

__all__ = ["people", "things"]  # fixtures
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _private(settings: Any) -> None:
    """The site is its team's alone."""
    settings.CULPRIT_PRIVATE = True


def words_kept_here() -> list[str]:
    """What guides, their errors, a report and a draft say."""
    found = Guide.objects.values_list("title", "summary", "messages__text")
    return [words for row in found for words in row if words] + ["It broke.", "Half."]


def addresses(things: dict[str, Any]) -> Iterator[str]:
    """Every address of the site, with real objects in it, and some that don't exist."""
    for name, pattern in names(get_resolver()):
        if name.startswith("admin:"):
            continue
        yield reverse(name, kwargs=things.get(name)) if name else f"/{pattern.pattern}"
    yield from ("/admin/", "/admin/guides/guide/", "/admin/nowhere/")
    yield from (
        "/errors/gate/coins/",
        "/errors/gate/coin",
        "/coin",
        "/nowhere/",
        "/errors/gate/coin.md",
        "/%00/",
    )
    yield from (
        "/search/?q=coin",
        "/errors/?q=coin",
        "/match/?text=coin",
        "/.env",
        "/api/v1/guides/",
        "/feed.atom",
    )


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "delete", "options"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"hx-request": "true"},
        {"hx-request": "true", "hx-boosted": "true"},
        {"accept": "application/json"},
        {"accept": "application/x-ndjson"},
    ],
    ids=["browser", "htmx", "boosted", "json", "stream"],
)
def test_a_stranger_finds_no_word_of_a_guide_anywhere(
    things: dict[str, Any], headers: dict[str, str], method: str
) -> None:
    client = Client(headers=headers, raise_request_exception=False)
    given = {"text": "budget", "q": "coin"}
    words = words_kept_here()
    assert len(words) >= 8
    for path in addresses(things):
        answer = getattr(client, method)(path, given) if method == "post" else getattr(client, method)(path)
        text = answer.content.decode()
        assert answer.status_code < 500, path
        assert not [word for word in words if word in text], path
        assert "public" not in answer["Cache-Control"], path
        assert "no-store" in answer["Cache-Control"], path
        if answer.status_code == 200:
            assert path in {"/sign-in/", "/sign-in/off/", "/sign-in/passkey/"}, path


def test_a_browser_is_led_to_the_sign_in_and_back(library: Path, client: Client) -> None:
    answer = client.get("/errors/gate/coin/?x=1")
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/errors/gate/coin/%3Fx%3D1")
    User.objects.create_user("ann", password="a long enough word")
    given = {"login": "ann", "password": "a long enough word", "next": "/errors/gate/coin/?x=1"}
    assert client.post("/sign-in/", given)["Location"] == "/errors/gate/coin/?x=1"
    page = client.get("/errors/gate/coin/?x=1")
    assert page.status_code == 200
    assert page["Cache-Control"] == "private, no-store"
    assert page["X-Robots-Tag"] == "noindex"


def test_a_posted_text_is_not_looked_at_and_not_in_the_address(library: Path, client: Client) -> None:
    answer = client.post("/match/", {"text": "sk-secret"})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/?next=/")


def test_htmx_is_told_to_go_to_the_sign_in(library: Path, client: Client) -> None:
    headers = {"hx-request": "true", "hx-current-url": "http://testserver/errors/?hop=budget"}
    answer = client.get("/search/?q=coin", headers=headers)
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/sign-in/?next=/errors/%3Fhop%3Dbudget"
    elsewhere = client.get("/search/", headers=headers | {"hx-current-url": "https://evil.example/x"})
    assert elsewhere["HX-Redirect"] == "/sign-in/?next=/"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["/errors/gate/coin/", "/match/", "/nowhere/", "/check/"])
def test_a_program_is_told_in_json(library: Path, client: Client, path: str, method: str) -> None:
    answer = getattr(client, method)(path, headers={"accept": "application/json"})
    assert answer.status_code == 401
    assert answer.json() == {"error": "Sign in first.", "sign_in": "http://testserver/sign-in/"}


def test_json_that_is_posted_is_answered_in_json_even_without_a_token(library: Path) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post("/check/", data="{}", content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/json")


def test_an_address_that_does_not_exist_looks_like_one_that_does(library: Path, client: Client) -> None:
    there, not_there = client.get("/errors/gate/coin/"), client.get("/errors/gate/coim/")
    assert there.status_code == not_there.status_code == 302
    assert there["Location"].replace("coin", "") == not_there["Location"].replace("coim", "")
    client.force_login(User.objects.create_user("ann"))
    assert client.get("/errors/gate/coim/").status_code == 404


def test_health_needs_no_sign_in(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"
    assert client.get("/readyz").content == b"ok\n"


def test_only_who_may_report_reports(things: dict[str, Any], people: dict[str, User | None]) -> None:
    for who, status in {"reader": 403, "reporter": 200}.items():
        client = Client()
        client.force_login(people[who])  # type: ignore[arg-type]
        assert client.get("/errors/gate/coin/report/").status_code == status
        assert client.post("/report/", {"do": "send", "story": "x"}).status_code in {status, 422}


SECRET = "sk-proj-" + "Zq8" * 12
FORMS = {
    "/errors/gate/coin/note/": ("editor", {"words": f"Ask Ops. {SECRET}", "seen": "0"}),
    "/errors/gate/coin/report/": ("reporter", {"story": f"Ask Ops. {SECRET}", "do": "send"}),
    "/report/": ("reporter", {"story": f"Ask Ops. {SECRET}", "do": "send"}),
}


@pytest.mark.parametrize("path", FORMS)
def test_what_was_typed_while_the_session_ended_comes_back_and_nothing_of_the_site(
    path: str, things: dict[str, Any], people: dict[str, User | None]
) -> None:
    who, form = FORMS[path]
    client = Client(enforce_csrf_checks=True)
    given = form | ({"stamp": signed()} if who == "reporter" else {})
    lost = client.post(path, given)
    page = lost.content.decode()
    assert (lost.status_code, "Ask Ops." in page, SECRET in page) == (403, True, False)
    assert not [word for word in words_kept_here() if word in page]
    client.force_login(people[who])  # type: ignore[arg-type]
    fields = lost.context["carried"] | {name: value for name, _, value in lost.context["shown"]}
    again = client.post(path, fields | {"csrfmiddlewaretoken": str(lost.context["csrf_token"]), "do": "send"})
    assert again.status_code in (302, 303), again.content.decode()


def test_words_of_who_may_not_send_them_come_back_too(
    things: dict[str, Any], people: dict[str, User | None], client: Client
) -> None:
    client.force_login(people["reader"])  # type: ignore[arg-type]
    for path, (_, form) in FORMS.items():
        answer = client.post(path, form)
        assert (answer.status_code, "Ask Ops." in answer.content.decode()) == (403, True), path


def test_a_reviewer_comes_back_to_the_report_with_the_reason(
    things: dict[str, Any], people: dict[str, User | None], client: Client
) -> None:
    path = reverse("review_report", kwargs=things["review_report"])
    lost = client.post(path, {"after": "rejected", "reason": f"No version. {SECRET}", "seen": 0})
    back = parse_qs(urlsplit(lost["Location"]).query)["next"][0]
    assert (lost.status_code, SECRET in back, urlsplit(back).path) == (302, False, path)
    client.force_login(people["reviewer"])  # type: ignore[arg-type]
    assert "No version." in client.get(back).content.decode()


@pytest.mark.parametrize("path", [*FORMS, "/review/"])
def test_strangers_forms_are_bounded_in_size_and_number(
    path: str, library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = {"words": "word " * 200_000, "story": "word " * 200_000}
    assert client.post(path, large).status_code == 413
    monkeypatch.setattr("kb.web.turned_away.PER_MINUTE", 1)
    assert client.post(path, {"words": "x", "story": "x"}).status_code == 429


def test_no_page_is_kept_in_front(library: Path, client: Client, settings: Any) -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/errors/"}
    assert page_key(environ) is None
    settings.CULPRIT_PRIVATE = False
    assert page_key(environ) is not None


def test_a_page_kept_before_is_not_sent(library: Path, settings: Any) -> None:
    asked: list[str] = []

    def application(environ: dict[str, Any], start: Any) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start("200 OK", [("Cache-Control", "public, no-cache")])
        return [b"words"]

    front = Front(application, lambda: 1)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/errors/"}
    settings.CULPRIT_PRIVATE = False
    front(dict(environ), lambda *_: None)
    front(dict(environ), lambda *_: None)
    assert len(asked) == 1
    settings.CULPRIT_PRIVATE = True
    front(dict(environ), lambda *_: None)
    assert len(asked) == 2


def test_while_the_database_is_away_nobody_comes_in(
    library: Path, lenient_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    lenient_client.force_login(User.objects.create_user("ann"))

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    answer = lenient_client.get("/errors/gate/coin/")
    assert answer.status_code == 503
    assert "coin" not in answer.content.decode()


def test_a_public_site_needs_no_sign_in(library: Path, client: Client, settings: Any) -> None:
    settings.CULPRIT_PRIVATE = False
    answer = client.get("/errors/gate/coin/")
    assert answer.status_code == 200
    assert "public" in answer["Cache-Control"]


REPORTING = ("report/", "Report what you saw", "Report this as evidence", "Report another one")
PUBLIC_WORDS = ("No account", "no cookie", "No tracking", "it is public", "need no account")


def read_by(people: dict[str, User | None], who: str) -> Client:
    """A browser of somebody of a role."""
    client = Client()
    client.force_login(people[who])  # type: ignore[arg-type]
    return client


def test_no_page_speaks_of_a_public_site(things: dict[str, Any], people: dict[str, User | None]) -> None:
    reader, reporter = read_by(people, "reader"), read_by(people, "reporter")
    paths = [path for path in addresses(things) if not path.startswith("/admin")]
    for client in (reader, reporter, Client()):
        for path in paths:
            answer = client.get(path, follow=True)
            page = answer.content.decode() if "html" in answer.get("Content-Type", "") else ""
            assert not [words for words in PUBLIC_WORDS if words in page], path


def test_who_may_not_report_is_not_asked_to_but_told_whom_to_ask(
    things: dict[str, Any], people: dict[str, User | None]
) -> None:
    reader = read_by(people, "reader")
    for path in [path for path in addresses(things) if not path.startswith("/admin")]:
        page = reader.get(path, follow=True)
        text = page.content.decode() if "html" in page.get("Content-Type", "") else ""
        assert not [words for words in REPORTING if words in text], path
    asked = [
        reader.get("/errors/gate/coin/"),
        reader.post("/match/", {"text": "The coin is spent: 3 of 2"}),
        reader.post("/match/", {"text": "Something else"}),
    ]
    for answer in asked:
        text = answer.content.decode()
        assert "Ask <bdi>administrator</bdi>, who can give it to you." in text
        assert not [words for words in REPORTING if words in text]
    assert (
        "<bdi>administrator</bdi>"
        not in read_by(people, "reporter").get("/errors/gate/coin/").content.decode()
    )


def test_who_may_report_is_asked_as_before(
    things: dict[str, Any], people: dict[str, User | None], client: Client, settings: Any
) -> None:
    settings.CULPRIT_PRIVATE = False
    public = client.get("/errors/gate/coin/").content.decode()
    settings.CULPRIT_PRIVATE = True
    private = read_by(people, "reporter").get("/errors/gate/coin/").content.decode()
    for page in (public, private):
        assert "Report what you saw" in page
        assert "/errors/gate/coin/report/" in page


def test_a_stranger_at_the_sign_in_gets_no_ways_into_the_site(library: Path, client: Client) -> None:
    page = client.get("/sign-in/").content.decode()
    assert "This site is its team" in page
    for way in ("/errors/", "/search/", "/match/", "/check/"):
        assert way not in page, way
