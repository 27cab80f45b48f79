"""Decisions on reports: who, when, why; all or nothing; of two at once exactly one."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Event, Thread
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, connections

from kb.evidence import moderation
from kb.evidence.models import Decision, EvidenceReport, State
from kb.evidence.moderation import (
    LONGEST_REASON,
    WAYS,
    JustDecided,
    Refused,
    decide,
    decide_many,
    remove_words,
)
from kb.guides.models import Guide
from kb.notices.outbox import Event as Notice
from tests.evidence import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def coin(library: Path) -> Guide:
    """The guide that most reports here are about."""
    return Guide.objects.get(slug="coin")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What was announced."""
    said: list[tuple[Any, ...]] = []
    monkeypatch.setattr(moderation, "announce", lambda *what: said.append(what))
    return said


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The slugs of the guides that were composed, in order."""
    slugs: list[str] = []
    monkeypatch.setattr(Guide, "compose", lambda guide: slugs.append(guide.slug))
    return slugs


def state_of(report: EvidenceReport) -> tuple[str, int, int]:
    """(state, revision, number of decisions) as the database has them."""
    report.refresh_from_db()
    return report.state, report.revision, report.decisions.count()


def test_a_decision_says_who_when_and_why(coin: Guide) -> None:
    report = made.report(coin)
    made_by = made.reviewer()
    decision = decide(report, State.REJECTED, "  It is about another gateway. ", made_by, seen=0)
    assert (decision.before, decision.after) == ("pending", "rejected")
    assert decision.reason == "It is about another gateway."
    assert decision.by == made_by
    assert decision.at is not None
    assert state_of(report) == ("rejected", 1, 1)


def test_every_way_is_open_and_no_other(coin: Guide) -> None:
    by = made.reviewer()
    for before in State:
        for after in State:
            report = made.report(coin, state=before)
            if after in WAYS[before]:
                decide(report, after, "Because.", by, seen=0)
                assert state_of(report) == (after, 1, 1)
            else:
                with pytest.raises(Refused, match=f"can't become {after.label}"):
                    decide(report, after, "Because.", by, seen=0)
                assert state_of(report) == (before, 0, 0)


@pytest.mark.parametrize("after", [State.REJECTED, State.SUPERSEDED])
def test_rejecting_and_superseding_need_a_reason(coin: Guide, after: State) -> None:
    report = made.report(coin, state=State.ACCEPTED)
    with pytest.raises(Refused, match="Say why"):
        decide(report, after, "   ", made.reviewer(), seen=0)
    assert state_of(report) == ("accepted", 0, 0)


def test_a_reason_that_is_too_long_is_refused_on_every_database(coin: Guide) -> None:
    report = made.report(coin)
    with pytest.raises(Refused, match=f"{LONGEST_REASON} is the most"):
        decide(report, State.REJECTED, "x" * (LONGEST_REASON + 1), made.reviewer(), seen=0)
    assert state_of(report) == ("pending", 0, 0)


def test_who_saw_an_old_state_decides_nothing(coin: Guide) -> None:
    report = made.report(coin)
    decide(report, State.ACCEPTED, "", made.reviewer(), seen=0)
    with pytest.raises(JustDecided, match="accepted in the meantime") as late:
        decide(report, State.REJECTED, "No.", made.reviewer(), seen=0)
    assert late.value.report.state == State.ACCEPTED
    assert state_of(report) == ("accepted", 1, 1)


def test_a_failure_between_the_writes_leaves_nothing_half_written(
    coin: Guide, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = made.report(coin)

    def broken(*_: Any, **__: Any) -> None:
        raise IntegrityError("broken")

    for name in ("announce", "publish"):
        with monkeypatch.context() as patch:
            patch.setattr(moderation, name, broken)
            with pytest.raises(IntegrityError):
                decide(report, State.ACCEPTED, "", made.reviewer(), seen=0)
            assert state_of(report) == ("pending", 0, 0)
            with pytest.raises(IntegrityError):
                decide_many({report.pk: 0}, State.ACCEPTED, "", made.reviewer())
            assert state_of(report) == ("pending", 0, 0)
    with monkeypatch.context() as patch:
        patch.setattr(Decision.objects, "create", broken)
        with pytest.raises(IntegrityError):
            decide(report, State.ACCEPTED, "", made.reviewer(), seen=0)
        assert state_of(report) == ("pending", 0, 0)


def test_each_decision_is_announced_with_its_page(coin: Guide, told: list[tuple[Any, ...]]) -> None:
    report = made.report(coin)
    decide(report, State.REJECTED, "Another gateway.", made.reviewer(), seen=0)
    [(event, subject, path, facts)] = told
    assert event == Notice.REPORT_DECIDED
    assert "rejected" in subject
    assert "\n" not in subject
    assert path == f"/review/{report.pk}/"
    assert facts["reason"] == "Another gateway."
    assert facts["decided by"] == "rita"


def test_an_accepted_report_against_its_guide_is_announced_as_such(
    coin: Guide, told: list[tuple[Any, ...]]
) -> None:
    fits = made.report(coin, fits="same")
    speaks_against = made.report(coin, fits="different")
    rejected = made.report(coin, fits="different")
    decide(fits, State.ACCEPTED, "", made.reviewer(), seen=0)
    decide(speaks_against, State.ACCEPTED, "", made.reviewer(), seen=0)
    decide(rejected, State.REJECTED, "No.", made.reviewer(), seen=0)
    due = [path for event, _, path, _ in told if event == Notice.GUIDE_DUE]
    assert due == [f"/review/{speaks_against.pk}/"]
    assert len(told) == 4


def test_a_guide_is_composed_when_what_it_shows_changed_and_only_then(
    coin: Guide, composed: list[str]
) -> None:
    report = made.report(coin)
    decide(report, State.REJECTED, "No.", made.reviewer(), seen=0)
    assert composed == []
    decide(report, State.ACCEPTED, "", made.reviewer(), seen=1)
    assert composed == ["coin"]
    decide(report, State.PENDING, "", made.reviewer(), seen=2)
    assert composed == ["coin", "coin"]


def test_many_decisions_compose_each_guide_once(
    coin: Guide, composed: list[str], told: list[tuple[Any, ...]]
) -> None:
    token = Guide.objects.get(slug="token")
    reports = [made.report(coin) for _ in range(3)] + [made.report(token) for _ in range(2)]
    handled = decide_many({report.pk: 0 for report in reports}, State.ACCEPTED, "", made.reviewer())
    assert len(handled.decided) == 5
    assert handled.refused == []
    assert sorted(composed) == ["coin", "token"]
    assert len(told) == 5


def test_of_many_those_that_do_not_fit_are_left_and_named(coin: Guide) -> None:
    good, late, wrong = made.report(coin), made.report(coin), made.report(coin, state=State.ACCEPTED)
    decide(late, State.REJECTED, "No.", made.reviewer(), seen=0)
    seen = {good.pk: 0, late.pk: 0, wrong.pk: 0, "gone": 0}
    handled = decide_many(seen, State.ACCEPTED, "", made.reviewer())
    assert [row.report for row in handled.decided] == [good]
    why = {report.pk if report else "gone": words for report, words in handled.refused}
    assert "rejected in the meantime" in why[late.pk]
    assert "can't become accepted" in why[wrong.pk]
    assert "deleted" in why["gone"]
    assert state_of(good)[0] == "accepted"
    assert state_of(late)[0] == "rejected"


# Words that were missed

LEAKED = "hunter2-of-the-moon"


def test_words_are_taken_out_everywhere_and_kept_nowhere(coin: Guide) -> None:
    report = made.report(
        coin,
        story=f"I used {LEAKED} twice: {LEAKED}",
        text=f"refused for {LEAKED}",
        link=f"https://example.com/?x={LEAKED}",
        version="1.84.0",
        fingerprint="v1:0000000000000000",
        removed={"api_key": 1},
    )
    decision = remove_words(report, LEAKED, made.reviewer(), seen=0)
    report.refresh_from_db()
    assert report.story == "I used <removed> twice: <removed>"
    assert report.text == "refused for <removed>"
    assert report.link == ""
    assert report.version == "1.84.0"
    assert report.fingerprint not in ("", "v1:0000000000000000")
    assert report.removed == {"api_key": 1, "by_hand": 4}
    assert state_of(report) == ("pending", 1, 1)
    assert (decision.before, decision.after, decision.by) == ("pending", "pending", made.reviewer())
    assert LEAKED not in decision.reason


def test_who_saw_the_words_looks_again_before_they_decide(coin: Guide) -> None:
    report = made.report(coin, story=f"It said {LEAKED}.")
    remove_words(report, LEAKED, made.reviewer(), seen=0)
    with pytest.raises(JustDecided, match="changed in the meantime"):
        decide(report, State.ACCEPTED, "", made.reviewer(), seen=0)
    with pytest.raises(JustDecided):
        remove_words(report, "said", made.reviewer(), seen=0)
    assert state_of(report) == ("pending", 1, 1)


def test_words_that_are_not_there_or_of_a_decided_report_change_nothing(coin: Guide) -> None:
    report = made.report(coin)
    with pytest.raises(Refused, match="don't stand in the report"):
        remove_words(report, "quokka", made.reviewer(), seen=0)
    decide(report, State.ACCEPTED, "", made.reviewer(), seen=0)
    with pytest.raises(Refused, match="back to pending first"):
        remove_words(report, "wrong", made.reviewer(), seen=1)
    assert state_of(report) == ("accepted", 1, 1)


# Two at once: threads with connections of their own


@pytest.fixture
def in_threads(transactional_db: None, library: Path, tmp_path: Path) -> Iterator[Callable[..., list[Any]]]:
    """Runs functions at the same time, each on its own connection to a real database; their results.

    SQLite's database in memory knows no waiting, so there a copy of it in a file is used, with the
    settings that production has.
    """
    before = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite":
        file = str(tmp_path / "copy.sqlite3")
        connection.settings_dict["NAME"] = file

    def run(*functions: Callable[[], Any]) -> list[Any]:
        if connection.vendor == "sqlite" and not Path(file).exists():
            copy(file)
        results: list[Any] = [None] * len(functions)

        def work(place: int, function: Callable[[], Any]) -> None:
            try:
                results[place] = function()
            except Exception as error:
                results[place] = error
            finally:
                connections.close_all()

        threads = [Thread(target=work, args=pair) for pair in enumerate(functions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    yield run
    connection.settings_dict["NAME"] = before


def copy(file: str) -> None:
    """What this thread's connection holds, in a file, in WAL mode as a migrated site's is.

    Of two connections that turn it on at the same time, SQLite refuses one at once instead of waiting.
    """
    target = sqlite3.connect(file)
    connection.connection.backup(target)
    target.execute("PRAGMA journal_mode=WAL")
    target.close()


def settled(key: str) -> tuple[str, int, list[int]]:
    """(state, revision, revisions of the decisions) of a report."""
    report = EvidenceReport.objects.get(pk=key)
    return report.state, report.revision, list(report.decisions.values_list("revision", flat=True))


def at_once(key: str, afters: tuple[State, ...], by: User) -> list[Callable[[], Decision]]:
    """A decision each, all of which saw revision 0, and begin together."""
    together = Barrier(len(afters))

    def one(after: State) -> Decision:
        report = EvidenceReport.objects.get(pk=key)
        together.wait()
        return decide(report, after, "Because.", by, seen=0)

    return [lambda after=after: one(after) for after in afters]  # type: ignore[misc]


@pytest.mark.django_db(transaction=True)
def test_of_reviewers_at_once_exactly_one_wins(in_threads: Callable[..., list[Any]]) -> None:
    guide, by = Guide.objects.get(slug="coin"), made.reviewer()
    reports = [made.report(guide) for _ in range(5)]
    for report in reports:
        afters = (State.ACCEPTED, State.REJECTED, State.ACCEPTED, State.REJECTED)
        results = in_threads(*at_once(report.pk, afters, by))
        won = [result for result in results if isinstance(result, Decision)]
        assert len(won) == 1, results
        assert sum(isinstance(result, JustDecided) for result in results) == 3, results
        assert in_threads(lambda key=report.pk: settled(key)) == [(won[0].after, 1, [1])]


@pytest.mark.django_db(transaction=True)
def test_who_comes_while_a_decision_is_written_waits_for_it(
    in_threads: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    report, by = made.report(Guide.objects.get(slug="coin")), made.reviewer()
    written, second_done = Event(), Event()
    publish = moderation.publish

    def slow(reports: Any) -> None:
        written.set()
        second_done.wait(0.5)  # it can't be done yet; without a lock it would be
        publish(reports)

    def second() -> Decision:
        written.wait()
        try:
            return decide(report, State.REJECTED, "No.", by, seen=0)
        finally:
            second_done.set()

    monkeypatch.setattr(moderation, "publish", slow)
    first, late = in_threads(lambda: decide(report, State.ACCEPTED, "", by, seen=0), second)
    assert isinstance(first, Decision)
    assert isinstance(late, JustDecided)
    assert in_threads(lambda: settled(report.pk)) == [("accepted", 1, [1])]


@pytest.mark.django_db(transaction=True)
def test_of_two_bulk_decisions_at_once_each_report_is_decided_by_one(
    in_threads: Callable[..., list[Any]],
) -> None:
    guide, by = Guide.objects.get(slug="coin"), made.reviewer()
    keys = [made.report(guide).pk for _ in range(8)]
    together = Barrier(2)

    def bulk(order: list[str], after: State) -> moderation.Handled:
        together.wait()
        return decide_many(dict.fromkeys(order, 0), after, "Because.", by)

    results = in_threads(lambda: bulk(keys, State.ACCEPTED), lambda: bulk(keys[::-1], State.REJECTED))
    assert [type(result) for result in results] == [moderation.Handled] * 2, results
    assert sorted(len(result.decided) for result in results) == [0, 8]
    assert sorted(len(result.refused) for result in results) == [0, 8]
    states = in_threads(lambda: {settled(key)[1:] == (1, [1]) for key in keys})
    assert states == [{True}]


@pytest.mark.django_db(transaction=True)
def test_two_reports_on_one_guide_accepted_at_once_both_reach_its_page(
    in_threads: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    guide, by = Guide.objects.get(slug="coin"), made.reviewer()
    reports = [made.report(guide), made.report(guide)]
    together = Barrier(2)

    both_counted = Barrier(2)

    def compose(found: Guide) -> None:
        count = found.reports.accepted().count()
        with suppress(BrokenBarrierError):  # the other can't be here as well; without a lock it would
            both_counted.wait(0.5)
        Guide.objects.filter(pk=found.pk).update(met=count)

    def accept(report: EvidenceReport) -> Decision:
        together.wait()
        return decide(report, State.ACCEPTED, "", by, seen=0)

    monkeypatch.setattr(Guide, "compose", compose)
    results = in_threads(*[lambda report=report: accept(report) for report in reports])
    assert [type(result) for result in results] == [Decision] * 2, results
    assert in_threads(lambda: Guide.objects.get(pk=guide.pk).met) == [2]
