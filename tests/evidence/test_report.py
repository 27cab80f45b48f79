"""A report as a reader makes it: the form, filled in by other pages or by hand, and the receipt."""

import json
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from kb.checker.models import CheckRun
from kb.diagnosis.text import fingerprint
from kb.evidence import receiving
from kb.evidence.models import Decision, Draft, EvidenceReport, State
from kb.evidence.stamp import read
from kb.guides.models import QuickFix, Tool
from tests.checker.gateway import Gateway
from tests.evidence.sent import COIN, ERROR, SECRET, UNKNOWN, reported, send, signed
from tests.guides.test_match_page import percent

pytestmark = pytest.mark.django_db


def test_a_report_on_a_guide_is_kept_as_it_was_told(library: Path, client: Client) -> None:
    made = reported(
        client, version="LiteLLM v1.84.0", deployment="kubernetes", pods="2-5", store="postgresql",
        cache="redis", story="Raised the limit.\r\nThen it went on.", fits="same", fix="raise-coin",
        helped="yes", link="https://threads.example/7?a=b",
    )  # fmt: skip
    assert made.guide is not None
    assert (made.guide.slug, made.tool.slug, made.by, made.revision) == ("coin", "gate", None, 0)
    assert (made.state, made.text, made.story) == ("pending", ERROR, "Raised the limit.\nThen it went on.")
    assert made.fingerprint == fingerprint(ERROR)
    kept = (
        made.version,
        made.deployment,
        made.pods,
        made.store,
        made.cache,
        made.fits,
        made.fix,
        made.helped,
    )
    assert kept == ("1.84.0", "kubernetes", "2-5", "postgresql", "redis", "same", "raise-coin", "yes")
    assert made.link == "https://threads.example/7?a=b"


def test_something_unknown_is_reported_without_a_guide(library: Path, client: Client) -> None:
    made = reported(client, UNKNOWN, text="", story="It just hangs.")
    assert (made.guide, made.tool.slug, made.fingerprint) == (None, "gate", "")


def test_with_several_tools_one_is_chosen(library: Path, client: Client) -> None:
    Tool.objects.create(slug="other", name="Other", summary="Another gateway.")
    page = client.get(UNKNOWN).content.decode()
    assert 'name="tool"' in page
    answer = send(client, UNKNOWN)
    assert answer.status_code == 422
    assert "Choose the tool it is about." in answer.content.decode()
    assert reported(client, UNKNOWN, tool="other").tool.slug == "other"
    assert reported(client, COIN, tool="other").tool.slug == "gate"


@pytest.mark.parametrize("url", ["/errors/gate/nothing/report/", "/errors/none/coin/report/"])
def test_a_guide_that_is_not_there_gives_404(library: Path, client: Client, url: str) -> None:
    assert client.get(url).status_code == 404
    assert send(client, url).status_code == 404


def test_without_any_tool_there_is_nothing_to_report_on(db: None, client: Client) -> None:
    assert client.get(UNKNOWN).status_code == 404


