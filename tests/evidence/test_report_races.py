"""Two readers, or one reader twice, at the same moment: threads with connections of their own."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from kb.evidence.models import EvidenceReport
from tests.evidence import test_moderation
from tests.evidence.sent import send, signed

in_threads = test_moderation.in_threads
TIMES = 4


def outcome(answer: Any) -> tuple[int, str]:
    """(status, where it leads to)."""
    return answer.status_code, answer.get("Location", "")


def stored() -> list[str]:
    """Where the receipts of all reports are."""
    return [report.get_absolute_url() for report in EvidenceReport.objects.all()]


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_several_times_at_once_makes_one_report(in_threads: Callable[..., list[Any]]) -> None:
    stamp = signed()
    results = in_threads(*[lambda: outcome(send(Client(), stamp=stamp))] * TIMES)
    (receipts,) = in_threads(stored)
    assert len(receipts) == 1
    assert results == [(303, receipts[0])] * TIMES


@pytest.mark.django_db(transaction=True)
def test_the_same_account_from_several_at_once_is_kept_once(in_threads: Callable[..., list[Any]]) -> None:
    results = in_threads(*[lambda: outcome(send(Client(), story="The same words."))] * TIMES)
    (receipts,) = in_threads(stored)
    assert len(receipts) == 1
    assert sorted(results) == [(200, "")] * (TIMES - 1) + [(303, receipts[0])]


@pytest.mark.django_db(transaction=True)
def test_different_accounts_at_once_are_all_kept(in_threads: Callable[..., list[Any]]) -> None:
    results = in_threads(*[lambda n=n: outcome(send(Client(), story=f"Words {n}.")) for n in range(TIMES)])
    (receipts,) = in_threads(stored)
    assert sorted(results) == sorted((303, receipt) for receipt in receipts)
    assert len(receipts) == TIMES
