"""Where the other rooms say what happened; who wants to know is told later, by the background worker."""

from collections.abc import Iterable, Mapping

from django.db import transaction

from kb.diagnosis.text import harmless
from kb.notices.models import TEST, Delivery, Event, Subscription
from kb.notices.tasks import put_in_queue, wake

__all__ = ["Event", "announce", "try_out"]

LONGEST_SUBJECT = 200
LONGEST_FACT = 1_000
MOST_FACTS = 20


def announce(event: Event, subject: str, path: str, facts: Mapping[str, str]) -> None:
    """Note that something happened, in the caller's transaction: if that fails, nobody is told.

    `subject` is one line, `path` the page that shows it (`/review/…`), `facts` name and value of what
    a reader of the notice needs; all of it is redacted already.
    """
    wanted = [one for one in Subscription.objects.filter(active=True) if event in one.events]
    _deliver(wanted, str(event), subject, path, facts)


def try_out(subscription: Subscription) -> None:
    """Send one test notice to a subscription, through all that a real one passes."""
    wake([subscription.pk])
    _deliver([subscription], TEST, f"A test for {subscription}", "/", {"Asked for by": "an administrator"})


def _deliver(
    to: Iterable[Subscription], event: str, subject: str, path: str, facts: Mapping[str, str]
) -> None:
    told = [[_line(name, 100), _line(value, LONGEST_FACT)] for name, value in facts.items()][:MOST_FACTS]
    with transaction.atomic():
        for subscription in to:
            delivery = Delivery(
                subscription=subscription,
                event=event,
                subject=_line(subject, LONGEST_SUBJECT),
                path=path,
                facts=told,
            )
            put_in_queue(delivery)


def _line(text: str, most: int) -> str:
    """One line, safe to show, of `most` characters."""
    line = " ".join(harmless(str(text)).split())
    return line if len(line) <= most else line[: most - 1] + "…"
