"""Review as reviewers meet it: who may come in, the queue, a report's page, what goes wrong."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from kb.evidence.models import Decision, EvidenceReport, State
from kb.evidence.moderation import decide
from kb.guides.models import Guide, Tool
from tests.evidence import made

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture
def coin(library: Path) -> Guide:
    """The guide that most reports here are about."""
    return Guide.objects.get(slug="coin")


@pytest.fixture
def rita(client: Client, coin: Guide) -> Client:
    """A browser in which a reviewer is signed in."""
    client.force_login(made.reviewer())
    return client


def unknown(**fields: Any) -> EvidenceReport:
    """A report about something that no guide fits."""
    given = {"story": "Nothing fits.", "form": f"form-{next(made.forms)}"} | fields
    return EvidenceReport.objects.create(tool=Tool.objects.get(), **given)


def page_of(answer: Any) -> str:
    """The page without runs of white space."""
    return " ".join(answer.content.decode().split())


def listed(answer: Any) -> list[str]:
    """The ids of the reports that the queue lists, in order."""
    return [row["report"].pk for row in answer.context["rows"]]


def state_of(report: EvidenceReport) -> str:
    report.refresh_from_db()
    return str(report.state)


# Who may come in


def test_nobody_but_reviewers_comes_in(coin: Guide, client: Client) -> None:
    report = made.report(coin)
    for path in ("/review/", f"/review/{report.pk}/", "/review/?state=all&guide=gate/coin"):
        for answer in (client.get(path), client.post(path, {"after": "accepted", "seen": 0})):
            assert answer.status_code == 302
            assert answer["Location"].startswith("/sign-in/?next=/review/")
            assert "no-store" in answer["Cache-Control"]
    client.force_login(User.objects.create_user("otto"))
    for path in ("/review/", f"/review/{report.pk}/", "/review/none/"):
        for answer in (client.get(path), client.post(path, {"after": "accepted", "seen": 0})):
            assert answer.status_code == 403
            assert "It went wrong." not in page_of(answer)
            assert "no-store" in answer["Cache-Control"]
    assert state_of(report) == "pending"


def test_a_user_that_was_switched_off_is_out(rita: Client) -> None:
    User.objects.update(is_active=False)
    assert rita.get("/review/").status_code == 302


def test_review_is_kept_and_indexed_by_nobody(rita: Client, coin: Guide) -> None:
    report = made.report(coin)
    for path in ("/review/", f"/review/{report.pk}/"):
        answer = rita.get(path)
        assert "no-store" in answer["Cache-Control"]
        assert answer["X-Robots-Tag"] == "noindex"


def test_decisions_need_the_form_s_token(coin: Guide) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(made.reviewer())
    report = made.report(coin)
    answer = browser.post(f"/review/{report.pk}/", {"after": "accepted", "seen": 0})
    assert answer.status_code == 403
    assert state_of(report) == "pending"


@pytest.mark.parametrize("name", ["none", "x" * 200, "-", "0"])
def test_a_report_that_is_not_there_is_404(rita: Client, name: str) -> None:
    assert rita.get(f"/review/{name}/").status_code == 404
    assert rita.post(f"/review/{name}/", {"after": "accepted", "seen": 0}).status_code == 404


# The queue


def test_what_waits_longest_comes_first(rita: Client, coin: Guide) -> None:
    now = timezone.now()
    young = made.report(coin, created=now - timedelta(hours=1))
    old = made.report(coin, created=now - timedelta(days=3))
    made.report(coin, state=State.ACCEPTED)
    answer = rita.get("/review/")
    assert listed(answer) == [old.pk, young.pk]
    assert "2 reports, the oldest first" in page_of(answer)
    assert "3\xa0days ago" in answer.content.decode()


def test_a_row_says_what_it_is_about(rita: Client, coin: Guide) -> None:
    otto = User.objects.create_user("otto")
    print_ = "v1:0123456789abcdef"
    made.report(coin, fingerprint=print_, state=State.REJECTED)
    made.report(
        coin,
        by=otto,
        version="1.84.0",
        deployment="kubernetes",
        fits="different",
        fix="raise-coin",
        helped="no",
        text="The coin is spent: 3 of 2",
        fingerprint=print_,
    )
    page = page_of(rita.get("/review/"))
    for words in (
        "The coin is spent", "It went wrong.", "The coin is spent: 3 of 2", "Kubernetes", "1.84.0",
        "differently", "a fix didn&#x27;t help", "by otto", "1 other with this text",
    ):  # fmt: skip
        assert words in page, words
    assert f"?state=all&amp;fingerprint={print_}" in page


def test_long_texts_are_cut_in_the_queue(rita: Client, coin: Guide) -> None:
    made.report(coin, story="start " + "s" * 4000, text="begin " + "t" * 20_000)
    page = rita.get("/review/").content.decode()
    assert "start sss" in page
    assert "begin ttt" in page
    assert "s" * 300 not in page
    assert "t" * 300 not in page


def test_filters_stand_in_the_url(rita: Client, coin: Guide) -> None:
    token = Guide.objects.get(slug="token")
    print_ = "v1:0123456789abcdef"
    one = made.report(coin, fingerprint=print_)
    two = made.report(token)
    three = unknown()
    four = made.report(token, state=State.REJECTED, fingerprint=print_)
    for query, found in (
        ("", {one, two, three}),
        ("state=rejected", {four}),
        ("state=superseded", set()),
        ("state=all", {one, two, three, four}),
        ("guide=gate/coin", {one}),
        ("guide=unknown", {three}),
        ("tool=gate&guide=gate/token", {two}),
        ("state=all&guide=gate/token", {two, four}),
        (f"fingerprint={print_}", {one}),
        (f"state=all&fingerprint={print_}", {one, four}),
    ):
        answer = rita.get(f"/review/?{query}")
        assert answer.status_code == 200
        assert set(listed(answer)) == {report.pk for report in found}, query


def test_tabs_count_each_state_within_the_other_filters(rita: Client, coin: Guide) -> None:
    for state in (State.PENDING, State.PENDING, State.ACCEPTED, State.REJECTED):
        made.report(coin, state=state)
    unknown()
    tabs = {tab["name"]: tab["count"] for tab in rita.get("/review/").context["tabs"]}
    assert tabs == {"pending": 3, "accepted": 1, "rejected": 1, "superseded": 0, "all": 5}
    answer = rita.get("/review/?guide=gate/coin&page=1")
    assert {tab["name"]: tab["count"] for tab in answer.context["tabs"]}["pending"] == 2
    assert "?guide=gate%2Fcoin&amp;state=accepted" in page_of(answer)


@pytest.mark.parametrize(
    "query",
    ["state=published", "guide=gate/none", "guide=..", "tool=x", "fingerprint=drop", "fingerprint=%00"],
)
def test_a_filter_that_makes_no_sense_is_named(rita: Client, query: str) -> None:
    answer = rita.get(f"/review/?{query}")
    assert answer.status_code == 400
    assert "a filter makes no sense" in page_of(answer)


def test_many_reports_come_in_pages_with_few_queries(
    rita: Client, coin: Guide, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(60):
        made.report(coin, fingerprint="v1:0123456789abcdef", by=made.reviewer())
    with django_assert_max_num_queries(18):
        first = rita.get("/review/?guide=gate/coin")
    second = rita.get("/review/?guide=gate/coin&page=2")
    assert len(listed(first)) == len(listed(second)) == 25
    assert not set(listed(first)) & set(listed(second))
    assert "?guide=gate%2Fcoin&amp;page=3" in page_of(second)
    for number in ("0", "-1", "999", "x"):
        assert rita.get(f"/review/?page={number}").status_code == 200


def test_an_empty_queue_says_so(rita: Client) -> None:
    assert "Nothing waits" in page_of(rita.get("/review/"))
    assert "No such report" in page_of(rita.get("/review/?state=rejected"))


def test_guides_that_reports_speak_against_are_listed(rita: Client, coin: Guide) -> None:
    assert "Guides to look at again" not in page_of(rita.get("/review/"))
    Guide.objects.update(verified=timezone.now().date())
    made.accepted(coin, fits="different")
    page = page_of(rita.get("/review/"))
    assert "Guides to look at again" in page
    assert "1 report against it" in page
    assert "?state=accepted&amp;guide=gate/coin" in page


# Many at once


def bulk(browser: Client, reports: list[EvidenceReport], query: str = "", **fields: Any) -> Any:
    """What the queue answers to ticks on these reports, as they were when they were made."""
    ticks = [f"{report.pk}:{report.revision}" for report in reports]
    return browser.post(f"/review/{query}", {"report": ticks} | fields)


def test_one_decision_for_all_that_are_ticked(rita: Client, coin: Guide) -> None:
    reports = [made.report(coin) for _ in range(3)]
    answer = bulk(rita, reports[:2], "?guide=gate%2Fcoin", after="rejected", reason="Two copies.")
    assert answer.status_code == 302
    assert answer["Location"] == "/review/?guide=gate%2Fcoin"
    assert "2 reports are rejected now." in page_of(rita.get(answer["Location"]))
    assert [state_of(report) for report in reports] == ["rejected", "rejected", "pending"]
    assert set(Decision.objects.values_list("reason", "by__username")) == {("Two copies.", "rita")}


def test_those_that_were_not_decided_are_listed_with_why(rita: Client, coin: Guide) -> None:
    good, late, gone = made.report(coin), made.report(coin, story="late"), made.report(coin)
    ticks = [f"{report.pk}:0" for report in (good, late, gone)]
    decide(late, State.REJECTED, "No.", made.reviewer(), seen=0)
    gone.delete()
    answer = rita.post("/review/", {"report": ticks, "after": "accepted", "reason": ""})
    page = page_of(answer)
    assert answer.status_code == 409
    assert "1 decided, 2 left as they are" in page
    assert f'<a href="/review/{late.pk}/">' in page
    assert "It was rejected in the meantime" in page
    assert "It was deleted in the meantime" in page
    assert state_of(good) == "accepted"
    assert state_of(late) == "rejected"


def test_rejecting_many_without_a_reason_keeps_the_ticks(rita: Client, coin: Guide) -> None:
    reports = [made.report(coin), made.report(coin)]
    answer = bulk(rita, reports[:1], after="rejected", reason="  ")
    page = page_of(answer)
    assert answer.status_code == 422
    assert "Say why it is rejected" in page
    assert re.search(rf'value="{reports[0].pk}:0" checked', page)
    assert not re.search(rf'value="{reports[1].pk}:0" checked', page)
    assert re.search(r'value="rejected" checked', page)
    assert state_of(reports[0]) == "pending"


def test_deciding_on_a_later_page_stays_there(rita: Client, coin: Guide) -> None:
    for _ in range(60):
        made.report(coin)
    second = rita.get("/review/?guide=gate/coin&page=2")
    where = re.search(r'<form method="post" action="(\?[^"]+)" [^>]*data-queue>', page_of(second))
    assert where
    ticked = [row["report"] for row in second.context["rows"][:2]]
    again = bulk(rita, ticked, unescape(where[1]), after="rejected", reason="")
    assert "Say why it is rejected" in page_of(again)
    assert listed(again) == listed(second)
    assert all(f'value="{report.pk}:0" checked' in page_of(again) for report in ticked)
    done = bulk(rita, ticked, unescape(where[1]), after="accepted")
    assert "Page 2 of 3" in page_of(rita.get(done["Location"]))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"report": []}, "Tick at least one report."),
        ({"report": ["nonsense"]}, "Tick again."),
        ({"report": ["x:"]}, "Tick again."),
        ({"report": ["x:-1"]}, "Tick again."),
        ({"report": ["x:99999999999999"]}, "Tick again."),
        ({"report": ["x" * 5000 + ":1"]}, "Tick again."),
        ({"after": ""}, "Choose what to decide."),
        ({"after": "published"}, "There is no such decision."),
        ({"after": "superseded"}, "There is no such decision."),
        ({"after": "x" * 100_000}, "There is no such decision."),
        ({"after": "rejected", "reason": "y" * 501}, "501 characters; 500 is the most."),
    ],
)
def test_a_bulk_form_that_makes_no_sense_decides_nothing(
    rita: Client, coin: Guide, fields: dict[str, Any], words: str
) -> None:
    report = made.report(coin)
    answer = rita.post("/review/", {"report": [f"{report.pk}:0"], "after": "accepted", "reason": ""} | fields)
    assert answer.status_code == 422
    assert words in page_of(answer)
    assert state_of(report) == "pending"


# One report


def test_a_report_s_page_has_all_that_decides(rita: Client, coin: Guide) -> None:
    otto = User.objects.create_user("otto")
    print_ = "v1:0123456789abcdef"
    other = made.report(coin, fingerprint=print_, state=State.REJECTED)
    report = made.report(
        coin,
        by=otto,
        version="1.84.0",
        deployment="docker",
        pods="2-5",
        store="postgresql",
        cache="redis",
        text="The coin is spent: 3 of 2",
        removed={"api_key": 2, "by_hand": 1},
        fingerprint=print_,
        fits="same",
        fix="raise-coin",
        helped="yes",
        link="https://threads.example/1",
    )
    page = page_of(rita.get(f"/review/{report.pk}/"))
    for words in (
        "It went wrong.", "The coin is spent: 3 of 2", "1.84.0", "Docker", "2 to 5", "PostgreSQL", "Redis",
        "as the guide says", "Raise the coin limit", "helped", "by otto",
        "2 API keys, 1 passage by a reviewer",
        print_, 'href="/errors/gate/coin/"', "The coin is really spent", f"/review/{other.pk}/",
        'href="https://threads.example/1" rel="nofollow ugc noopener noreferrer"', "Pending",
    ):  # fmt: skip
        assert words in page, words


def test_every_field_is_shown_as_text(rita: Client, coin: Guide) -> None:
    report = made.report(
        coin,
        story=HOSTILE,
        text=HOSTILE,
        version=HOSTILE[:40],
        deployment=HOSTILE[:20],
        pods="<b>",
        store=HOSTILE[:20],
        cache=HOSTILE[:20],
        fits=HOSTILE[:20],
        fix="<i>",
        helped=HOSTILE[:20],
        link="javascript:alert(1)",
        fingerprint="<u>",
        removed={HOSTILE: 1},
        by=User.objects.create_user(HOSTILE),
    )
    copy = made.report(coin, story="**bold** [link](https://x.example)", fingerprint="<u>")
    decide(copy, State.REJECTED, HOSTILE, made.reviewer(), seen=0)
    for path in (f"/review/{report.pk}/", f"/review/{copy.pk}/", "/review/", "/review/?state=all"):
        page = rita.get(path).content.decode()
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert "<b>bold" not in page, path
        assert "<strong>bold" not in page, path
        assert 'href="javascript' not in page, path
    told = rita.get(f"/review/{report.pk}/").content.decode()
    assert told.count("&lt;script&gt;alert(1)") >= 3
    bulk_page = rita.post("/review/", {"report": [f"{report.pk}:9", HOSTILE], "reason": HOSTILE})
    late = rita.post(f"/review/{report.pk}/", {"after": "accepted", "reason": HOSTILE, "seen": 9})
    for answer in (bulk_page, late):
        assert "<script>alert" not in answer.content.decode()


def test_accepting_leads_to_the_next_that_waits(rita: Client, coin: Guide) -> None:
    now = timezone.now()
    first, second, third = (made.report(coin, created=now - timedelta(hours=n)) for n in (3, 2, 1))
    elsewhere = unknown(created=now - timedelta(hours=2, minutes=30))
    answer = rita.post(f"/review/{first.pk}/", {"after": "accepted", "reason": "", "seen": 0})
    assert answer["Location"] == f"/review/{elsewhere.pk}/"
    page = page_of(rita.get(answer["Location"]))
    assert "The report on “The coin is spent” is accepted." in page
    assert f'<a href="/review/{first.pk}/">Look at it again</a>' in page
    query = "?guide=gate%2Fcoin"
    answer = rita.post(f"/review/{third.pk}/{query}", {"after": "accepted", "reason": "", "seen": 0})
    assert answer["Location"] == f"/review/{second.pk}/{query}"
    answer = rita.post(f"/review/{second.pk}/{query}", {"after": "accepted", "reason": "", "seen": 0})
    assert answer["Location"] == f"/review/{query}"
    assert {state_of(report) for report in (first, second, third)} == {"accepted"}


def test_what_is_offered_follows_the_state(rita: Client, coin: Guide) -> None:
    for state, ways in (
        (State.PENDING, {"accepted", "rejected"}),
        (State.ACCEPTED, {"superseded", "rejected", "pending"}),
        (State.REJECTED, {"accepted", "pending"}),
        (State.SUPERSEDED, {"accepted", "pending"}),
    ):
        page = page_of(rita.get(f"/review/{made.report(coin, state=state).pk}/"))
        assert set(re.findall(r'name="after" value="(\w+)"', page)) == ways
        assert ('name="words"' in page) == (state == State.PENDING)


def test_a_decision_is_taken_back(rita: Client, coin: Guide) -> None:
    report = made.accepted(coin)
    rita.post(f"/review/{report.pk}/", {"after": "pending", "reason": "Too quick.", "seen": 1})
    assert state_of(report) == "pending"
    page = page_of(rita.get(f"/review/{report.pk}/"))
    assert "Taken back to pending</b> by rita" in page
    assert "Too quick." in page


def test_rejecting_needs_a_reason_and_keeps_the_choice(rita: Client, coin: Guide) -> None:
    report = made.report(coin)
    answer = rita.post(f"/review/{report.pk}/", {"after": "rejected", "reason": " ", "seen": 0})
    page = page_of(answer)
    assert answer.status_code == 422
    assert "Say why it is rejected: the reporter reads it on the receipt." in page
    assert 'value="rejected" checked' in page
    assert state_of(report) == "pending"


def test_a_reason_is_freed_of_secrets(rita: Client, coin: Guide) -> None:
    secret = "sk-proj-" + "Zq8" * 12
    report = made.report(coin)
    kept = rita.post(f"/review/{report.pk}/", {"after": "", "reason": f"It has {secret}", "seen": 0})
    assert secret not in page_of(kept)
    assert "It has &lt;api_key&gt;" in page_of(kept)
    rita.post(f"/review/{report.pk}/", {"after": "rejected", "reason": f"It has {secret}\0", "seen": 0})
    assert Decision.objects.get().reason == "It has <api_key>\ufffd"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"after": "published"}, "There is no such decision."),
        ({"after": ""}, "Choose what to decide."),
        ({"after": "a" * 100_000}, "There is no such decision."),
        ({"after": "superseded"}, "can&#x27;t become superseded"),
        ({"after": "pending"}, "can&#x27;t become pending"),
        ({"seen": ""}, "didn&#x27;t say which state of the report you saw"),
        ({"seen": "-1"}, "didn&#x27;t say which state of the report you saw"),
        ({"seen": "9" * 5000}, "didn&#x27;t say which state of the report you saw"),
        ({"seen": "one"}, "didn&#x27;t say which state of the report you saw"),
        ({"reason": "z" * 100_000}, "500 is the most"),
    ],
)
def test_a_forged_form_decides_nothing_and_keeps_the_reason(
    rita: Client, coin: Guide, fields: dict[str, str], words: str
) -> None:
    report = made.report(coin)
    given = {"after": "accepted", "reason": "My words.", "seen": "0"} | fields
    answer = rita.post(f"/review/{report.pk}/", given)
    page = page_of(answer)
    assert answer.status_code == 422
    assert words in page
    assert given["reason"] in page
    assert state_of(report) == "pending"
    assert Decision.objects.count() == 0


def test_who_comes_too_late_sees_what_happened_and_keeps_the_reason(rita: Client, coin: Guide) -> None:
    report = made.report(coin)
    otto = User.objects.create_user("otto")
    decide(report, State.REJECTED, "About another gateway.", otto, seen=0)
    given = {"after": "accepted", "reason": "It fits well.", "seen": 0}
    answer = rita.post(f"/review/{report.pk}/", given)
    page = page_of(answer)
    assert answer.status_code == 409
    assert "Somebody was here before you" in page
    assert "Rejected</b> by otto" in page
    assert "About another gateway." in page
    assert "It fits well." in page
    assert state_of(report) == "rejected"
    assert 'name="seen" value="1"' in page
    rita.post(f"/review/{report.pk}/", given | {"seen": 1})
    assert state_of(report) == "accepted"


def test_a_reason_outlives_a_session(coin: Guide, client: Client) -> None:
    report = made.report(coin)
    secret = "sk-proj-" + "Zq8" * 12
    typed = {"after": "rejected", "reason": f"My words & {secret}", "seen": 0, "report": f"{report.pk}:0"}
    for path in (f"/review/{report.pk}/?guide=gate/coin", "/review/?guide=gate/coin"):
        answer = client.post(path, typed)
        assert secret not in answer["Location"]
        asked = parse_qs(urlsplit(answer["Location"]).query)["next"][0]
        client.force_login(made.reviewer())
        page = page_of(client.get(asked))
        assert "My words &amp; &lt;api_key&gt;" in page
        assert 'value="rejected" checked' in page
        assert "reason=" not in page
        assert state_of(report) == "pending"
        client.logout()


# Words that were missed


def test_a_reviewer_removes_words(rita: Client, coin: Guide) -> None:
    report = made.report(coin, story="The word is hunter2-of-the-moon, twice.\nhunter2-of-the-moon")
    answer = rita.post(f"/review/{report.pk}/", {"words": " hunter2-of-the-moon ", "seen": 0})
    assert answer["Location"] == f"/review/{report.pk}/"
    page = page_of(rita.get(answer["Location"]))
    assert "hunter2" not in page
    assert "The word is &lt;removed&gt;, twice." in page
    assert "Changed</b> by rita" in page
    assert "2 passages removed by a reviewer." in page
    receipt = page_of(rita.get(report.get_absolute_url()))
    assert "Removed from what you sent: 2 passages by a reviewer." in receipt


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"words": "quokka-secret"}, "don&#x27;t stand in the report"),
        ({"words": "  "}, "Give the words to remove."),
        ({"words": "It"}, "Give at least 3 characters"),
        ({"words": "w" * 20_000}, "10,000 characters are the most"),
        ({"words": "went wrong", "seen": ""}, "didn&#x27;t say which state"),
    ],
)
def test_words_that_make_no_sense_remove_nothing_and_are_not_shown_back(
    rita: Client, coin: Guide, fields: dict[str, str], words: str
) -> None:
    report = made.report(coin)
    answer = rita.post(f"/review/{report.pk}/", {"seen": "0"} | fields)
    page = page_of(answer)
    assert answer.status_code == 422
    assert words in page
    assert "quokka-secret" not in page
    assert EvidenceReport.objects.get().story == "It went wrong."


def test_words_of_a_report_that_was_decided_meanwhile_stay(rita: Client, coin: Guide) -> None:
    report = made.accepted(coin)
    answer = rita.post(f"/review/{report.pk}/", {"words": "wrong", "seen": 0})
    assert answer.status_code == 409
    answer = rita.post(f"/review/{report.pk}/", {"words": "wrong", "seen": 1})
    assert answer.status_code == 422
    assert "take it back to pending first" in page_of(answer)
    assert EvidenceReport.objects.get().story == "It went wrong."
