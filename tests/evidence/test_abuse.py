"""Robots, floods and secrets: what keeps a form that anybody may send from being misused."""

import base64
import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import altcha
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from kb.evidence.models import Draft, EvidenceReport
from tests.checker.test_secrets import tables
from tests.evidence.sent import COIN, ERROR, SECRET, UNKNOWN, reported, send, signed

pytestmark = pytest.mark.django_db


def test_a_robot_that_fills_every_field_is_refused(library: Path, client: Client) -> None:
    assert 'tabindex="-1"' in client.get(COIN).content.decode()
    answer = send(client, subject="cheap pills", story="kept words")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "as robots do" in page
    assert "kept words" in page
    assert "cheap pills" not in page
    assert EvidenceReport.objects.count() == 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that limits go by."""
    now = [1_000_000_800.0]
    monkeypatch.setattr("kb.web.throttle.time.time", lambda: now[0])
    monkeypatch.setattr("kb.evidence.views.stamp.Stamp.trouble", "")
    return now


def statuses(client: Client, count: int, **more: Any) -> list[int]:
    """The statuses of so many different reports."""
    before = EvidenceReport.objects.count()
    data = {"do": "send", "text": "x"}
    return [
        client.post(COIN, {**data, "stamp": signed(), "story": f"{before} {n}"}, **more).status_code
        for n in range(count)
    ]


def test_an_address_sends_six_a_minute_and_keeps_what_it_typed(
    library: Path, client: Client, clock: list[float]
) -> None:
    assert statuses(client, 7) == [303] * 6 + [429]
    answer = send(client, story="kept words")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) == 60 - int(clock[0]) % 60
    assert "kept words" in answer.content.decode()
    stamp = answer.context["stamp"]
    assert statuses(client, 1, REMOTE_ADDR="192.0.2.7") == [303]
    clock[0] += 60
    assert reported(client, story="kept words", stamp=stamp).story == "kept words"


def test_an_address_sends_thirty_an_hour(library: Path, client: Client, clock: list[float]) -> None:
    clock[0] -= clock[0] % 3600
    sent = []
    for _ in range(6):
        sent += statuses(client, 6)
        clock[0] += 60
    assert sent == [303] * 30 + [429] * 6
    answer = send(client)
    assert int(answer["Retry-After"]) == 3600 - 6 * 60
    assert "54 minutes" in answer.content.decode()


def test_a_user_sends_six_a_minute_from_wherever(library: Path, client: Client, clock: list[float]) -> None:
    client.force_login(User.objects.create_user("rosa"))
    sent = [*statuses(client, 3), *statuses(client, 4, REMOTE_ADDR="192.0.2.7")]
    assert sent == [303] * 6 + [429]


def test_everyone_together_sends_sixty_a_minute(library: Path, client: Client, clock: list[float]) -> None:
    sent = [statuses(client, 1, REMOTE_ADDR=f"192.0.2.{n}")[0] for n in range(61)]
    assert sent == [303] * 60 + [429]


def test_who_is_refused_takes_nothing_from_the_others(
    library: Path, client: Client, clock: list[float]
) -> None:
    statuses(client, 80)
    assert statuses(client, 1, REMOTE_ADDR="192.0.2.7") == [303]


def test_what_is_refused_for_its_content_does_not_count(
    library: Path, client: Client, clock: list[float]
) -> None:
    for _ in range(8):
        assert send(client, link="nonsense").status_code == 422
    assert statuses(client, 6) == [303] * 6


# Secrets


FIELDS = ("text", "story", "version", "link", "deployment", "pods", "store", "cache", "fits", "fix", "helped",
          "tool", "draft", "stamp", "altcha", "subject", "state")  # fmt: skip


@pytest.mark.parametrize("url", [COIN, UNKNOWN])
@pytest.mark.parametrize("how", ["send", "keep", "prefill"])
def test_a_key_typed_into_any_field_stays_nowhere(
    library: Path, client: Client, caplog: pytest.LogCaptureFixture, url: str, how: str
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in FIELDS:
        data = {"story": "words", "stamp": signed(), "do": how, name: f"https://a.example/?key={SECRET}"}
        if how == "prefill" and name != "stamp":
            del data["stamp"]
        answer = client.post(url, data, follow=True)
        headers = json.dumps([list(answer.items()), answer.redirect_chain])
        for text in (answer.content.decode(), headers, *tables()):
            assert SECRET not in text, name
    queries = [record.getMessage() for record in caplog.records if record.name.startswith("django.db")]
    written = [line for line in queries if "INSERT" in line or "UPDATE" in line]
    assert SECRET not in "".join(written)
    others = [record.getMessage() for record in caplog.records if not record.name.startswith("django.db")]
    assert SECRET not in "".join(others)


def test_a_crash_shows_no_key(
    library: Path, lenient_client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("kb.evidence.receiving.announce", fails)
    answer = send(lenient_client, story=f"key={SECRET}")
    assert answer.status_code == 500
    assert SECRET not in answer.content.decode()
    assert SECRET not in caplog.text


# The proof of work


@pytest.fixture
def puzzled(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A site that asks for a proof, an easy one."""
    settings.CULPRIT_ALTCHA = True
    monkeypatch.setattr("kb.evidence.puzzle.COST", 2)


