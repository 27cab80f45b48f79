"""The only code that changes a report's state. Every change is a Decision: who, when, why.

Two reviewers at once never overwrite each other: who decides says how many decisions they saw.
"""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction

from kb.evidence.models import Decision, EvidenceReport, State
from kb.guides.models import Guide

# What may follow a state; back to pending is how a decision is taken back.
WAYS: dict[str, tuple[State, ...]] = {
    State.PENDING: (State.ACCEPTED, State.REJECTED),
    State.ACCEPTED: (State.SUPERSEDED, State.REJECTED, State.PENDING),
    State.REJECTED: (State.ACCEPTED, State.PENDING),
    State.SUPERSEDED: (State.ACCEPTED, State.PENDING),
}
SAYS_WHY = (State.REJECTED, State.SUPERSEDED)


class Refused(ValueError):
    """The decision makes no sense; the message says what to do instead."""


class JustDecided(Exception):
    """Somebody else decided since the reviewer looked; `report` is as it stands now."""

    def __init__(self, report: EvidenceReport) -> None:
        self.report = report
        super().__init__(
            f"It was {report.get_state_display()} in the meantime. Look at it again, then decide."
        )


def decide(report: EvidenceReport, after: State, reason: str, by: User, seen: int) -> Decision:
    """Give a report another state; `seen` is the revision that the reviewer looked at.

    Raises Refused where the state or the reason doesn't fit, JustDecided where `seen` is old.
    """
    with transaction.atomic():
        decision = _decided(report.pk, after, reason, by, seen)
        publish([decision.report])
    return decision


def _decided(key: str, after: State, reason: str, by: User, seen: int) -> Decision:
    report = EvidenceReport.objects.select_for_update(of=("self",)).select_related("guide__tool").get(pk=key)
    if report.revision != seen:
        raise JustDecided(report)
    if after not in WAYS[report.state]:
        raise Refused(f"A report that is {report.get_state_display()} can't become {after.label}.")
    if after in SAYS_WHY and not reason.strip():
        raise Refused(f"Say why it is {after.label}: the reporter reads it on the receipt.")
    before, report.state, report.revision = report.state, after, report.revision + 1
    report.save(update_fields=["state", "revision"])
    return Decision.objects.create(
        report=report, revision=report.revision, before=before, after=after, reason=reason.strip(), by=by
    )


def publish(reports: Iterable[EvidenceReport]) -> None:
    """Composes anew the pages of the guides that the reports are about."""
    keys = {report.guide_id for report in reports if report.guide_id}
    for guide in Guide.objects.filter(pk__in=keys).select_related("tool"):
        guide.compose()
