"""What a guide is made of. A row that holds Markdown renders and sanitises it when it is saved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.db import models

from kb.diagnosis.signature import Signature as PureSignature
from kb.guides.models.constraints import not_blank, one_of
from kb.guides.models.guide import Guide
from kb.guides.vocabulary import HELPS, Actor, SourceKind, Speaker
from kb.web.markdown import render


class Part(models.Model):
    """What every part of a guide has: its guide, and its place among its siblings."""

    guide: models.ForeignKey[Guide, Guide]
    position = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True
        ordering = ["position"]


class Source(Part):
    """Where statements come from, and when it was read."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="sources")
    key = models.SlugField(max_length=80)
    kind = models.CharField(max_length=10, choices=SourceKind)
    title = models.CharField(max_length=200)
    url = models.URLField(max_length=500, blank=True)
    version = models.CharField(max_length=40, blank=True)
    path = models.CharField(max_length=300, blank=True)
    contains = models.CharField(max_length=200, blank=True)
    read = models.DateField()

    class Meta(Part.Meta):
        constraints = [
            models.UniqueConstraint(fields=["guide", "key"], name="one_source_per_key"),
            one_of("kind", SourceKind),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def chip(self) -> str:
        """The few letters that stand on the statement."""
        if self.kind == SourceKind.THREAD and "/issues/" in self.url:
            return f"#{self.url.rstrip('/').rsplit('/', 1)[1]}"
        return f"{self.kind} {self.version}".strip()


class Message(Part):
    """The exact text that some versions print, with {holes} for what varies."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="messages")
    text = models.TextField()
    versions = models.JSONField(default=list)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error_type = models.CharField(max_length=80, blank=True)
    source = models.ForeignKey(Source, on_delete=models.RESTRICT, related_name="messages")
    not_yet_in = models.JSONField(
        default=list, editable=False, help_text="Older releases that were read and don't print it"
    )
    no_longer_in = models.JSONField(default=list, editable=False, help_text="Later ones that don't")

    class Meta(Part.Meta):
        constraints = [not_blank("text")]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def not_in(self) -> set[str]:
        """The releases that were read and don't print it."""
        return {*self.not_yet_in, *self.no_longer_in}


class Signature(Part):
    """What identifies an error in a text; kb.diagnosis.signature says how it is matched."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="signatures")
    key = models.SlugField(max_length=80)
    all_of = models.JSONField(default=list)
    any_of = models.JSONField(default=list, blank=True)
    none_of = models.JSONField(default=list, blank=True)
    pattern = models.TextField(blank=True)
    where = models.CharField(max_length=100, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    error_type = models.CharField(max_length=80, blank=True)
    in_tool = models.BooleanField(default=False)
    general = models.BooleanField(default=False)
    quotes = models.BooleanField(default=False)
    speaker = models.CharField(max_length=20, choices=Speaker, default=Speaker.GATEWAY)

    class Meta(Part.Meta):
        constraints = [
            models.UniqueConstraint(fields=["guide", "key"], name="one_signature_per_key"),
            one_of("speaker", Speaker),
        ]

    def __str__(self) -> str:
        return self.key

    def pure(self, guide: str, tool: str) -> PureSignature:
        """As the matcher takes it; `guide` is the name that a match has."""
        return PureSignature(
            guide=guide,
            tool=tool,
            id=self.key,
            all_of=tuple(self.all_of),
            any_of=tuple(self.any_of),
            none_of=tuple(self.none_of),
            pattern=self.pattern or None,
            where=self.where or None,
            status=self.status,
            error_type=self.error_type or None,
            in_tool=self.in_tool,
            general=self.general,
            quotes=self.quotes,
            speaker=self.speaker,
        )


class Sample(Part):
    """A real text that the guide's signatures must match, or must not (a near miss)."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="samples")
    text = models.TextField()
    origin = models.CharField(max_length=500)
    near_miss = models.BooleanField(default=False)

    class Meta(Part.Meta):
        constraints = [not_blank("text")]

    def __str__(self) -> str:
        return self.text[:80]


class Entry(Part):
    """A titled part with words, rendered when it is saved."""

    key = models.SlugField(max_length=80)
    title = models.CharField(max_length=200)
    body = models.TextField()
    body_html = models.TextField(editable=False)

    markdown: ClassVar[tuple[str, ...]] = ("body",)

    class Meta(Part.Meta):
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["guide", "key"], name="one_%(class)s_per_key"),
            not_blank("title"),
        ]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Renders the words before they are stored, whichever fields are to be written."""
        for field in self.markdown:
            setattr(self, f"{field}_html", render(getattr(self, field), self.guide.chips))
        if update_fields is not None:
            update_fields = {*update_fields, *(f"{field}_html" for field in self.markdown)}
        super().save(*args, update_fields=update_fields, **kwargs)


class Cause(Entry):
    """Why it happens; its key is permanent."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="causes")
    confirm = models.TextField()
    confirm_html = models.TextField(editable=False)

    markdown = ("body", "confirm")


class QuickFix(Entry):
    """A remedy: `body` holds its steps."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="fixes")
    who = models.CharField(max_length=20, choices=Actor)
    retry = models.CharField(max_length=120, help_text="never, now, after <time>, heals <when>")
    helps = models.JSONField(default=dict, blank=True, help_text='{"1.84.0": "yes|no|partly"}')
    causes = models.ManyToManyField(Cause, blank=True, related_name="fixes")
    when = models.TextField(verbose_name="when to choose it")
    when_html = models.TextField(editable=False)
    cost = models.TextField()
    cost_html = models.TextField(editable=False)
    verify = models.TextField()
    verify_html = models.TextField(editable=False)

    markdown = ("body", "when", "cost", "verify")

    class Meta(Entry.Meta):
        verbose_name_plural = "quick fixes"
        constraints = [*Entry.Meta.constraints, one_of("who", Actor)]

    @property
    def helps_in(self) -> list[tuple[str, str, str]]:
        """(version, word, sentence) in the order of the file, such as ("1.84.0", "no", "does not help")."""
        return [(version, word, HELPS[word]) for version, word in self.helps.items()]


class PlatformCheck(Entry):
    """What to look at where it runs: Docker, Kubernetes, Redis, PostgreSQL and so on."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="checks")


class Step(Entry):
    """One step on the way from the error to the cause."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="steps")


class Prevention(Entry):
    """What keeps it from coming back."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="preventions")


class FAQ(Entry):
    """A question that people asked, and its answer."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="faqs")

    class Meta(Entry.Meta):
        verbose_name = "FAQ"