def solution(challenge: str) -> str:
    """What the browser works out."""
    asked = altcha.Challenge.from_dict(json.loads(challenge))
    found = altcha.solve_challenge(asked)
    assert found is not None
    return str(altcha.Payload(asked, found).to_base64())


def test_it_asks_for_no_proof_unless_told_to(library: Path, client: Client) -> None:
    assert client.get(COIN).context["puzzle"] == ""
    assert "data-puzzle" not in client.get(COIN).content.decode()


@pytest.mark.usefixtures("puzzled")
def test_a_proof_is_asked_for_and_taken_once(library: Path, client: Client) -> None:
    page = send(client, link="nonsense")
    assert "This form needs JavaScript." in page.content.decode()
    stamp, proof = page.context["stamp"], solution(page.context["puzzle"])
    refused = send(client, story="kept words")
    assert refused.status_code == 422
    assert "keeps robots out" in refused.content.decode()
    assert "kept words" in refused.content.decode()
    made = reported(client, stamp=stamp, altcha=proof)
    assert send(client, stamp=stamp, altcha=proof)["Location"] == made.get_absolute_url()
    assert send(client, story="Another report.", altcha=proof).status_code == 422
    assert EvidenceReport.objects.count() == 1


@pytest.mark.usefixtures("puzzled")
@pytest.mark.parametrize("broken", ["", "nonsense", "bnVsbA==", "e30=", "x" * 100_000, "é", "[" * 3_000])
def test_a_broken_proof_is_refused(library: Path, client: Client, broken: str) -> None:
    assert send(client, altcha=broken).status_code == 422
    packed = base64.b64encode(broken.encode()).decode()
    assert send(client, altcha=packed).status_code == 422


@pytest.mark.usefixtures("puzzled")
def test_an_easier_challenge_of_one_s_own_is_refused(library: Path, client: Client) -> None:
    page = send(client, link="nonsense")
    own = json.loads(page.context["puzzle"])
    own["parameters"]["keyPrefix"] = ""
    assert send(client, stamp=page.context["stamp"], altcha=solution(json.dumps(own))).status_code == 422


@pytest.mark.usefixtures("puzzled")
def test_a_draft_needs_no_proof(library: Path, client: Client) -> None:
    assert client.post(COIN, {"stamp": signed(), "do": "keep", "story": "x"}).status_code == 303
    assert Draft.objects.count() == 1


def test_readers_who_say_the_same_without_a_story_are_readers_still(library: Path, client: Client) -> None:
    reported(client)
    assert reported(client, text=ERROR.replace("3 of 2", "9 of 8")).fingerprint
    assert "is there already" in send(client).content.decode()
    EvidenceReport.objects.update(created=timezone.now() - timedelta(hours=2))
    reported(client)
    reported(client, story="Told at length.")
    EvidenceReport.objects.update(created=timezone.now() - timedelta(days=29))
    assert "is there already" in send(client, story="Told at length.").content.decode()
    assert EvidenceReport.objects.count() == 4


def test_two_who_send_the_same_wait_for_each_other(library: Path, client: Client) -> None:
    """On PostgreSQL the guide's row is locked while a report on it is written; SQLite has one writer."""
    if connection.vendor != "postgresql":
        pytest.skip("a lock of PostgreSQL")
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        reported(client)
    assert any("FOR NO KEY UPDATE" in query["sql"] for query in seen)
