"""Which reports speak against their guide, and which guides are due to be looked at again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from kb.evidence.contradictions import contradicts, guides_due
from kb.evidence.models import Decision, EvidenceReport, State
from kb.guides.models import Guide, QuickFix
from tests.evidence import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide(library: Any) -> Guide:
    """The guide on coins, verified ten days ago: its fix helps in 1.0 and not in 2.0."""
    Guide.objects.update(verified=timezone.now().date() - timedelta(days=10))
    return Guide.objects.select_related("tool").get(slug="coin")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"fits": "same"}, False),
        ({"fits": "different"}, True),
        ({"version": "1.0", "fix": "raise-coin", "helped": "no"}, True),
        ({"version": "v1.0", "fix": "raise-coin", "helped": "no"}, True),
        ({"version": "1.0", "fix": "raise-coin", "helped": "yes"}, False),
        ({"version": "2.0", "fix": "raise-coin", "helped": "yes"}, True),
        ({"version": "2.0", "fix": "raise-coin", "helped": "no"}, False),
        ({"version": "3.0", "fix": "raise-coin", "helped": "no"}, False),
        ({"fix": "raise-coin", "helped": "no"}, False),
        ({"version": "1.0", "fix": "gone", "helped": "no"}, False),
        ({"version": "1.0", "fits": "same", "fix": "raise-coin", "helped": "no"}, True),
    ],
)
def test_a_report_contradicts_what_the_guide_states(
    fields: dict[str, str], expected: bool, guide: Guide
) -> None:
    found = made.accepted(guide, **fields)
    assert contradicts(found) is expected
    assert [due.slug for due, _ in guides_due()] == (["coin"] if expected else [])


@pytest.mark.parametrize(
    ("version", "helped", "expected"),
    [
        ("1.84.0-stable", "no", True),
        ("v1.84.0.post1", "no", True),
        ("1.84.0-stable", "yes", False),
        ("1.84.0-nightly", "no", False),  # stated by itself, and otherwise
        ("1.84.0-nightly", "yes", True),
        ("1.84.1-stable", "no", False),
        ("1.84.01", "no", False),
    ],
)
def test_an_image_s_tag_counts_as_the_release_that_it_holds(
    version: str, helped: str, expected: bool, guide: Guide
) -> None:
    QuickFix.objects.update(helps={"1.84.0": "yes", "1.84.0-nightly": "no"})
    found = made.accepted(guide, version=version, fix="raise-coin", helped=helped)
    assert contradicts(found) is expected
    assert [due.slug for due, _ in guides_due()] == (["coin"] if expected else [])


@pytest.mark.parametrize("helped", ["yes", "no"])
def test_a_fix_that_helps_in_part_is_contradicted_by_nothing(helped: str, guide: Guide) -> None:
    QuickFix.objects.update(helps={"1.0": "partly"})
    assert not contradicts(made.accepted(guide, version="1.0", fix="raise-coin", helped=helped))
    assert guides_due() == []


def test_a_report_on_something_unknown_contradicts_nothing(guide: Guide) -> None:
    found = EvidenceReport.objects.create(tool=guide.tool, story="New.", fits="different", form="unknown")
    assert not contradicts(found)


def test_a_guide_is_due_until_it_is_verified_after_the_report(guide: Guide) -> None:
    found = made.accepted(guide, fits="different")
    made.accepted(guide, fits="same")
    assert [(due.slug, rows) for due, rows in guides_due()] == [("coin", [found])]
    day = Decision.objects.earliest("at").at.date()
    Guide.objects.filter(pk=guide.pk).update(verified=day)
    assert len(guides_due()) == 1
    Guide.objects.filter(pk=guide.pk).update(verified=day + timedelta(days=2))
    assert guides_due() == []


def test_what_counts_is_when_it_was_accepted_and_not_when_it_was_sent(guide: Guide) -> None:
    made.accepted(guide, fits="different", created=timezone.now() - timedelta(days=90))
    assert [due.slug for due, _ in guides_due()] == ["coin"]
    Decision.objects.update(at=timezone.now() - timedelta(days=30))
    assert guides_due() == []


@pytest.mark.parametrize("after", [State.PENDING, State.REJECTED, State.SUPERSEDED])
def test_a_report_that_is_taken_back_makes_no_guide_due(after: State, guide: Guide) -> None:
    found = made.accepted(guide, fits="different")
    made.decide(found, after)
    made.report(guide, fits="different")
    assert guides_due() == []


def test_the_guide_with_most_reports_against_it_comes_first_and_retired_ones_never(guide: Guide) -> None:
    token = Guide.objects.get(slug="token")
    made.accepted(guide, fits="different")
    for _ in range(2):
        made.accepted(token, version="2.0", fix="raise-token", helped="yes")
    assert [(due.slug, len(rows)) for due, rows in guides_due()] == [("token", 2), ("coin", 1)]
    Guide.objects.filter(pk=token.pk).update(retired=timezone.now())
    assert [due.slug for due, _ in guides_due()] == ["coin"]


def test_asking_takes_the_same_queries_whatever_the_number(
    guide: Guide, django_assert_num_queries: Any
) -> None:
    for number in range(12):
        made.accepted(guide, version=f"{number}.0", fix="raise-coin", helped="yes")
        made.accepted(guide, fits="different")
    with django_assert_num_queries(3):
        assert len(guides_due()[0][1]) == 13
