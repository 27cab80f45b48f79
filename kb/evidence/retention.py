"""What is forgotten in time: rejected reports, and drafts that nobody came back to."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from kb.evidence.models import Draft, EvidenceReport, State


def forget(**kwargs: Any) -> None:
    """Deletes reports that were rejected CULPRIT_KEEP_DAYS ago, and drafts past their day."""
    now = timezone.now()
    before = now - timedelta(days=settings.CULPRIT_KEEP_DAYS)
    rejected = EvidenceReport.objects.filter(state=State.REJECTED).alias(last=Max("decisions__at"))
    EvidenceReport.objects.filter(pk__in=rejected.filter(last__lt=before).values("pk")).delete()
    Draft.objects.filter(expires__lt=now).delete()
