"""The book in the admin: to be read, never written."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from kb.audit.models import Entry


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lines of the book."""

    list_display = ("at", "who", "what", "about")
    list_filter = ("what",)
    search_fields = ("who", "about")
    date_hierarchy = "at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