def test_the_form_offers_the_releases_and_the_fixes_by_title(library: Path, client: Client) -> None:
    answer = client.get(COIN)
    page = answer.content.decode()
    for part in ('<option value="2.0">', '<option value="raise-coin">Raise the coin limit</option>'):
        assert part in page
    assert "raise-token" not in page
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]
    assert not answer.cookies


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("", ""), (" ", ""), ("v1.84.0-stable", "1.84.0-stable"),
        ("main-v1.84.0-nightly", "1.84.0-nightly"), ("1.108.7", "1.108.7"), ("<b>1.2</b>", "1.2"),
    ],
)  # fmt: skip
def test_a_version_is_read_out_of_what_was_typed(library: Path, client: Client, said: str, kept: str) -> None:
    assert reported(client, version=said).version == kept


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"text": "", "story": " \n "}, "Paste the error, or say below what happened"),
        ({"text": "x" * 20_001}, "20,001 characters; 20,000 is the most"),
        ({"text": "x" * 1_000_001}, "1,000,001 bytes; 1,000,000 is the most"),
        ({"story": "x" * 4_001}, "4,001 characters; 4,000 is the most"),
        ({"version": "1." + "z" * 90}, "at most 80 characters"),
        ({"version": "main-stable"}, "There is no version in this."),
        ({"version": SECRET}, "There is no version in this."),
        ({"link": "https://a.example/" + "x" * 500}, "at most 500 characters"),
        ({"link": "ftp://a.example/"}, "begins with https:// or http://"),
        ({"link": "javascript:alert(1)"}, "begins with https:// or http://"),
        ({"link": "//a.example/"}, "begins with https:// or http://"),
        ({"link": "https://user:hunter2@a.example/"}, "it was taken out"),
        ({"link": "https://user@a.example/"}, "it was taken out"),
        ({"link": f"https://a.example/?key={SECRET}"}, "it was taken out"),
        ({"fix": "raise-coin"}, "Say whether this fix helped"),
        ({"helped": "yes"}, "Say which fix it was"),
        ({"fix": "raise-token", "helped": "yes"}, "Choose one from the list."),
        ({"deployment": "moon"}, "Choose one from the list."),
        ({"pods": "7"}, "Choose one from the list."),
        ({"store": "mysql"}, "Choose one from the list."),
        ({"cache": "x" * 5_000}, "Choose one from the list."),
        ({"fits": "maybe"}, "Choose one from the list."),
        ({"helped": "perhaps", "fix": "raise-coin"}, "Choose one from the list."),
    ],
)
def test_what_makes_no_sense_is_said_and_everything_stays(
    library: Path, client: Client, fields: dict[str, str], says: str
) -> None:
    kept = {"story": "kept words", "text": "kept error", "version": "3.4.5", "link": "https://kept.example/"}
    answer = send(client, **(kept | fields))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert "<title>Error: " in page
    for name in kept.keys() - fields.keys():
        assert kept[name] in page
    if "text" in fields:
        assert fields["text"] in page
    assert "hunter2" not in page
    assert SECRET not in page
    assert EvidenceReport.objects.count() == 0


def test_twenty_thousand_characters_are_counted_after_redaction(library: Path, client: Client) -> None:
    text = f"api_key={SECRET} " + "x" * 19_980
    assert len(text) > 20_000
    assert reported(client, text=text).text.startswith("api_key=<api_key> ")


def test_a_form_that_is_refused_is_sent_again_with_the_same_stamp(library: Path, client: Client) -> None:
    answer = send(client, link="nonsense")
    stamp = answer.context["stamp"]
    assert reported(client, stamp=stamp).state == "pending"


# Filled in by other pages


def test_a_form_without_a_stamp_only_fills_the_form_in(library: Path, client: Client) -> None:
    given = {"text": f"{ERROR} {SECRET}", "version": "v1.84.0", "store": "connected", "cache": "redis",
             "story": "The verdict.", "state": "accepted"}  # fmt: skip
    answer = client.post(COIN, given)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "The coin is spent: 3 of 2 &lt;api_key&gt;" in page
    assert 'value="1.84.0"' in page
    assert '<option value="postgresql" selected>' in page
    assert '<option value="redis" selected>' in page
    assert "The verdict." in page
    assert SECRET not in page
    assert (EvidenceReport.objects.count(), Draft.objects.count()) == (0, 0)


def test_a_prefill_that_is_too_long_says_so_at_once(library: Path, client: Client) -> None:
    page = client.post(COIN, {"text": "x" * 30_000}).content.decode()
    assert "30,000 characters; 20,000 is the most" in page
    assert "x" * 30_000 in page


def test_the_short_fields_can_stand_in_the_address(library: Path, client: Client) -> None:
    page = client.get(
        f"{COIN}?version=1.84.0&deployment=docker&pods=nonsense&text=no&story=no"
    ).content.decode()
    assert 'value="1.84.0"' in page
    assert '<option value="docker" selected>' in page
    assert ">no</textarea>" not in page.replace("\n", "")
    assert "Choose one from the list." not in page


