"""Which accepted reports speak against their guide, and which guides are due to be looked at again.

Nothing of it is stored: a guide is due while such reports are newer than its `verified` date.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import reduce
from operator import or_

from django.db.models import F, Max, Q

from kb.evidence.models import EvidenceReport, Fits, Helped, ReportQuerySet
from kb.guides.models import Guide, QuickFix

# What a guide states of a fix, and the outcome that speaks against it. "partly" fits both outcomes.
AGAINST = {"yes": Helped.NO, "no": Helped.YES}
RELEASE = re.compile(r"\d+\.\d+\.\d+")  # without what an image's tag adds to it


def against(helps: Mapping[str, str], version: str, helped: str) -> bool:
    """Does an outcome speak against what the guide states of a fix for that version?

    1.84.0-stable is 1.84.0 where the guide doesn't name it itself.
    """
    said = version.strip().removeprefix("v")
    release = RELEASE.match(said)
    stated = helps.get(said) or helps.get(release[0] if release else said, "")
    return bool(helped) and AGAINST.get(stated) == helped


def contradicts(report: EvidenceReport) -> bool:
    """Whether a report says that its guide doesn't fit, or that a fix does other than the guide states."""
    if report.guide_id is None:
        return False
    if report.fits == Fits.DIFFERENT:
        return True
    if not report.fix:
        return False
    fix = QuickFix.objects.filter(guide=report.guide_id, key=report.fix).only("helps").first()
    return fix is not None and against(fix.helps, report.version, report.helped)


def guides_due() -> list[tuple[Guide, list[EvidenceReport]]]:
    """(guide, the reports against it) for guides that are due, the one with most reports first.

    The day of `verified` itself counts: which came first isn't known, and to look twice costs less than
    to overlook. The database picks the reports; only they are loaded.
    """
    due = since_verified()
    reports = due.filter(reduce(or_, outcomes_against(due), Q(fits=Fits.DIFFERENT)))
    found: defaultdict[Guide, list[EvidenceReport]] = defaultdict(list)
    for report in reports.select_related("guide__tool").defer("text").order_by("-created"):
        if report.guide:
            found[report.guide].append(report)
    return sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0].title))


def since_verified() -> ReportQuerySet:
    """Accepted reports on published guides, accepted since the guide was last verified."""
    accepted = EvidenceReport.objects.accepted().filter(guide__retired=None, guide__isnull=False)
    decided = accepted.alias(decided=Max("decisions__at"))  # the last decision is the one that accepted it
    return decided.filter(decided__date__gte=F("guide__verified"))


def outcomes_against(reports: ReportQuerySet) -> list[Q]:
    """A condition for each (guide, fix, version, outcome) among them that speaks against the guide."""
    said = reports.exclude(fix="").order_by().values_list("guide", "fix", "version", "helped").distinct()
    stated = {(fix.guide_id, fix.key): fix.helps for fix in QuickFix.objects.only("guide", "key", "helps")}
    return [
        Q(guide=guide, fix=fix, version=version, helped=helped)
        for guide, fix, version, helped in said
        if against(stated.get((guide, fix), {}), version, helped)
    ]
