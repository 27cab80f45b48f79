"""Who wants to be told, and what is still to be told. A delivery's row is the truth, not the queue."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from kb.guides.models import one_of
from kb.notices import address


class Event(models.TextChoices):
    """What can be told."""

    REPORT_NEW = "report.new", "A new report"
    REPORT_DECIDED = "report.decided", "A report was decided on"
    GUIDE_DUE = "guide.due", "A guide is due for review"


TEST = "test"  # the event that an administrator sends to try a subscription out


class Kind(models.TextChoices):
    """How somebody is told."""

    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack, or what speaks as Slack does"
    WEBHOOK = "webhook", "Signed webhook (Standard Webhooks)"


class State(models.TextChoices):
    """Where a delivery stands."""

    WAITING = "waiting", "waiting"
    SENDING = "sending", "being sent"
    SENT = "sent", "sent"
    DEAD = "dead", "given up"


def new_secret() -> str:
    """A key for signatures, in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def new_id() -> str:
    """A name that nobody guesses, and by which a receiver knows what it has already got."""
    return secrets.token_urlsafe(18)


def events_are_known(value: Any) -> None:
    """Refuses what is no list of events."""
    if not isinstance(value, list) or not value or set(value) - set(Event.values):
        raise ValidationError(f"Choose at least one of {', '.join(Event.values)}.")


class Subscription(models.Model):
    """Somebody who is told, and of what. A web address may be a secret: it is never shown whole."""

    name = models.CharField(max_length=80, unique=True, help_text="What administrators know it by")
    kind = models.CharField(max_length=20, choices=Kind)
    # Neither leaves the database: dumpdata writes fields alone that are serialized.
    address = models.CharField(max_length=500, serialize=False)
    secret = models.CharField(max_length=80, blank=True, editable=False, serialize=False)
    events = models.JSONField(default=list, validators=[events_are_known])
    active = models.BooleanField(default=True, help_text="Switched off by itself when a receiver answers 410")
    # A receiver that fails rests: until then nothing is sent to it, so that it holds up nobody else.
    rests_until = models.DateTimeField(null=True, editable=False, serialize=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False, serialize=False)

    fresh = False

    class Meta:
        ordering = ["name"]
        constraints = [one_of("kind", Kind)]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A signed webhook that has no key gets one; `fresh` says that it still has to be shown."""
        if self.kind == Kind.WEBHOOK and not self.secret:
            self.secret, self.fresh = new_secret(), True
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuses an address that couldn't be used now; one that is switched off may keep its own."""
        if not self.active or not self.address:
            return
        try:
            (address.check_mail if self.kind == Kind.EMAIL else address.check_url)(self.address)
        except ValidationError as problem:
            raise ValidationError({"address": problem.messages}) from None

    @property
    def shown(self) -> str:
        """The address as people may see it."""
        return address.shown(self.address)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Deliveries by what is to be done with them."""

    def due(self, now: datetime) -> DeliveryQuerySet:
        """Their time has come; or whoever was sending them didn't come back before the lease ended."""
        return self.filter(state__in=[State.WAITING, State.SENDING], due__lte=now)


class Delivery(models.Model):
    """One notice for one subscription. Its id is what the receiver knows it by, however often it comes.

    `attempts` counts the times that somebody set out to send it. Who finishes has to name the number they set
    out with, so that nobody writes over what came after them.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_id, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    path = models.CharField(max_length=500)
    # Pairs of name and value: PostgreSQL doesn't keep the order of an object's names.
    facts = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due = models.DateTimeField(
        default=timezone.now, help_text="The next try; the end of the lease while sending"
    )
    error = models.CharField(max_length=300, blank=True, verbose_name="last error")
    created = models.DateTimeField(default=timezone.now)
    sent = models.DateTimeField(null=True, blank=True)
    task = models.UUIDField(null=True, editable=False, help_text="The task in the queue that will look at it")

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["state", "due"]),
            models.Index(fields=["subscription", "event", "state"]),
        ]
        constraints = [one_of("state", State)]

    def __str__(self) -> str:
        return self.subject
