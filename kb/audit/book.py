"""Where the other rooms write down what somebody did."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from kb.audit.models import Entry


def record(what: str, by: Any, about: str, path: str = "", **details: str | int) -> Entry:
    """Adds a line in the caller's transaction; `by` is a user, or None where nobody is signed in.

    `what` is a short word with a dot (`guide.published`); `about` names the thing; `details` are redacted
    already.
    """
    known = by is not None and by.is_authenticated
    return Entry.objects.create(
        by=by if known else None,
        who=by.get_username()[:150] if known else "",
        what=what,
        about=about[:200],
        path=path[:300],
        details={name: value for name, value in details.items() if value != ""},
    )


def tally(what: str, about: str, path: str = "") -> None:
    """Counts what nobody signed in did: one line, with a number, for all of the hour after the first."""
    begun = timezone.now() - timedelta(hours=1)
    with transaction.atomic():
        lines = Entry.objects.select_for_update().filter(what=what, about=about[:200], at__gt=begun)
        line = lines.order_by("pk").first()
        if line is None:
            record(what, None, about, path, times=1)
        else:
            line.details["times"] += 1
            line.save(update_fields=["details"])


def forget(**kwargs: Any) -> None:
    """Deletes the lines that are older than CULPRIT_KEEP_DAYS."""
    Entry.objects.filter(at__lt=timezone.now() - timedelta(days=settings.CULPRIT_KEEP_DAYS)).delete()
