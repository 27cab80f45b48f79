"""Tools, their releases, and guides with every text that they were made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import prefetch_related_objects
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from kb.guides.contents import ENTRIES, chain, contents
from kb.guides.models.constraints import not_blank, one_of
from kb.guides.source import counted
from kb.guides.vocabulary import Category, Hop, held_against
from kb.guides.wilson import in_order
from kb.web.markdown import plain_text, render

CHIP_TARGET = re.compile(r'href="#source-([^"]+)"')


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
    review = models.JSONField(
        default=dict, blank=True, help_text="What a second reader did: read, statements, corrected, commands"
    )
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

    @property
    def second_read(self) -> date | None:
        """When a second reader held it against its sources."""
        return date.fromisoformat(self.review["read"]) if self.review else None

    @property
    def reworded(self) -> bool:
        """Whether it was edited here since a second reader counted: another text had this count before."""
        if not self.review or not self.edited:
            return False
        now, earlier = counted(self.text), self.revisions.order_by("at", "pk").values_list("text", flat=True)
        first = next((text for text in (self.base, *earlier) if counted(text) == now), self.text)
        return first != self.text

    @cached_property
    def chips(self) -> dict[str, tuple[str, str]]:
        """Source id -> (the chip's words, its title)."""
        return {source.key: (source.chip, source.title) for source in self.sources.all()}

    def readable(self, parts: Mapping[str, Iterable[Any]]) -> str:
        """Its words without tags, for the search index and for snippets; `parts` has its entries by name."""
        words = [self.summary, plain_text(self.meaning_html), plain_text(self.why_html)]
        for name in ENTRIES:
            words += [f"{entry.title} {plain_text(entry.body_html)}" for entry in parts[name]]
        return " ".join(words)

    def compose(self) -> None:
        """Joins all parts into `page_html`; call it when one of them, a neighbour or a decision changed."""
        parts = {name: list(getattr(self, name).all()) for name in ("messages", *ENTRIES)}
        prefetch_related_objects(parts["fixes"], "causes")
        prefetch_related_objects(parts["causes"], "fixes")
        told = self.reports.accepted().summary()
        tried = in_order(parts["fixes"], told.outcomes)
        parts["fixes"] = [fix for fix, _ in tried]
        self.hero = parts["messages"][0].text if parts["messages"] else ""
        self.contents = contents(parts)
        others = " ".join(message.text for message in parts["messages"][1:])
        self.plain = f"{self.hero} {self.readable(parts)} {others}".strip()
        sources = list(self.sources.all())
        around = {
            "guide": self,
            "chain": chain(Hop(self.hop)),
            "releases": list(self.releases.all()),
            "not_in": self.not_in(parts["messages"]),
            "related": list(self.related.filter(retired=None).select_related("tool")),
            "sources": sources,
            "against": held_against(source.kind for source in sources),
            "told": told,
            "tried": tried,
            "with_outcome": [(fix, outcome) for fix, outcome in tried if outcome.total],
        }
        page = render_to_string("guides/_guide.html", around | parts)
        self.page_html = numbered(page, [source.key for source in sources])
        fields = ["hero", "contents", "plain", "page_html", "meaning_html", "why_html"]
        self.save(update_fields=fields)

    def not_in(self, messages: list[Any]) -> list[str]:
        """The releases that were read and print none of its messages, oldest first."""
        without = set.intersection(*(message.not_in for message in messages)) if messages else set()
        return [one.version for one in self.tool.releases.all() if one.version in without] if without else []

    def compose_neighbours(self) -> None:
        """Composes the pages that show this guide among their related ones."""
        for guide in Guide.objects.filter(related=self).select_related("tool"):
            guide.compose()


def numbered(html: str, keys: list[str]) -> str:
    """A page whose chips carry their source's number in its list: in print there is no link to follow."""
    numbers = {key: number for number, key in enumerate(keys, 1)}

    def chip(found: re.Match[str]) -> str:
        number = numbers.get(found[1])
        return f'{found[0]} data-number="{number}"' if number else found[0]

    return CHIP_TARGET.sub(chip, html)


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