def form_in(page: str, button: str) -> tuple[str, dict[str, str]]:
    """(action, hidden fields) of the form with this button, as a browser reads it."""
    from html import unescape
    from re import DOTALL, findall, search

    for form in findall(r"<form .*?</form>", page, DOTALL):
        if f">{button}</button>" in form:
            fields = findall(r'<input type="hidden" name="(\w+)" value="(.*?)">', form, DOTALL)
            asked = search(rf'formaction="([^"]+)">{button}<', form) or search(r'action="([^"]+)"', form)
            assert asked
            return unescape(asked[1]), {name: unescape(value) for name, value in fields}
    raise AssertionError(f"no form with {button}")


def test_a_match_leads_to_the_form_filled_in(library: Path, client: Client) -> None:
    page = client.post("/match/", {"text": f"{ERROR}\nkey={SECRET}"}).content.decode()
    action, fields = form_in(page, "Report this as evidence")
    assert action == COIN
    shown = client.post(action, fields).content.decode()
    assert "The coin is spent: 3 of 2\nkey=&lt;api_key&gt;" in shown


def test_what_nothing_fits_leads_to_the_form_for_the_unknown(library: Path, client: Client) -> None:
    page = client.post("/match/", {"text": "Error: the moon is too loud"}).content.decode()
    action, fields = form_in(page, "Report this as evidence")
    assert action == UNKNOWN
    assert "the moon is too loud" in client.post(action, fields).content.decode()


def test_an_ambiguous_match_lets_the_reader_say_which(library: Path, client: Client) -> None:
    page = client.post("/match/", {"text": "The coin is spent: 1\nThe token is spent: 1"}).content.decode()
    assert "More than one guide fits" in page
    action, _ = form_in(page, "It was “The token is spent”")
    assert action == "/errors/gate/token/report/"


@pytest.fixture
def _stays_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check stays on the test's own connection, and waits for nobody."""
    monkeypatch.setattr("kb.checker.running.WRITE_LAG", 0.01)
    monkeypatch.setattr("kb.checker.running.close_old_connections", lambda: None)


@pytest.mark.usefixtures("_stays_connected")
def test_a_check_s_result_leads_to_the_form_filled_in(real_library: Path, client: Client) -> None:
    with Gateway("1.84.0", "stale_team_scoped_key") as gateway:
        asked = {"address": gateway.url, "key": SECRET, "admin_key": "sk-admin", "model": "lab-model"}
        answer = client.post("/check/", {**asked, "paid": "on", "error": f"it said {SECRET}"})
    run = CheckRun.objects.get()
    run.diagnosis["proxy"] = {"version": "1.84.0", "database": "connected", "cache": "redis"}
    run.save()
    action, fields = form_in(client.get(answer["Location"]).content.decode(), "Report this as evidence")
    assert action == "/errors/litellm/budget-exceeded-key-stale-spend/report/"
    assert fields["story"] == run.diagnosis["verdict"]["sentence"]
    shown = client.post(action, fields)
    page = shown.content.decode()
    assert "it said &lt;api_key&gt;" in page
    assert SECRET not in page
    made = reported(client, action, **{field.name: field.value() or "" for field in shown.context["form"]})
    assert (made.version, made.store, made.cache) == ("1.84.0", "postgresql", "redis")
    assert made.story == run.diagnosis["verdict"]["sentence"]


@pytest.mark.usefixtures("_stays_connected")
def test_a_check_that_recognises_nothing_leads_to_the_form_for_the_unknown(
    library: Path, client: Client
) -> None:
    run = client.post("/check/", {"address": "http://10.1.2.3:4000"}, follow=True)
    assert form_in(run.content.decode(), "Report this as evidence")[0] == UNKNOWN


def test_a_guide_leads_to_its_form(library: Path, client: Client) -> None:
    assert f'href="{COIN}"' in client.get("/errors/gate/coin/").content.decode()


# The receipt


