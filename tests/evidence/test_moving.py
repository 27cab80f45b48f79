"""A report that is about another guide than its reader thought: a reviewer moves it, the history says so."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from kb.audit.models import Entry
from kb.evidence.models import EvidenceReport, State
from kb.evidence.moderation import JustDecided, Refused, move, remove_words
from kb.guides.models import Guide, Tool
from tests.evidence import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def coin(library: Path) -> Guide:
    """The guide that reports here are about at first."""
    return Guide.objects.select_related("tool").get(slug="coin")


@pytest.fixture
def token(coin: Guide) -> Guide:
    """The guide that they belong to."""
    return Guide.objects.select_related("tool").get(slug="token")


@pytest.fixture
def rita(client: Client, coin: Guide) -> Client:
    """A browser in which a reviewer is signed in."""
    client.force_login(made.reviewer())
    return client


def sent(client: Client, report: EvidenceReport, guide: str, seen: int = 0) -> Any:
    """What the form answers."""
    return client.post(f"/review/{report.pk}/", {"guide": guide, "seen": seen})


def test_a_report_is_moved_and_the_history_says_from_where(rita: Client, coin: Guide, token: Guide) -> None:
    report = made.report(coin, fits="different", fix="raise-coin", helped="no")
    assert sent(rita, report, "gate/token").status_code == 302
    report.refresh_from_db()
    assert (report.guide, report.state, report.revision) == (token, "pending", 1)
    assert (report.fits, report.fix, report.helped) == ("", "", "")
    decision = report.decisions.get()
    assert decision.reason == (
        "Moved from “The coin is spent” to “The token is spent”."
        " Said of that guide: it happened differently; raise-coin didn't help."
    )
    assert (decision.before, decision.after, decision.by) == ("pending", "pending", made.reviewer())
    entry = Entry.objects.get(what="report.moved")
    assert (entry.who, entry.details["reason"]) == ("rita", decision.reason)
    page = rita.get(f"/review/{report.pk}/").content.decode()
    assert "Moved from" in page
    receipt = rita.get(f"/reports/{report.pk}/").content.decode()
    assert "Changed by a reviewer" in receipt
    assert "/errors/gate/token/" in receipt


def test_accepted_after_that_it_counts_on_the_other_guide(rita: Client, coin: Guide, token: Guide) -> None:
    report = made.report(coin, story="Seen on Mondays.")
    sent(rita, report, "gate/token")
    made.decide(report, State.ACCEPTED)
    assert "Seen on Mondays." in rita.get("/errors/gate/token/").content.decode()
    assert "Seen on Mondays." not in rita.get("/errors/gate/coin/").content.decode()


def test_what_nobody_knew_finds_its_guide_and_the_other_way_round(rita: Client, coin: Guide) -> None:
    tool = Tool.objects.get()
    report = EvidenceReport.objects.create(tool=tool, form="x", text="gatelib: The coin is spent: 3 of 2")
    page = rita.get(f"/review/{report.pk}/").content.decode()
    assert '<option value="gate/coin" selected>' in page
    assert "The guide that recognises its text is chosen." in page
    sent(rita, report, "gate/coin")
    report.refresh_from_db()
    assert report.guide == coin
    sent(rita, report, "unknown", seen=1)
    report.refresh_from_db()
    assert (report.guide, report.tool, report.revision) == (None, tool, 2)


def test_a_report_goes_along_to_a_guide_of_another_tool(rita: Client, coin: Guide, token: Guide) -> None:
    other = Tool.objects.create(slug="port", name="Port", summary="Opens.", marks=["portlib"])
    Guide.objects.filter(pk=token.pk).update(tool=other)
    report = made.report(coin)
    sent(rita, report, "port/token")
    report.refresh_from_db()
    assert (report.guide_id, report.tool) == (token.pk, other)


@pytest.mark.parametrize(
    ("guide", "says"),
    [
        ("", "Choose the guide that it is about."),
        ("gate/nowhere", "There is no guide “gate/nowhere” here."),
        ("gate/coin", "The report is about this one already."),
        ("<script>", "There is no guide “&lt;script&gt;” here."),
    ],
)
def test_what_makes_no_sense_is_named_and_changes_nothing(
    rita: Client, coin: Guide, guide: str, says: str
) -> None:
    report = made.report(coin)
    answer = sent(rita, report, guide)
    assert (answer.status_code, says in answer.content.decode()) == (422, True)
    report.refresh_from_db()
    assert (report.guide, report.revision) == (coin, 0)


def test_who_saw_an_old_state_moves_nothing(rita: Client, coin: Guide, token: Guide) -> None:
    report = made.report(coin)
    made.decide(report, State.REJECTED)
    answer = sent(rita, report, "gate/token")
    assert (answer.status_code, "Somebody was here before you" in answer.content.decode()) == (409, True)
    with pytest.raises(JustDecided):
        move(report, token, made.reviewer(), seen=0)
    report.refresh_from_db()
    with pytest.raises(Refused, match="take it back to pending first"):
        move(report, token, made.reviewer(), seen=report.revision)
    assert report.guide == coin


def test_who_comes_too_late_to_move_one_that_still_waits_keeps_the_guide_they_chose(
    rita: Client, coin: Guide, token: Guide
) -> None:
    report = made.report(coin)
    remove_words(report, "went wrong", made.reviewer(), seen=0)
    answer = sent(rita, report, "gate/token")
    page = answer.content.decode()
    assert answer.status_code == 409
    assert '<option value="gate/token" selected>' in page
    assert '<details class="words" open>' in page


def test_nobody_but_reviewers_moves_one(client: Client, coin: Guide) -> None:
    report = made.report(coin)
    assert sent(client, report, "gate/token").status_code == 302
    report.refresh_from_db()
    assert report.guide == coin
