"""The library's rows: tools, guides and all that a guide is made of.

Content files are the source, these rows are the served copy. Each row that holds Markdown renders and
sanitises it when it is saved; `Guide.compose` joins the parts into the page that a GET sends.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from kb.diagnosis.signature import Signature as PureSignature
from kb.guides.contents import chain, contents
from kb.guides.vocabulary import HELPS, Actor, Category, Hop, SourceKind, Speaker
from kb.guides.wilson import in_order
from kb.web.markdown import plain_text, render


def one_of(field: str, choices: type[models.TextChoices]) -> models.CheckConstraint:
    """The database refuses a value that isn't in the closed list."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": choices.values}),
        name=f"%(app_label)s_%(class)s_{field}",
    )


def not_blank(field: str) -> models.CheckConstraint:
    """The database refuses an empty text."""
    return models.CheckConstraint(
        condition=~models.Q(**{field: ""}), name=f"%(app_label)s_%(class)s_{field}_not_blank"
    )


class Tool(models.Model):
    """Software whose errors we know."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80, unique=True)
    summary = models.CharField(max_length=240)
    homepage = models.URLField(blank=True)
    source = models.CharField(
        max_length=300, blank=True, help_text="Where a file of a release is read: https://…/{version}/{path}"
    )
    marks = models.JSONField(
        default=list, help_text="Words that show that a text speaks of this tool, such as litellm"
    )

    class Meta:
        ordering = ["name"]
        constraints = [not_blank("name")]

    def __str__(self) -> str:
        return self.name


class Release(models.Model):
    """A version of a tool that guides speak of."""

    tool = models.ForeignKey(Tool, on_delete=models.CASCADE, related_name="releases")
    version = models.CharField(max_length=40)
    position = models.PositiveIntegerField(help_text="Oldest first")

    class Meta:
        ordering = ["tool", "position"]
        constraints = [
            models.UniqueConstraint(fields=["tool", "version"], name="one_release_per_version"),
            not_blank("version"),
        ]

    def __str__(self) -> str:
        return self.version


class GuideQuerySet(models.QuerySet["Guide"]):
    """What readers may see, and how lists read it."""

    def published(self) -> GuideQuerySet:
        """Guides whose file is there."""
        return self.filter(retired=None)

    def cards(self) -> GuideQuerySet:
        """What a list shows: no long text, releases and tool in the same two queries."""
        return (
            self.select_related("tool")
            .prefetch_related("releases")
            .only("slug", "title", "summary", "category", "hop", "verified", "tool", "hero", "updated")
        )


class Guide(models.Model):
    """The page on one error signature. Its slug never changes once published."""

    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="guides")
    slug = models.SlugField(max_length=120)
    title = models.CharField(max_length=160)
    summary = models.CharField(max_length=240)
    category = models.CharField(max_length=20, choices=Category)
    hop = models.CharField(max_length=20, choices=Hop)
    verified = models.DateField(help_text="When somebody last held it against its sources")
    synonyms = models.JSONField(default=list, blank=True, help_text="Other words people search by")
    meaning = models.TextField()
    meaning_html = models.TextField(editable=False)
    why = models.TextField()
    why_html = models.TextField(editable=False)
    related = models.ManyToManyField("self", symmetrical=False, blank=True)
    releases = models.ManyToManyField(Release, blank=True, related_name="guides")
    created = models.DateTimeField(default=timezone.now, editable=False)
    updated = models.DateTimeField(default=timezone.now, editable=False)
    retired = models.DateTimeField(
        null=True, blank=True, help_text="Its file is gone; its page and its reports stay"
    )
    digest = models.CharField(max_length=64, blank=True, editable=False)
    text = models.TextField(blank=True, editable=False, help_text="The source that it was made from")
    base = models.TextField(
        blank=True, editable=False, help_text="The file that the text is based on; empty: made in the browser"
    )
    theirs = models.TextField(
        blank=True, editable=False, help_text="The file as it became while the text was edited here"
    )
    met = models.PositiveIntegerField(default=0, editable=False, help_text="Times a text led here")
    hero = models.TextField(blank=True, editable=False, help_text="The first exact message")
    plain = models.TextField(blank=True, editable=False, help_text="What snippets are cut from")
    page_html = models.TextField(blank=True, editable=False, help_text="All between header and footer")
    contents = models.JSONField(default=list, editable=False, help_text="[[level, id, title], …]")

    objects = GuideQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        permissions = [("write", "Can write guides")]
        constraints = [
            models.UniqueConstraint(fields=["tool", "slug"], name="one_guide_per_slug"),
            one_of("category", Category),
            one_of("hop", Hop),
            not_blank("title"),
            not_blank("summary"),
        ]
        indexes = [models.Index(fields=["category", "hop"]), models.Index(fields=["-updated"])]

    def __str__(self) -> str:
        return self.title

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Renders the words before they are stored."""
        chips = self.chips if self.pk else {}
        self.meaning_html = render(self.meaning, chips)
        self.why_html = render(self.why, chips)
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """/errors/<tool>/<slug>/"""
        return reverse("guide", args=[self.tool.slug, self.slug])

    @property
    def edited(self) -> bool:
        """Whether it says something else than its file."""
        return self.text != self.base

    @cached_property
    def chips(self) -> dict[str, tuple[str, str]]:
        """Source id -> (the chip's words, its title)."""
        return {source.key: (source.chip, source.title) for source in self.sources.all()}

    def compose(self) -> None:
        """Joins all parts into `page_html`; call it when one of them, a neighbour or a decision changed."""
        parts = {
            name: list(getattr(self, name).all())
            for name in ("messages", "causes", "fixes", "checks", "steps", "preventions", "faqs")
        }
        told = self.reports.accepted().summary()
        tried = in_order(parts["fixes"], told.outcomes)
        parts["fixes"] = [fix for fix, _ in tried]
        self.hero = parts["messages"][0].text if parts["messages"] else ""
        self.contents = contents(parts)
        words = plain_text(f"{self.meaning_html} {self.why_html}")
        self.plain = f"{self.hero} {self.summary} {words}"
        around = {
            "guide": self,
            "chain": chain(Hop(self.hop)),
            "releases": list(self.releases.all()),
            "related": list(self.related.filter(retired=None).select_related("tool")),
            "sources": list(self.sources.all()),
            "told": told,
            "tried": tried,
        }
        self.page_html = render_to_string("guides/_guide.html", around | parts)
        fields = ["hero", "contents", "plain", "page_html", "meaning_html", "why_html"]
        self.save(update_fields=fields)

    def compose_neighbours(self) -> None:
        """Composes the pages that show this guide among their related ones."""
        for guide in Guide.objects.filter(related=self).select_related("tool"):
            guide.compose()


class Revision(models.Model):
    """A source text that a guide was made from: who brought it in, when and why. The newest is served."""

    guide = models.ForeignKey(Guide, on_delete=models.CASCADE, related_name="revisions")
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="revisions",
        help_text="Nobody: it came from its file",
    )  # fmt: skip
    why = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [not_blank("text")]

    def __str__(self) -> str:
        return f"{self.guide.slug}, {self.at:%Y-%m-%d %H:%M}"


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

    class Meta(Part.Meta):
        constraints = [not_blank("text")]

    def __str__(self) -> str:
        return self.text[:80]


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

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Renders the words before they are stored."""
        for field in self.markdown:
            setattr(self, f"{field}_html", render(getattr(self, field), self.guide.chips))
        super().save(*args, **kwargs)


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


class UnmatchedError(models.Model):
    """A text that nothing we know fits, redacted and masked: the editors' list of what is missing."""

    fingerprint = models.CharField(max_length=40, unique=True)
    normal_form = models.TextField()
    count = models.PositiveIntegerField(default=1)
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last_seen"]
        constraints = [not_blank("normal_form")]

    def __str__(self) -> str:
        return self.normal_form[:80]
