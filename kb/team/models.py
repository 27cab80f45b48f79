"""What a team adds to the library: drafts of guides, its own notes on them, tokens, files of releases."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from kb.guides.models import Guide, Revision, Tool, not_blank, one_of


class Stage(models.TextChoices):
    """Where a draft stands."""

    WRITING = "writing", "being written"
    REVIEW = "review", "waiting for a second reader"
    PUBLISHED = "published", "published"
    DISCARDED = "discarded", "discarded"


OPEN = (Stage.WRITING, Stage.REVIEW)


class Draft(models.Model):
    """Words for a guide that nobody but editors sees yet: the whole source of one guide.

    `base` is the source it began from: if the guide says something else by now, both are compared before
    it is published. Without a guide it is a new one. `revision` counts the savings.
    """

    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="drafts")
    guide = models.ForeignKey(Guide, null=True, blank=True, on_delete=models.CASCADE, related_name="edits")
    slug = models.SlugField(max_length=120)
    text = models.TextField()
    base = models.TextField(blank=True)
    brings = models.TextField(blank=True, help_text="The file whose changes it brings into the guide")
    why = models.CharField(max_length=300, blank=True)
    stage = models.CharField(max_length=20, choices=Stage, default=Stage.WRITING)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="drafts"
    )
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        help_text="Who read it before it was published",
    )  # fmt: skip
    remark = models.CharField(max_length=1000, blank=True, help_text="What the second reader says")
    created = models.DateTimeField(default=timezone.now, editable=False)
    saved = models.DateTimeField(default=timezone.now)
    revision = models.PositiveIntegerField(default=0)
    became = models.OneToOneField(
        Revision, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="draft"
    )

    class Meta:
        ordering = ["-saved"]
        constraints = [
            one_of("stage", Stage),
            not_blank("text"),
            models.UniqueConstraint(
                fields=["tool", "slug", "by"],
                condition=models.Q(stage__in=OPEN),
                name="one_open_draft_each",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slug}, {self.get_stage_display()}"


class Note(models.Model):
    """The team's own layer over a guide: never touched by a load, shown on its page to who may see it.

    `revision` counts the savings, so that nobody saves over words that they haven't seen.
    """

    guide = models.OneToOneField(Guide, on_delete=models.CASCADE, related_name="note")
    words = models.TextField(blank=True, help_text="Markdown")
    words_html = models.TextField(blank=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="guides"
    )
    runbook = models.URLField(blank=True, max_length=500)
    proxies = models.CharField(blank=True, max_length=300, help_text="Which of our proxies it concerns")
    next_review = models.DateField(null=True, blank=True)
    reminded = models.DateField(
        null=True, blank=True, editable=False, help_text="The review date that was last reminded of"
    )
    changed = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    revision = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["guide"]
        permissions = [("administer", "Can administer this instance")]

    def __str__(self) -> str:
        return f"Note on {self.guide}"

    @property
    def says_anything(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.words or self.owner_id or self.next_review or self.runbook or self.proxies)

    @property
    def runbook_is_link(self) -> bool:
        """Whether the runbook's address may become a link."""
        return self.runbook.startswith(("https://", "http://"))

    @property
    def owner_name(self) -> str:
        """The owner as people know them; empty if there is none."""
        return (self.owner.get_full_name() or self.owner.get_username()) if self.owner else ""


class Token(models.Model):
    """What a script reads the site with, as its owner; only a hash of it is kept."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60, help_text="What it is for")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    last_used = models.DateField(null=True, blank=True)
    revoked = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created", "-pk"]
        constraints = [not_blank("name"), not_blank("digest")]

    def __str__(self) -> str:
        return self.name

    @property
    def works(self) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked is None and timezone.now() < self.expires


class ReleaseFile(models.Model):
    """A file that guides cite, as it is in one release: so that it shows where the cited words went."""

    tool = models.ForeignKey(Tool, on_delete=models.CASCADE, related_name="files")
    version = models.CharField(max_length=40)
    path = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Empty: the release has no such file")
    words = models.JSONField(default=dict, help_text="Cited words -> whether they stand in it")
    noted = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["tool", "version", "path"]
        constraints = [
            models.UniqueConstraint(fields=["tool", "version", "path"], name="one_file_per_release"),
            not_blank("path"),
        ]

    def __str__(self) -> str:
        return f"{self.path} of {self.version}"
