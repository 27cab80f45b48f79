"""The library in Django's admin: for looking things up and for small corrections."""

from typing import Any

from django.contrib import admin
from django.db.models import URLField
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html

from kb.guides import models
from kb.guides.search import index

# An address that is typed without a scheme is taken as https.
HTTPS: dict[Any, Any] = {URLField: {"assume_scheme": "https"}}


class PartInline(admin.StackedInline):  # type: ignore[type-arg]
    """The parts of a guide, on its own page, folded."""

    extra = 0
    formfield_overrides = HTTPS
    classes = ("collapse",)
    ordering = ("position",)


INLINES = [
    type(f"{model.__name__}Inline", (PartInline,), {"model": model})
    for model in (
        models.Source,
        models.Message,
        models.Signature,
        models.Sample,
        models.Cause,
        models.QuickFix,
        models.PlatformCheck,
        models.Step,
        models.Prevention,
        models.FAQ,
    )
]


@admin.register(models.Guide)
class GuideAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Guides; saving one renders its page anew and brings it into the search index."""

    list_display = ("title", "slug", "tool", "category", "hop", "verified", "met", "is_retired")
    list_filter = ("tool", "category", "hop", "retired")
    search_fields = ("title", "slug", "summary")
    date_hierarchy = "verified"
    list_select_related = ("tool",)
    readonly_fields = ("slug", "retired", "met", "created", "updated", "view_on_site_link")
    filter_horizontal = ("related", "releases")
    inlines = INLINES

    @admin.display(boolean=True, description="retired")
    def is_retired(self, guide: models.Guide) -> bool:
        return guide.retired is not None

    @admin.display(description="page")
    def view_on_site_link(self, guide: models.Guide) -> str:
        return format_html('<a href="{}">{}</a>', guide.get_absolute_url(), guide.get_absolute_url())

    def has_add_permission(self, request: HttpRequest) -> bool:
        """New guides are content files."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Guides are retired by removing their file, never deleted."""
        return False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """After the parts: their words stand in the page and in the index."""
        super().save_related(request, form, formsets, change)
        guide = models.Guide.objects.get(pk=form.instance.pk)
        guide.updated = timezone.now()
        guide.save(update_fields=["updated", "meaning_html", "why_html"])
        guide.compose()
        guide.compose_neighbours()
        index(guide)


@admin.register(models.Tool)
class ToolAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tools, with the words that give them away in a text."""

    formfield_overrides = HTTPS
    list_display = ("name", "slug", "homepage")
    search_fields = ("name", "slug")


@admin.register(models.UnmatchedError)
class UnmatchedErrorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What people pasted and nothing fits: what to write next. Redacted and masked before it came here."""

    list_display = ("form_start", "count", "first_seen", "last_seen", "fingerprint")
    search_fields = ("normal_form", "fingerprint")
    ordering = ("-count", "-last_seen")
    readonly_fields = ("fingerprint", "normal_form", "count", "first_seen", "last_seen")

    @admin.display(description="text")
    def form_start(self, row: models.UnmatchedError) -> str:
        return row.normal_form[:120]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
