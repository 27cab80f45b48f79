"""The only code that changes a report after it was sent. Every change is a Decision: who, when, why.

Two reviewers at once never overwrite each other: who decides says how many decisions they saw.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse

from kb.audit.book import record
from kb.diagnosis.text import fingerprint
from kb.evidence.contradictions import contradicts
from kb.evidence.models import Decision, EvidenceReport, State
from kb.guides.models import Guide
from kb.notices.outbox import Event, announce

# What may follow a state; back to pending is how a decision is taken back.
WAYS: dict[str, tuple[State, ...]] = {
    State.PENDING: (State.ACCEPTED, State.REJECTED),
    State.ACCEPTED: (State.SUPERSEDED, State.REJECTED, State.PENDING),
    State.REJECTED: (State.ACCEPTED, State.PENDING),
    State.SUPERSEDED: (State.ACCEPTED, State.PENDING),
}
SAYS_WHY = (State.REJECTED, State.SUPERSEDED)
LONGEST_REASON = 500
REMOVED = "<removed>"  # stands where a reviewer took words out


class Refused(ValueError):
    """The decision makes no sense; the message says what to do instead."""


class JustDecided(Exception):
    """Somebody else changed the report since the reviewer looked; `report` is as it stands now."""

    def __init__(self, report: EvidenceReport) -> None:
        self.report = report
        what = "changed" if report.state == State.PENDING else report.get_state_display()
        super().__init__(f"It was {what} in the meantime. Look at it again, then decide.")


@dataclass(frozen=True, slots=True)
class Handled:
    """What came of deciding on many: the decisions, and (report, why) of those that were left as they are.

    A report that is gone is None there.
    """

    decided: list[Decision] = field(default_factory=list)
    refused: list[tuple[EvidenceReport | None, str]] = field(default_factory=list)


def decide(report: EvidenceReport, after: State, reason: str, by: User, seen: int) -> Decision:
    """Give a report another state; `seen` is the revision that the reviewer looked at.

    Raises Refused where the state or the reason doesn't fit, JustDecided where `seen` is old, and
    EvidenceReport.DoesNotExist where it is gone.
    """
    with transaction.atomic():
        decision = _decided(_locked(report.pk, seen), after, reason, by)
        publish(_shown_or_hidden([decision]))
    return decision


def decide_many(seen: Mapping[str, int], after: State, reason: str, by: User) -> Handled:
    """The same for many: `seen` maps each report's id to its revision. Each guide is composed once."""
    handled = Handled()
    with transaction.atomic():
        for key in sorted(seen):  # everybody locks in this order, so nobody waits for each other
            report = None
            try:
                report = _locked(key, seen[key])
                handled.decided.append(_decided(report, after, reason, by))
            except JustDecided as late:
                handled.refused.append((late.report, str(late)))
            except Refused as why:
                handled.refused.append((report, str(why)))
            except EvidenceReport.DoesNotExist:
                handled.refused.append((None, "It was deleted in the meantime."))
        publish(_shown_or_hidden(handled.decided))
    return handled


def remove_words(report: EvidenceReport, words: str, by: User, seen: int) -> Decision:
    """Takes out of a pending report what it must not hold, wherever exactly these words stand.

    It is a decision from pending to pending: so it stands in the history, and who saw the old text has to
    look again before they decide. The words themselves are kept nowhere. Raises as `decide` does.
    """
    with transaction.atomic():
        held = _locked(report.pk, seen)
        if held.state != State.PENDING:
            raise Refused("Only a pending report is changed: take it back to pending first.")
        places = _take_out(held, words)
        if not places:
            raise Refused("These words don't stand in the report. Give them exactly as they stand there.")
        held.removed = held.removed | {"by_hand": held.removed.get("by_hand", 0) + places}
        held.save(update_fields=["text", "story", "version", "link", "fingerprint", "removed"])
        said = f"{places} passage{'s' if places > 1 else ''} removed by a reviewer."
        return _recorded(held, State.PENDING, said, by)


