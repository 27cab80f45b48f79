"""Reports in the admin: to look up, and to delete where one holds somebody's data. Decisions: /review/."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from kb.evidence import models
from kb.evidence.moderation import publish

# All but `form`, which only tells one sending from another.
SHOWN = (
    *("guide", "tool", "state", "revision", "created", "by", "story", "text", "removed", "fingerprint"),
    *("version", "deployment", "pods", "store", "cache", "fits", "fix", "helped", "link"),
)


class ReadOnly(admin.options.BaseModelAdmin):  # type: ignore[type-arg]
    """Nothing is added or changed here."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DecisionInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """A report's history; it goes with its report alone."""

    model = models.Decision
    extra = 0
    fields = ("revision", "before", "after", "reason", "by", "at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(models.EvidenceReport)
class EvidenceReportAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Reports and their decisions. Their state belongs to the review page."""

    list_display = ("__str__", "state", "version", "deployment", "created", "by")
    list_filter = ("state", "tool", "deployment", "fits", "helped")
    list_select_related = ("guide", "tool", "by")
    search_fields = ("story", "text", "fingerprint", "version")
    date_hierarchy = "created"
    fields = readonly_fields = SHOWN
    inlines = [DecisionInline]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rejecting hides a report; to delete one is for those who run the site."""
        return bool(request.user.is_active and request.user.is_superuser)

    def delete_model(self, request: HttpRequest, obj: models.EvidenceReport) -> None:
        """It leaves its guide's page as well."""
        with transaction.atomic():
            obj.delete()
            publish([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[models.EvidenceReport]) -> None:
        """The same for many."""
        with transaction.atomic():
            reports = list(queryset)
            queryset.delete()
            publish(reports)


@admin.register(models.Draft)
class DraftAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Unfinished reports: that there are some, and a way to delete them. What they say is their writer's."""

    list_display = ("saved", "expires", "guide")
    list_display_links = None
    list_select_related = ("guide",)
    fields = ("guide", "saved", "expires")
