"""Reports and reviewers as tests need them."""

from itertools import count
from typing import Any

from django.contrib.auth.models import Group, User

from kb.evidence import moderation
from kb.evidence.models import EvidenceReport, State
from kb.guides.models import Guide, QuickFix

forms = count(1)


def report(guide: Guide, **fields: Any) -> EvidenceReport:
    """A pending report on a guide, unless `fields` say otherwise."""
    given = {"story": "It went wrong.", "form": f"form-{next(forms)}"} | fields
    return EvidenceReport.objects.create(guide=guide, tool=guide.tool, **given)


def reports(guide: Guide, number: int, **fields: Any) -> None:
    """Many accepted reports at once; the guide's page doesn't know of them yet."""
    given = {"story": "It went wrong.", "state": State.ACCEPTED} | fields
    EvidenceReport.objects.bulk_create(
        EvidenceReport(guide=guide, tool=guide.tool, form=f"form-{next(forms)}", **given)
        for _ in range(number)
    )


def reviewer() -> User:
    """Somebody who may decide."""
    user, made = User.objects.get_or_create(username="rita")
    if made:
        user.groups.add(Group.objects.get_or_create(name="Reviewers")[0])
    return user


def decide(found: EvidenceReport, after: State, reason: str = "Looked at.") -> None:
    """One more decision, by somebody who has seen all before it."""
    found.refresh_from_db()
    moderation.decide(found, after, reason, reviewer(), found.revision)


def accepted(guide: Guide, **fields: Any) -> EvidenceReport:
    """A report that a reviewer accepted, as a reviewer does."""
    found = report(guide, **fields)
    decide(found, State.ACCEPTED)
    found.refresh_from_db()
    return found


def second_fix(guide: Guide) -> QuickFix:
    """One more fix, the last in the editors' order."""
    words = dict.fromkeys(("body", "when", "cost", "verify"), "Words.")
    return QuickFix.objects.create(
        guide=guide, key="wait", title="Wait a day", position=9, who="caller", retry="now", **words
    )
