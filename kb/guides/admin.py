"""The library in Django's admin: guides to look things up, tools with their releases to edit."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import URLField
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.guides import models
from kb.guides.loading import hold

# An address that is typed without a scheme is taken as https.
HTTPS: dict[Any, Any] = {URLField: {"assume_scheme": "https"}}


class ReadOnly:
    """What a guide's source text holds is edited there alone: rows and text never drift apart."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PartInline(ReadOnly, admin.StackedInline):  # type: ignore[type-arg]
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


class Lines(forms.CharField):
    """A list of texts, one on a line."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(data) != (initial or []))


@admin.register(models.Guide)
class GuideAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Guides as they are served, with the ways to edit one."""

    list_display = ("title", "slug", "tool", "category", "hop", "verified", "met", "is_retired")
    list_filter = ("tool", "category", "hop", "retired")
    search_fields = ("title", "slug", "summary")
    date_hierarchy = "verified"
    list_select_related = ("tool",)
    readonly_fields = ("ways", "created", "updated", "met")
    inlines = INLINES

    @admin.display(boolean=True, description="retired")
    def is_retired(self, guide: models.Guide) -> bool:
        return guide.retired is not None

    @admin.display(description="pages")
    def ways(self, guide: models.Guide) -> SafeString:
        """Its page, its editor, its history."""
        where = [guide.tool.slug, guide.slug]
        return format_html(
            '<a href="{}">Page</a> · <a href="{}">Edit</a> · <a href="{}">History</a>',
            guide.get_absolute_url(),
            reverse("guide_edit", args=where),
            reverse("guide_history", args=where),
        )


class ReleaseForms(BaseInlineFormSet):  # type: ignore[type-arg]
    """Releases of one tool; one that guides speak of stays."""

    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and form.instance.guides.exists():
                raise forms.ValidationError(f"Guides speak of {form.instance}: it can't be deleted.")


class ReleaseInline(admin.TabularInline):  # type: ignore[type-arg]
    """A tool's releases, the oldest first."""

    model = models.Release
    formset = ReleaseForms
    extra = 1


class ToolForm(forms.ModelForm):  # type: ignore[type-arg]
    """A tool, with its marks as people write lists."""

    marks = Lines(help_text="Words that show that a text speaks of this tool, such as litellm; one on a line")


@admin.register(models.Tool)
class ToolAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tools with their releases, and the words that give them away in a text.

    A tool that has a tool.toml is written there: the next load brings that in again.
    """

    form = ToolForm
    fields = ("slug", "name", "summary", "homepage", "source", "marks")
    formfield_overrides = HTTPS
    list_display = ("name", "slug", "homepage", "ways")
    search_fields = ("name", "slug")
    inlines = (ReleaseInline,)

    @admin.display(description="guides")
    def ways(self, tool: models.Tool) -> SafeString:
        """Where a guide of it is begun."""
        return format_html('<a href="{}">New guide</a>', reverse("guide_new", args=[tool.slug]))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The slug stands in every address of its guides."""
        return ("slug",) if obj else ()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Its name stands on its guides' pages, which are composed anew."""
        tool = form.instance
        with transaction.atomic():
            hold(tool, tool.guides.all())  # in the order in which all who publish lock, beside reports
            super().save_related(request, form, formsets, change)
            for guide in tool.guides.order_by("pk"):
                guide.compose()


@admin.register(models.UnmatchedError)
class UnmatchedErrorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What people pasted and nothing fits: what to write next. Redacted and masked before it came here."""

    list_display = ("form_start", "count", "first_seen", "last_seen", "fingerprint", "ways")
    search_fields = ("normal_form", "fingerprint")
    ordering = ("-count", "-last_seen")
    readonly_fields = ("fingerprint", "normal_form", "count", "first_seen", "last_seen")

    @admin.display(description="text")
    def form_start(self, row: models.UnmatchedError) -> str:
        return row.normal_form[:120]

    @admin.display(description="guide")
    def ways(self, row: models.UnmatchedError) -> SafeString:
        """Where it is looked at among the others, and a guide of it is begun."""
        return format_html('<a href="{}?q={}">Write this guide</a>', reverse("unmatched"), row.fingerprint)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
