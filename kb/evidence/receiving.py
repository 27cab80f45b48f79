"""Takes a report in: one form makes one report, and the same account is kept once."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from kb.diagnosis.text import fingerprint
from kb.evidence.forms import ReportForm
from kb.evidence.models import EvidenceReport
from kb.notices.outbox import Event, announce

SAME_WITHIN = timedelta(days=30)
# Without a story two readers may well say the same: only what comes at once is one account.
SAME_WORDLESS_WITHIN = timedelta(hours=1)
# Two reports that agree in all of these, about one guide of one tool, are the same account.
ACCOUNT = ("fingerprint", "text", "version", "deployment", "story", "fits", "fix", "helped")
ASKED = ("version", "deployment", "pods", "store", "cache", "text", "story", "fits", "fix", "helped", "link")


class Known(Exception):
    """The same account is there already; `report` belongs to whoever sent it first."""

    def __init__(self, report: EvidenceReport) -> None:
        self.report = report
        super().__init__("The same report is there already.")


def of_form(name: str) -> EvidenceReport | None:
    """The report that a form has made already."""
    return EvidenceReport.objects.filter(form=name).first()


def values(form: ReportForm) -> dict[str, Any]:
    """A valid form as fields of a report, and not one more than those that were asked for."""
    given = {name: form.cleaned_data.get(name, "") for name in ASKED}
    mark = fingerprint(given["text"]) if given["text"] else ""
    return given | {"tool": form.of_tool, "guide": form.guide, "fingerprint": mark}


def receive(form: ReportForm, name: str, by: User | AnonymousUser) -> EvidenceReport:
    """The report that a valid form makes, or has made before. Raises Known for an account that is there."""
    fields = values(form)
    try:
        return created(fields | {"form": name, "removed": form.removed, "by": by if by.pk else None})
    except IntegrityError:
        report = of_form(name)  # the same form was sent twice at once, and the other one won
        if report is None:
            raise
        return report


def created(fields: dict[str, Any]) -> EvidenceReport:
    """Writes a report and its notice: both, or neither."""
    with transaction.atomic():
        wait_for_turn(fields)
        about = {name: fields[name] for name in ("tool", "guide", *ACCOUNT)}
        since = timezone.now() - (SAME_WITHIN if fields["story"] else SAME_WORDLESS_WITHIN)
        known = (
            EvidenceReport.objects.filter(**about, created__gte=since).exclude(form=fields["form"]).first()
        )
        if known:
            raise Known(known)
        report = EvidenceReport.objects.create(**fields)
        announce(Event.REPORT_NEW, subject(report), reverse("review_report", args=[report.pk]), facts(report))
    return report


def wait_for_turn(fields: dict[str, Any]) -> None:
    """One at a time for each guide, so that two who send the same at once don't miss each other.

    PostgreSQL locks the guide's row; SQLite has one writer anyway.
    """
    about = fields["guide"] or fields["tool"]
    type(about).objects.select_for_update(no_key=True).only("pk").get(pk=about.pk)


def subject(report: EvidenceReport) -> str:
    """One line for who is told."""
    about = report.guide.title if report.guide else f"something unknown in {report.tool}"
    return f"New report: {about}"


def facts(report: EvidenceReport) -> dict[str, str]:
    """What a reader of the notice needs; what wasn't said is left out.

    Nothing that the reader wrote freely: a reviewer may yet remove words, and a notice can't be recalled.
    """
    said = {
        "Guide": report.guide.title if report.guide else "",
        "Tool": str(report.tool),
        "Version": report.version,
        "Deployment": report.get_deployment_display(),
        "It happened": report.get_fits_display(),
        "Fix": f"{report.fix} {report.get_helped_display()}" if report.fix else "",
    }
    return {name: words for name, words in said.items() if words}
