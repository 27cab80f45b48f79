"""What a report form carries instead of a cookie: a signed name of its own, and when it was shown.

The name becomes `EvidenceReport.form`, so a form that is sent twice makes one report. A form that is shown
again after an error keeps its name; it gets a new time only where the old one is of no use any more, so who
was too quick may send again at once.
"""

import secrets
import time
from dataclasses import dataclass

from django.core import signing

SALT = "kb.evidence.form"
AT_LEAST = 3.0  # seconds between showing a form and sending it: a person reads first
AT_MOST = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """A form's name and the time when it was shown."""

    form: str
    shown: float

    def signed(self) -> str:
        """As the form carries it."""
        return signing.Signer(salt=SALT).sign_object([self.form, self.shown])

    @property
    def age(self) -> float:
        """Seconds since it was shown."""
        return time.time() - self.shown

    def again(self) -> "Stamp":
        """The same form, shown again."""
        return self if 0 <= self.age <= AT_MOST else Stamp(self.form, time.time())

    @property
    def trouble(self) -> str:
        """What is wrong with its age, or nothing."""
        if self.age < AT_LEAST:
            return "That was quicker than a person types. Nothing is lost: read it over, then send it again."
        if self.age > AT_MOST:
            return (
                "This form was open for more than a day. Nothing is lost: read it over, then send it again."
            )
        return ""


def new() -> Stamp:
    """The stamp of a form that is shown for the first time."""
    return Stamp(secrets.token_urlsafe(18), time.time())


def read(signed: str) -> Stamp | None:
    """The stamp that a form brings back; None if this site didn't sign it."""
    try:
        form, shown = signing.Signer(salt=SALT).unsign_object(signed)
        return Stamp(str(form), float(shown))
    except (signing.BadSignature, ValueError, TypeError):
        return None
