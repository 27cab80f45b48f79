"""The worker's part: claims a delivery, has it sent, writes down what came of it.

The queue only says when to look. What is to be sent, and by whom just now, stands in the delivery's row: a
worker that dies leaves a lease behind that ends, and `sweep` finds whatever has nobody to look at it.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.dispatch import Signal
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from kb.notices.models import Delivery, DeliveryQuerySet, Event, Kind, State, Subscription
from kb.notices.sending import Outcome, send

# After each failed attempt; after one more than these the delivery is dead.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 600, 3_600, 21_600))
# For which a receiver is left alone after so many failures in a row, whatever else waits for it.
RESTS = PAUSES[:3]
JITTER = 0.2  # a fifth more at most, so that what failed together doesn't come back together
LEASE = timedelta(minutes=3)  # longer than any attempt takes
GATHER = timedelta(minutes=5)  # new reports are mailed no more often than this
MOST_IN_ONE = 100  # reports in one mail
MOST_AT_ONCE = 500  # deliveries that one sweep puts back
KEEP_SENT, KEEP_DEAD = timedelta(days=30), timedelta(days=180)
KEEP_RESULTS = timedelta(days=1)
LOST = timedelta(hours=1)  # no task runs so long: its worker is gone


swept = Signal()  # the worker has swept: rooms above this one do what is to be done now and then


@task()
def deliver(key: str) -> None:
    """Send one delivery, if it is due and nobody else is sending it."""
    if batch := claim(key):
        settle(batch, send(batch))


def put_in_queue(delivery: Delivery) -> None:
    """Save the delivery with a task that looks at it when it is due; both or neither, in one transaction."""
    delivery.task = deliver.using(run_after=delivery.due).enqueue(delivery.pk).id
    delivery.save()


def claim(key: str) -> list[Delivery]:
    """Mark the delivery as being sent, until its lease ends. Empty where it isn't due or others have it.

    Of new reports that are mailed it brings all that wait for the same subscription.
    """
    now = timezone.now()
    with transaction.atomic():
        # Two workers at one subscription take turns here; sending itself holds no lock.
        subscription = Subscription.objects.select_for_update(of=("self",)).filter(deliveries__pk=key).first()
        found = subscription.deliveries.due(now).filter(pk=key).first() if subscription else None
        if subscription is None or found is None:
            return []
        if not subscription.active:
            _give_up(found, "The subscription was switched off.")
            return []
        gathers = subscription.kind == Kind.EMAIL and found.event == Event.REPORT_NEW
        free = _rests_until(subscription, now) or (_mailed_until(subscription, now) if gathers else None)
        if free:
            found.due = free
            put_in_queue(found)
            return []
        if not gathers:
            return _claimed([found], now)
        waiting = subscription.deliveries.filter(event=Event.REPORT_NEW)
        waiting = waiting.filter(Q(state=State.WAITING) | Q(state=State.SENDING, due__lte=now))
        others = waiting.exclude(pk=key).order_by("created")[: MOST_IN_ONE - 1]
        return _claimed(sorted([found, *others], key=lambda one: one.created), now)


def _claimed(batch: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """Those of `batch` that are as they were read."""
    mine = []
    for one in batch:
        unchanged = Delivery.objects.filter(pk=one.pk, state=one.state, attempts=one.attempts)
        if unchanged.update(state=State.SENDING, due=now + LEASE, attempts=F("attempts") + 1):
            one.attempts += 1
            mine.append(one)
    return mine


def _rests_until(subscription: Subscription, now: datetime) -> datetime | None:
    """When a receiver that failed may be called again, if that is still to come."""
    until = subscription.rests_until
    return until if until and until > now else None


def _mailed_until(subscription: Subscription, now: datetime) -> datetime | None:
    """When the next mail on new reports may go, if one was sent lately or is being sent."""
    mails = subscription.deliveries.filter(event=Event.REPORT_NEW)
    sending = mails.filter(state=State.SENDING, due__gt=now).order_by("-due").first()
    if sending:
        return sending.due
    last = mails.filter(state=State.SENT, sent__gt=now - GATHER).order_by("-sent").first()
    return last.sent + GATHER if last and last.sent else None


def settle(batch: Sequence[Delivery], outcome: Outcome) -> None:
    """Write down what came of an attempt, unless a lease ended meanwhile and somebody else went on."""
    now = timezone.now()
    with transaction.atomic():
        # Locked before its deliveries, as in `claim`, so that the two never wait for each other.
        subscription = (
            Subscription.objects.select_for_update(of=("self",)).filter(pk=batch[0].subscription_id).first()
        )
        mine = [delivery for one in batch if (delivery := _still_ours(one))]
        if subscription is None or not mine:
            return
        for delivery in mine:
            _settle(delivery, outcome, now)
        _leave_alone(subscription, outcome, now)
        if outcome.gone:
            Subscription.objects.filter(pk=subscription.pk).update(active=False)


def _still_ours(one: Delivery) -> Delivery | None:
    ours = Delivery.objects.filter(pk=one.pk, state=State.SENDING, attempts=one.attempts)
    return ours.select_for_update(of=("self",)).first()


def _settle(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    if not outcome.why:
        delivery.state, delivery.sent, delivery.error = State.SENT, now, ""
        delivery.save()
    elif outcome.final or delivery.attempts > len(PAUSES):
        _give_up(delivery, outcome.why)
    else:
        delivery.state, delivery.error = State.WAITING, outcome.why[:300]
        delivery.due = now + _longer(PAUSES[delivery.attempts - 1], outcome)
        put_in_queue(delivery)


def _longer(pause: timedelta, outcome: Outcome) -> timedelta:
    """The pause, or what the receiver asked for, and a bit."""
    return max(pause, timedelta(seconds=outcome.wait)) * (1 + JITTER * random.random())  # noqa: S311


def _leave_alone(subscription: Subscription, outcome: Outcome, now: datetime) -> None:
    """Let a receiver that failed rest, with all that waits for it: others go on meanwhile."""
    this = Subscription.objects.filter(pk=subscription.pk)
    if not outcome.why:
        this.update(failures=0, rests_until=None)
    elif not outcome.final:
        failures = min(subscription.failures + 1, len(RESTS))
        until = now + _longer(RESTS[failures - 1], outcome)
        this.update(failures=failures, rests_until=until)
        waiting = subscription.deliveries.filter(state=State.WAITING, due__lt=until)
        tasks = DBTaskResult.objects.filter(status=TaskResultStatus.READY, pk__in=waiting.values("task"))
        tasks.update(run_after=until)
        waiting.update(due=until)


def wake(subscriptions: Iterable[int]) -> None:
    """An administrator has looked after these receivers: call them at once."""
    Subscription.objects.filter(pk__in=subscriptions).update(rests_until=None)


def _give_up(delivery: Delivery, why: str) -> None:
    delivery.state, delivery.error = State.DEAD, why[:300]
    delivery.save()


def send_again(deliveries: DeliveryQuerySet) -> int:
    """Give those that were given up all their attempts anew; how many there were."""
    with transaction.atomic():
        dead = list(deliveries.select_for_update(of=("self",)).filter(state=State.DEAD))
        for one in dead:
            one.state, one.attempts, one.due = State.WAITING, 0, timezone.now()
            put_in_queue(one)
        wake({one.subscription_id for one in dead})
    return len(dead)


def sweep() -> None:
    """Put back what is due and has no task that will look at it; forget what is old."""
    now = timezone.now()
    ready = DBTaskResult.objects.filter(status=TaskResultStatus.READY).values("pk")
    with transaction.atomic():
        # Whom somebody else has in hand is passed over, rather than waited for.
        free = Delivery.objects.select_for_update(of=("self",), skip_locked=True)
        lost = free.due(now).exclude(task__in=ready)
        for delivery in lost.order_by("due")[:MOST_AT_ONCE]:
            task_id = deliver.enqueue(delivery.pk).id
            # Not the whole row: somebody may have begun to send it since it was read.
            Delivery.objects.filter(pk=delivery.pk).update(task=task_id)
    Delivery.objects.filter(state=State.SENT, sent__lt=now - KEEP_SENT).delete()
    Delivery.objects.filter(state=State.DEAD, due__lt=now - KEEP_DEAD).delete()
    ours = DBTaskResult.objects.filter(task_path=deliver.module_path)
    ours.filter(status=TaskResultStatus.RUNNING, started_at__lt=now - LOST).delete()
    ours.filter(finished_at__lt=now - KEEP_RESULTS).delete()
    swept.send_robust(sender=None)