def move(report: EvidenceReport, guide: Guide | None, by: User, seen: int) -> Decision:
    """Makes a pending report one on another guide, or on something unknown.

    It is a decision from pending to pending. What the reporter said of the other guide (whether it fitted,
    which fix was tried) doesn't come along: it is named in the decision. Raises as `decide` does.
    """
    with transaction.atomic():
        held = _locked(report.pk, seen)
        if held.state != State.PENDING:
            raise Refused("Only a pending report is moved: take it back to pending first.")
        if held.guide == guide:
            raise Refused("The report is about this one already. Choose another one.")
        said = f"Moved from {_named(held.guide)} to {_named(guide)}.{_left_behind(held)}"
        held.guide, held.fits, held.fix, held.helped = guide, "", "", ""
        held.tool = guide.tool if guide else held.tool
        held.save(update_fields=["guide", "tool", "fits", "fix", "helped"])
        return _recorded(held, State.PENDING, said[:LONGEST_REASON], by, "report.moved")


def _named(guide: Guide | None) -> str:
    return f"“{guide.title}”" if guide else "something unknown"


def _left_behind(report: EvidenceReport) -> str:
    """What was said of the guide that the report leaves."""
    said = [f"it happened {report.get_fits_display()}"] if report.fits else []
    said += [f"{report.fix} {report.get_helped_display()}"] if report.fix else []
    return f" Said of that guide: {'; '.join(said)}." if said else ""


def publish(reports: Iterable[EvidenceReport]) -> None:
    """Composes anew the pages of the guides that the reports are about; inside a transaction.

    The rows are locked first: of two decisions on one guide, the later one composes a page with both.
    """
    keys = {report.guide_id for report in reports if report.guide_id}
    guides = Guide.objects.select_for_update(of=("self",), no_key=True).select_related("tool")
    for guide in guides.filter(pk__in=keys).order_by("pk"):
        guide.compose()


def _locked(key: str, seen: int) -> EvidenceReport:
    """The report, which nobody else can change until the transaction ends."""
    reports = EvidenceReport.objects.select_for_update(of=("self",)).select_related("guide__tool", "tool")
    report = reports.get(pk=key)
    if report.revision != seen:
        raise JustDecided(report)
    return report


def _decided(report: EvidenceReport, after: State, reason: str, by: User) -> Decision:
    reason = reason.strip()
    if after not in WAYS[report.state]:
        raise Refused(f"A report that is {report.get_state_display()} can't become {State(after).label}.")
    if after in SAYS_WHY and not reason:
        raise Refused(f"Say why it is {State(after).label}: the reporter reads it on the receipt.")
    if len(reason) > LONGEST_REASON:
        raise Refused(f"The reason has {len(reason)} characters; {LONGEST_REASON} is the most.")
    decision = _recorded(report, after, reason, by)
    _tell(decision)
    return decision


def _recorded(report: EvidenceReport, after: State, reason: str, by: User, deed: str = "") -> Decision:
    before, report.state, report.revision = report.state, after, report.revision + 1
    report.save(update_fields=["state", "revision"])
    page = reverse("review_report", args=[report.pk])
    record(deed or f"report.{after}", by, str(report), page, reason=reason)
    return Decision.objects.create(
        report=report, revision=report.revision, before=before, after=after, reason=reason, by=by
    )


def _tell(decision: Decision) -> None:
    """Notes for subscribers what was decided, and that a guide may no longer be right."""
    report, word = decision.report, State(decision.after).label
    page = reverse("review_report", args=[report.pk])
    facts = {"report": str(report), "decision": word, "reason": decision.reason}
    facts["decided by"] = decision.by.get_username() if decision.by else ""
    said = {name: value for name, value in facts.items() if value}
    announce(Event.REPORT_DECIDED, f"A report is {word}: {report}", page, said)
    if decision.after == State.ACCEPTED and contradicts(report):
        announce(Event.GUIDE_DUE, f"A report speaks against its guide: {report}", page, said)


def _shown_or_hidden(decisions: Iterable[Decision]) -> list[EvidenceReport]:
    """The reports that the public sees since these decisions, or no longer sees."""
    return [row.report for row in decisions if State.ACCEPTED in (row.before, row.after)]


def _take_out(report: EvidenceReport, words: str) -> int:
    """Blanks the words out of the long fields, empties the short ones that hold them; counts the places."""
    if not words:
        return 0
    places = report.text.count(words) + report.story.count(words)
    report.text = report.text.replace(words, REMOVED)
    report.story = report.story.replace(words, REMOVED)
    for name in ("version", "link"):
        if words in getattr(report, name):
            setattr(report, name, "")
            places += 1
    report.fingerprint = fingerprint(report.text) if report.text else ""
    return places
