"""An unfinished report is kept, found again by its address, and gone once it is sent or forgotten."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from kb.evidence.models import Draft, EvidenceReport
from tests.evidence.sent import COIN, SECRET, UNKNOWN, reported, send, signed

pytestmark = pytest.mark.django_db


def keep(client: Client, url: str = COIN, **fields: Any) -> Draft:
    """The draft that the button Keep as a draft makes."""
    answer = client.post(url, {"stamp": signed(age=0), "do": "keep", **fields})
    assert answer.status_code == 303, answer.content.decode()[:3000]
    return Draft.objects.get(pk=answer["Location"].split("/")[3])


def test_a_draft_is_kept_and_found_again_by_its_address(library: Path, client: Client) -> None:
    made = keep(client, story="half a sentence", deployment="docker", link="not yet a li", version="1.84.0")
    answer = Client().get(f"/reports/drafts/{made.pk}/")
    page = answer.content.decode()
    for part in ("half a sentence", '<option value="docker" selected>', "not yet a li", 'value="1.84.0"'):
        assert part in page
    assert f"http://testserver/reports/drafts/{made.pk}/" in page
    assert made.expires.strftime("%B %Y") in page
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]
    assert EvidenceReport.objects.count() == 0


def test_a_draft_keeps_a_version_that_cannot_be_sent(library: Path, client: Client) -> None:
    page = client.get(f"/reports/drafts/{keep(client, version='main-stable').pk}/").content.decode()
    assert 'value="main-stable"' in page


def test_an_empty_draft_is_kept_too(library: Path, client: Client) -> None:
    assert keep(client).fields == {}


def test_a_draft_holds_no_secret_and_nothing_that_was_not_asked_for(library: Path, client: Client) -> None:
    made = keep(
        client, text=f"key={SECRET}", story=SECRET, version=SECRET, link=f"https://u:{SECRET}@a.example/",
        deployment=SECRET, state="accepted", subject="",
    )  # fmt: skip
    assert SECRET not in json.dumps(made.fields)
    assert set(made.fields) == {"text", "story", "version", "link"}


@pytest.mark.parametrize("name", ["a\0b", "x" * 400, "../a b"])
def test_a_draft_that_cannot_be_called_so_is_none(name: str, library: Path, client: Client) -> None:
    assert reported(client, draft=name).pk
    assert keep(client, story="one", draft=name).pk != name
    shown = client.post(COIN, {"draft": name, "story": "one"})
    assert name not in shown.content.decode()


def test_saving_again_updates_the_same_draft_and_keeps_it_longer(library: Path, client: Client) -> None:
    made = keep(client, story="one")
    Draft.objects.filter(pk=made.pk).update(expires=timezone.now() + timedelta(minutes=1))
    again = keep(client, story="two", draft=made.pk)
    assert again.pk == made.pk
    assert again.fields == {"story": "two"}
    assert again.expires > timezone.now() + timedelta(days=13)
    assert Draft.objects.count() == 1


def test_a_draft_of_another_guide_is_not_overwritten(library: Path, client: Client) -> None:
    made = keep(client, story="one")
    other = keep(client, UNKNOWN, story="two", draft=made.pk)
    assert other.pk != made.pk
    made.refresh_from_db()
    assert made.fields == {"story": "one"}


def test_sending_it_deletes_it(library: Path, client: Client) -> None:
    made = keep(client, story="one")
    page = client.get(f"/reports/drafts/{made.pk}/")
    assert f'name="draft" value="{made.pk}"' in page.content.decode()
    stamp = signed()
    first = reported(client, story="one", draft=made.pk, stamp=stamp)
    assert Draft.objects.count() == 0
    assert client.get(f"/reports/drafts/{made.pk}/").status_code == 404
    assert reported(client, story="one", draft=made.pk, stamp=stamp) == first


def test_what_is_refused_stays_a_draft(library: Path, client: Client) -> None:
    made = keep(client, story="one")
    answer = send(client, link="nonsense", draft=made.pk)
    assert answer.status_code == 422
    assert f'name="draft" value="{made.pk}"' in answer.content.decode()
    assert Draft.objects.count() == 1


def test_an_expired_draft_is_gone(library: Path, client: Client) -> None:
    made = keep(client, story="one")
    Draft.objects.filter(pk=made.pk).update(expires=timezone.now() - timedelta(seconds=1))
    assert client.get(f"/reports/drafts/{made.pk}/").status_code == 404
    keep(client, story="two")
    assert not Draft.objects.filter(pk=made.pk).exists()


@pytest.mark.parametrize("fields", [{"text": "x" * 20_001}, {"story": "x" * 4_001}, {"link": "x" * 501}])
def test_what_is_too_long_is_not_kept_as_a_draft_either(
    library: Path, client: Client, fields: dict[str, str]
) -> None:
    answer = client.post(COIN, {"stamp": signed(), "do": "keep", **fields})
    assert answer.status_code == 422
    assert next(iter(fields.values())) in answer.content.decode()
    assert Draft.objects.count() == 0


def test_only_the_site_s_own_form_makes_drafts(library: Path, client: Client) -> None:
    for fields in ({"stamp": "forged"}, {"stamp": signed(), "subject": "buy"}):
        assert client.post(COIN, {"do": "keep", "story": "kept words", **fields}).status_code == 422
    assert client.post(COIN, {"do": "keep", "story": "kept words"}).status_code == 200
    assert Draft.objects.count() == 0


def test_drafts_are_not_made_without_end(library: Path, client: Client) -> None:
    answers = [client.post(COIN, {"stamp": signed(), "do": "keep", "story": "kept words"}) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [303] * 6 + [429]
    assert "kept words" in answers[-1].content.decode()


def test_a_guide_that_is_gone_takes_its_drafts_along_and_leaves_404(library: Path, client: Client) -> None:
    made = keep(client, story="one")
    assert made.guide is not None
    made.guide.delete()
    assert client.get(f"/reports/drafts/{made.pk}/").status_code == 404
