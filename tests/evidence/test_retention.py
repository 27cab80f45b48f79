"""Rejected reports, old drafts and old lines of the book are forgotten; nothing else is."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from kb.audit.book import record
from kb.audit.models import Entry
from kb.evidence.models import Decision, Draft, EvidenceReport, State
from kb.evidence.moderation import decide
from kb.guides.models import Guide
from kb.notices.tasks import sweep

pytestmark = pytest.mark.django_db


def test_the_worker_s_sweep_forgets_what_is_old(library: Path) -> None:
    guide = Guide.objects.get(slug="coin")
    ada = User.objects.create_user("ada")
    for form, state in {"no": State.REJECTED, "late no": State.REJECTED, "yes": State.ACCEPTED}.items():
        report = EvidenceReport.objects.create(tool=guide.tool, guide=guide, form=form, story="x")
        decide(report, state, "because", ada, 0)
    EvidenceReport.objects.create(tool=guide.tool, guide=guide, form="waits", story="x")
    old = timezone.now() - timedelta(days=401)
    Decision.objects.exclude(report__form="late no").update(at=old)
    EvidenceReport.objects.update(created=old)
    Draft.objects.create(guide=guide, fields={}, expires=timezone.now() - timedelta(seconds=1))
    kept = Draft.objects.create(guide=guide, fields={})
    Entry.objects.all().delete()
    record("note.changed", ada, "old")
    Entry.objects.update(at=old)
    record("note.changed", ada, "new")

    sweep()

    assert set(EvidenceReport.objects.values_list("form", flat=True)) == {"late no", "yes", "waits"}
    assert list(Draft.objects.all()) == [kept]
    assert list(Entry.objects.values_list("about", flat=True)) == ["new"]
