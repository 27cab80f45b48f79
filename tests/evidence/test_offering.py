"""A report on something unknown whose error a guide recognises: it is offered, and nothing typed is lost."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kb.evidence.models import EvidenceReport
from kb.guides.models import Guide
from tests.evidence.sent import COIN, ERROR, SECRET, UNKNOWN, reported, send, signed

pytestmark = pytest.mark.django_db
TYPED = {"story": "It began on Monday.", "version": "1.84.0", "deployment": "docker"}


def posted(answer: Any) -> dict[str, str]:
    """The hidden fields of the form that came back."""
    page = answer.content.decode()
    return {"stamp": re.findall(r'name="stamp" value="([^"]+)"', page)[0]}


def test_the_guide_that_recognises_it_is_offered_and_nothing_is_sent(library: Path, client: Client) -> None:
    answer = send(client, UNKNOWN, **TYPED)
    page = answer.content.decode()
    assert "A guide recognises this error" in page
    assert 'formaction="/errors/gate/coin/report/"' in page
    assert "It began on Monday." in page
    assert not EvidenceReport.objects.exists()


def test_on_the_way_to_the_guide_all_that_was_typed_comes_along(library: Path, client: Client) -> None:
    fields = posted(send(client, UNKNOWN, **TYPED)) | {"text": ERROR, **TYPED}
    answer = client.post(COIN, fields | {"do": "fill"})
    page = answer.content.decode()
    assert answer.status_code == 200
    for words in ("It began on Monday.", "The coin is spent: 3 of 2", 'value="1.84.0"'):
        assert words in page
    assert not EvidenceReport.objects.exists()
    made = client.post(
        COIN, posted(answer) | {"text": ERROR, "fits": "same", "do": "send", "stamp": signed()}
    )
    assert made.status_code == 303
    report = EvidenceReport.objects.get()
    assert (report.guide and report.guide.slug, report.fits) == ("coin", "same")


def test_who_says_that_it_is_something_else_is_believed(library: Path, client: Client) -> None:
    made = reported(client, UNKNOWN, **TYPED, do="else")
    assert (made.guide, made.story) == (None, "It began on Monday.")


@pytest.mark.parametrize("fields", [{"text": "Something that nobody knows"}, {"text": "", "story": "Hangs."}])
def test_what_no_guide_recognises_is_taken_at_once(
    library: Path, client: Client, fields: dict[str, str]
) -> None:
    assert reported(client, UNKNOWN, **fields).guide is None


def test_a_retired_guide_is_not_offered(library: Path, client: Client) -> None:
    Guide.objects.filter(slug="coin").update(retired=timezone.now())
    assert reported(client, UNKNOWN).guide is None


def test_no_secret_is_shown_back(library: Path, client: Client) -> None:
    page = send(client, UNKNOWN, text=f"{ERROR} {SECRET}", story=SECRET).content.decode()
    assert "A guide recognises this error" in page
    assert SECRET not in page


def test_beyond_the_share_of_a_minute_the_form_comes_back_as_it_was_typed(
    library: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.throttle.time.time", lambda: 1_000_000_005.0)
    monkeypatch.setattr("kb.evidence.views.POSTS", 1)
    answers = [send(client, UNKNOWN, do="keep", **TYPED) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 429, 429]
    assert "It began on Monday." in answers[1].content.decode()
    assert int(answers[1]["Retry-After"]) > 0
    assert "It began on Monday." not in answers[2].content.decode()
