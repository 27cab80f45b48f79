"""Where the other rooms say what happened; who wants to know is told later, by the background worker."""

from collections.abc import Mapping

from django.db import models


class Event(models.TextChoices):
    """What can be told."""

    REPORT_NEW = "report.new", "A new report"
    REPORT_DECIDED = "report.decided", "A report was decided on"
    GUIDE_DUE = "guide.due", "A guide is due for review"


def announce(event: Event, subject: str, path: str, facts: Mapping[str, str]) -> None:
    """Note that something happened, in the caller's transaction: if that fails, nobody is told.

    `subject` is one line, `path` the page that shows it (`/review/…`), `facts` name and value of what
    a reader of the notice needs; all of it is redacted already.
    """