def test_the_receipt_says_what_was_received_and_removed(library: Path, client: Client) -> None:
    text = f"{ERROR}\nAuthorization: Bearer {SECRET}\nkey={SECRET}"
    made = reported(client, text=text, story="Mail me@example.com", version="1.84.0", deployment="docker")
    answer = client.get(made.get_absolute_url())
    page = answer.content.decode()
    assert made.removed == {"api_key": 1, "bearer_token": 1, "email": 1}
    for part in ("waits for review", "1 API key", "1 bearer token", "1 e-mail address", "1.84.0", "Docker",
                 "The coin is spent: 3 of 2", f"http://testserver{made.get_absolute_url()}"):  # fmt: skip
        assert part in page, part
    assert SECRET not in page
    assert "me@example.com" not in page
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]
    assert 'content="noindex"' in page


def test_the_receipt_says_that_a_fix_is_no_longer_in_the_guide(library: Path, client: Client) -> None:
    made = reported(client, fix="raise-coin", helped="yes")
    assert "Raise the coin limit: helped" in client.get(made.get_absolute_url()).content.decode()
    QuickFix.objects.update(key="raise-more")
    page = client.get(made.get_absolute_url()).content.decode()
    assert "raise-coin (no longer in the guide): helped" in page


@pytest.mark.parametrize(
    ("state", "says"),
    [("accepted", "was accepted"), ("rejected", "was not accepted"), ("superseded", "stands in for yours")],
)
def test_the_receipt_says_what_became_of_it_and_why(
    library: Path, client: Client, state: str, says: str
) -> None:
    made = reported(client)
    reviewer = User.objects.create_user("rosa")
    Decision.objects.create(
        report=made,
        revision=1,
        before=State.PENDING,
        after=state,
        reason="<b>Because</b> of it.",
        by=reviewer,
    )
    EvidenceReport.objects.filter(pk=made.pk).update(state=state, revision=1)
    page = client.get(made.get_absolute_url()).content.decode()
    assert says in page
    assert "&lt;b&gt;Because&lt;/b&gt; of it." in page
    assert "rosa" not in page


def test_a_link_is_shown_without_endorsing_it(library: Path, client: Client) -> None:
    made = reported(client, link="https://threads.example/7")
    page = client.get(made.get_absolute_url()).content.decode()
    assert '<a href="https://threads.example/7" rel="nofollow ugc noopener">' in page


