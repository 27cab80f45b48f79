"""What readers report, and what reviewers decided about it. Nothing is public before it is accepted.

All words here are plain text that was redacted before it came here; no count is stored.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from kb.evidence.summary import Summary, by_fix, summarise
from kb.guides.models import Guide, QuickFix, Tool, one_of
from kb.guides.wilson import Outcome

LIFE_OF_DRAFT = timedelta(days=14)
NEWEST = 5  # reports that a guide's page shows


class State(models.TextChoices):
    """Where a report stands."""

    PENDING = "pending", "pending"
    ACCEPTED = "accepted", "accepted"
    REJECTED = "rejected", "rejected"
    SUPERSEDED = "superseded", "superseded"


class Deployment(models.TextChoices):
    """How the gateway runs."""

    DOCKER = "docker", "Docker"
    KUBERNETES = "kubernetes", "Kubernetes"
    PIP = "pip", "pip"
    HOSTED = "hosted", "hosted by somebody else"
    OTHER = "other", "another way"


class Pods(models.TextChoices):
    """How many instances of the gateway share the load."""

    ONE = "1", "one"
    FEW = "2-5", "2 to 5"
    MANY = "6+", "6 or more"


class Store(models.TextChoices):
    """The gateway's database."""

    POSTGRESQL = "postgresql", "PostgreSQL"
    NONE = "none", "none"
    OTHER = "other", "another one"


class Cache(models.TextChoices):
    """What the instances share."""

    REDIS = "redis", "Redis"
    REDIS_CLUSTER = "redis_cluster", "Redis Cluster or Sentinel"
    NONE = "none", "none"
    OTHER = "other", "another one"


class Fits(models.TextChoices):
    """Whether the guide describes what happened."""

    SAME = "same", "as the guide says"
    DIFFERENT = "different", "differently"


class Helped(models.TextChoices):
    """What the fix did."""

    YES = "yes", "helped"
    NO = "no", "didn't help"


def new_id() -> str:
    """A name that nobody guesses: the receipt's address is all it takes to see it."""
    return secrets.token_urlsafe(18)


class ReportQuerySet(models.QuerySet["EvidenceReport"]):
    """Reports by what may be done with them."""

    def accepted(self) -> ReportQuerySet:
        """All that the public may see."""
        return self.filter(state=State.ACCEPTED)

    def pending(self) -> ReportQuerySet:
        """What waits for a reviewer, the oldest first."""
        return self.filter(state=State.PENDING).order_by("created", "pk")

    def with_fix(self) -> ReportQuerySet:
        """Each with `fix_title`: the words of its fix, or None where its guide has none of that key."""
        fixes = QuickFix.objects.filter(guide=models.OuterRef("guide"), key=models.OuterRef("fix"))
        return self.annotate(fix_title=models.Subquery(fixes.values("title")))

    def summary(self) -> Summary:
        """What they add up to, in three queries; the database counts, whatever their number."""
        groups = self.order_by().values_list("version", "deployment", "fits").annotate(models.Count("pk"))
        newest = self.order_by("-created").defer("text").with_fix()[:NEWEST]
        return summarise(list(groups), dict(Deployment.choices), self.outcomes(), list(newest))

    def outcomes(self) -> dict[str, Outcome]:
        """Fix -> how many it helped, and how many not."""
        said = self.exclude(fix="").order_by()
        return by_fix(said.values_list("fix", "helped").annotate(models.Count("pk")))


class EvidenceReport(models.Model):
    """A reader's account of an error: whether a guide fitted it, and what helped.

    Without a guide it is about something unknown. `revision` counts the decisions, and belongs to
    `kb.evidence.moderation`, as `state` does.
    """

    id = models.CharField(primary_key=True, max_length=40, default=new_id, editable=False)
    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="reports")
    guide = models.ForeignKey(Guide, null=True, blank=True, on_delete=models.PROTECT, related_name="reports")
    created = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="reports"
    )
    form = models.CharField(max_length=40, unique=True, editable=False, help_text="One form, one report")
    version = models.CharField(max_length=40, blank=True)
    deployment = models.CharField(max_length=20, choices=Deployment, blank=True)
    pods = models.CharField(max_length=10, choices=Pods, blank=True)
    store = models.CharField(max_length=20, choices=Store, blank=True, verbose_name="database")
    cache = models.CharField(max_length=20, choices=Cache, blank=True)
    text = models.TextField(blank=True, help_text="The error, redacted")
    removed = models.JSONField(default=dict, editable=False, help_text='{"api_key": 1}')
    fingerprint = models.CharField(max_length=40, blank=True, db_index=True, editable=False)
    story = models.TextField(blank=True, verbose_name="what happened")
    fits = models.CharField(max_length=20, choices=Fits, blank=True)
    fix = models.SlugField(max_length=80, blank=True, help_text="The key of the fix that was tried")
    helped = models.CharField(max_length=20, choices=Helped, blank=True)
    link = models.URLField(max_length=500, blank=True)
    state = models.CharField(max_length=20, choices=State, default=State.PENDING, editable=False)
    revision = models.PositiveIntegerField(default=0, editable=False)

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ["-created"]
        permissions = [("decide", "Can decide on evidence reports")]
        indexes = [
            models.Index(fields=["state", "created"]),
            models.Index(fields=["guide", "state", "-created"]),
            models.Index(fields=["guide", "fingerprint"]),
        ]
        constraints = [
            one_of("state", State),
            models.CheckConstraint(
                condition=models.Q(fix="", helped="") | (~models.Q(fix="") & ~models.Q(helped="")),
                name="report_fix_comes_with_its_outcome",
            ),
            models.CheckConstraint(condition=~models.Q(text="", story=""), name="report_says_something"),
        ]

    def __str__(self) -> str:
        about = self.guide.title if self.guide else f"Something unknown in {self.tool}"
        return f"{about}, {self.created:%Y-%m-%d}"

    def get_absolute_url(self) -> str:
        """/reports/<id>/: the receipt."""
        return reverse("receipt", args=[self.id])


class Decision(models.Model):
    """One change of a report's state: who, when, why. Decisions are added, never changed."""

    report = models.ForeignKey(EvidenceReport, on_delete=models.CASCADE, related_name="decisions")
    revision = models.PositiveIntegerField()
    before = models.CharField(max_length=20, choices=State)
    after = models.CharField(max_length=20, choices=State)
    reason = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="decisions"
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["revision"]
        constraints = [
            # The last word on two reviewers at once: the database takes one decision for each revision.
            models.UniqueConstraint(fields=["report", "revision"], name="one_decision_per_revision"),
            one_of("before", State),
            one_of("after", State),
            models.CheckConstraint(
                condition=~models.Q(after__in=["rejected", "superseded"], reason=""),
                name="decision_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.before} to {self.after}"


def when_drafts_expire() -> datetime:
    """When a draft that was saved now is forgotten."""
    return timezone.now() + LIFE_OF_DRAFT


class Draft(models.Model):
    """An unfinished report, redacted; its address is all it takes to go on with it."""

    id = models.CharField(primary_key=True, max_length=40, default=new_id, editable=False)
    guide = models.ForeignKey(Guide, null=True, blank=True, on_delete=models.CASCADE, related_name="drafts")
    fields = models.JSONField()
    saved = models.DateTimeField(auto_now=True)
    expires = models.DateTimeField(default=when_drafts_expire, db_index=True)

    class Meta:
        ordering = ["-saved"]

    def __str__(self) -> str:
        return f"Draft of {self.saved:%Y-%m-%d %H:%M}"