@pytest.mark.parametrize("url", ["/reports/unheard-of/", "/reports/drafts/unheard-of/"])
def test_an_address_that_nobody_was_given_is_404(library: Path, client: Client, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 404
    assert "No such page" in answer.content.decode()
    assert client.post(url).status_code == 405


# One form, one report


def test_the_same_form_sent_twice_leads_to_the_same_receipt(library: Path, client: Client) -> None:
    stamp = signed()
    assert send(client, stamp=stamp)["Location"] == send(Client(), stamp=stamp)["Location"]
    old = signed(age=100_000, name=EvidenceReport.objects.get().form)
    assert send(client, stamp=old).status_code == 303
    assert EvidenceReport.objects.count() == 1


def test_a_form_that_was_changed_after_it_was_sent_keeps_the_change(library: Path, client: Client) -> None:
    stamp = signed()
    first = reported(client, stamp=stamp)
    answer = send(client, stamp=stamp, story="One word more.")
    assert answer.status_code == 409
    page = answer.content.decode()
    assert "One word more." in page
    assert first.get_absolute_url() in page
    assert answer.context["stamp"] != stamp


def test_the_same_form_at_the_same_time_makes_one_report(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request wins between the look for an earlier report and the writing of this one."""
    name = "the-same-form"
    winner = reported(client, stamp=signed(name=name))
    looks = [None, winner]
    monkeypatch.setattr("kb.evidence.views.of_form", lambda form: looks.pop(0))
    answer = send(client, stamp=signed(name=name))
    assert (answer.status_code, answer["Location"]) == (303, winner.get_absolute_url())
    assert EvidenceReport.objects.count() == 1


def test_the_same_account_from_another_is_not_kept_twice_and_no_receipt_is_told(
    library: Path, client: Client
) -> None:
    first = reported(client, version="1.84.0", story="The same words.")
    answer = send(Client(), version="1.84.0", story="The same words.", pods="1")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "That report is there already" in page
    assert "waits for a reviewer" in page
    assert first.pk not in page
    action, fields = form_in(page, "Go on with the form")
    assert (action, fields["story"], fields["pods"]) == (COIN, "The same words.", "1")
    assert "The same words." in client.post(action, fields).content.decode()
    assert EvidenceReport.objects.count() == 1
    reported(client, version="1.84.0", story="Other words.")
    reported(client, version="1.84.0", story="The same words.", fits="different")
    reported(client, UNKNOWN, version="1.84.0", story="The same words.", do="else")
    EvidenceReport.objects.update(created=timezone.now() - timedelta(days=31))
    reported(client, version="1.84.0", story="The same words.")


def test_a_failure_between_the_writes_leaves_nothing(
    library: Path, lenient_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no notice")

    stamp = signed()
    monkeypatch.setattr(receiving, "announce", fails)
    assert send(lenient_client, stamp=stamp).status_code == 500
    assert EvidenceReport.objects.count() == 0
    monkeypatch.undo()
    assert reported(lenient_client, stamp=stamp).state == "pending"


def test_a_database_that_goes_away_midway_keeps_the_form(
    library: Path, lenient_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("db.internal is away")

    monkeypatch.setattr(receiving, "announce", fails)
    answer = send(lenient_client, story="kept words")
    assert answer.status_code == 503
    assert "kept words" in answer.content.decode()
    assert "db.internal" not in answer.content.decode()
    assert EvidenceReport.objects.count() == 0


def test_a_database_that_is_away_from_the_start_keeps_all_that_was_typed(
    library: Path, lenient_client: Client
) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("db.internal is away")

    stamp = signed()
    with connection.execute_wrapper(away):
        answer = send(lenient_client, stamp=stamp, story=f"kept words {SECRET}", link="https://kept.example/")
    page = answer.content.decode()
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert "db.internal" not in page
    assert SECRET not in page
    for part in ("kept words", "https://kept.example/", "The coin is spent: 3 of 2", stamp):
        assert part in page


def test_the_same_for_who_is_signed_in(library: Path, lenient_client: Client) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("db.internal is away")

    lenient_client.force_login(User.objects.create_user("rosa"))
    with connection.execute_wrapper(away):
        answer = send(lenient_client, story="kept words")
    assert answer.status_code == 503
    assert "kept words" in answer.content.decode()


def test_who_sees_the_notice_is_led_to_the_review(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(receiving, "announce", lambda *said: told.append(said))
    made = reported(
        client, story=f"Carla Jones saw {SECRET}", version="1.84.0", link="https://a.example/carla"
    )
    ((event, subject, path, facts),) = told
    assert (str(event), path) == ("report.new", f"/review/{made.pk}/")
    assert subject == "New report: The coin is spent"
    assert facts["Version"] == "1.84.0"
    assert SECRET not in json.dumps(facts)
    assert "carla" not in json.dumps(facts).lower()  # what a reviewer may yet remove stays on the site


def test_a_user_who_is_signed_in_is_noted(library: Path, client: Client) -> None:
    user = User.objects.create_user("rosa")
    client.force_login(user)
    assert reported(client, by="17").by == user
    assert reported(Client(), story="Somebody else.").by is None


def test_it_needs_no_cookie(library: Path) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert send(strict).status_code == 303
    assert not strict.cookies


# Hostile input


@pytest.mark.parametrize("state", ["accepted", "published", ""])
def test_nothing_but_the_fields_of_the_form_is_taken(library: Path, client: Client, state: str) -> None:
    user = User.objects.create_user("rosa")
    made = reported(
        client, state=state, revision="9", by=str(user.pk), form="mine", id="mine", removed='{"x": 1}',
        fingerprint="v1:0", created="2001-01-01", guide="99", decisions="1",
    )  # fmt: skip
    assert (made.state, made.revision, made.by, made.removed) == ("pending", 0, None, {})
    assert made.guide is not None
    assert made.guide.slug == "coin"
    assert made.pk != "mine"
    assert made.form != "mine"
    assert made.fingerprint == fingerprint(ERROR)
    assert made.created.year == timezone.now().year


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7|add:7 }}'


def test_markup_is_text_wherever_it_is_shown(library: Path, client: Client) -> None:
    fields = dict.fromkeys(("text", "story", "version", "link", "deployment", "fix", "fits", "tool"), HOSTILE)
    pages = [
        send(client, **fields),
        client.post(COIN, fields),
        client.get(COIN, fields),
        client.get(client.post(COIN, {"stamp": signed(), "do": "keep", **fields})["Location"]),
        client.get(reported(client, text=HOSTILE, story=HOSTILE).get_absolute_url()),
        send(Client(), text=HOSTILE, story=HOSTILE),
        client.post(COIN, {"stamp": HOSTILE, "draft": HOSTILE, **fields}),
        client.post(COIN, {"stamp": signed(), "subject": HOSTILE, **fields}),
    ]
    for answer in pages:
        page = answer.content.decode()
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_text_that_would_trick_the_eye_or_the_database_is_cleaned(library: Path, client: Client) -> None:
    nasty = "a\0b\ud800c\u202ed\u2066e"
    fields = {"stamp": signed(), "text": nasty, "story": nasty, "version": f"1.2{nasty}"}
    body = b"&".join(name.encode() + b"=" + percent(value) for name, value in fields.items())
    answer = client.post(COIN, body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 303
    made = EvidenceReport.objects.get()
    assert made.version == "1.2a"
    for text in (made.text, made.story):
        assert text.startswith("a\ufffdb")
        assert not {"\0", "\ud800", "\u202e", "\u2066"} & set(text)
        assert text.endswith("c\ufffdd\ufffde")
    assert client.get(made.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_refused(library: Path, client: Client, method: str) -> None:
    assert getattr(client, method)(COIN).status_code == 405


def test_a_stamp_is_young_enough_and_old_enough_and_ours(library: Path, client: Client) -> None:
    for stamp, says in [
        (signed(age=0), "quicker than a person types"),
        (signed(age=24 * 3600 + 5), "open for more than a day"),
        (signed(age=-50), "quicker than a person types"),
        (signed()[:-3] + "xyz", "not from this site"),
        ("", "not from this site"),
        ("é\x07" * 50, "not from this site"),
        ("a:b:c", "not from this site"),
    ]:
        answer = send(client, stamp=stamp, story="kept words")
        page = answer.content.decode()
        assert answer.status_code == 422
        assert says in page
        assert "kept words" in page
        fresh = read(answer.context["stamp"])
        assert fresh is not None
        assert 0 <= fresh.age < 1_000
        assert f'value="{answer.context["stamp"]}"' in page
    assert EvidenceReport.objects.count() == 0


@pytest.mark.parametrize("age", [0, 100_000, -100_000])
def test_the_stamp_of_a_refused_form_works_after_a_moment(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch, age: int
) -> None:
    fresh = send(client, stamp=signed(age=age)).context["stamp"]
    later = time.time() + 4
    monkeypatch.setattr("kb.evidence.stamp.time.time", lambda: later)
    assert reported(client, stamp=fresh).state == "pending"


def test_the_list_of_what_is_wrong_calls_each_field_as_its_label_does(library: Path, client: Client) -> None:
    wrong = {"story": "x" * 4_001, "text": "x" * 20_001, "version": "x" * 90, "link": "nonsense"}
    page = send(client, **wrong, fix="raise-coin", pods="7", store="7").content.decode()
    links = re.findall(r'<a href="#(id_\w+)">([^<]+)</a>', page)
    assert {name for name, _ in links} >= {f"id_{name}" for name in (*wrong, "helped", "pods", "store")}
    for name, words in links:
        assert re.search(rf'<label for="{name}">{re.escape(words)}[ <]', page), words


def test_a_form_that_is_corrected_counts_from_when_it_was_shown_first(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr("kb.evidence.stamp.time.time", lambda: now)
    stamp = client.get(COIN).context["stamp"]
    now += 2
    stamp = send(client, stamp=stamp, link="nonsense").context["stamp"]
    now += 2
    assert reported(client, stamp=stamp).state == "pending"
