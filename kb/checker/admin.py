"""The targets that the checker may call, and a look at the runs."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from kb.checker import models


@admin.register(models.Target)
class TargetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Proxies the checker may call; deny by default, so each stands here or in CULPRIT_TARGETS."""

    list_display = ("name", "url", "networks")
    search_fields = ("name", "host")


@admin.register(models.CheckRun)
class CheckRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Runs until they expire; to be read or deleted."""

    list_display = ("id", "created", "expires", "target", "status", "cause")

    @admin.display
    def target(self, run: models.CheckRun) -> str:
        return str(run.diagnosis["target"])

    @admin.display
    def status(self, run: models.CheckRun) -> str:
        return str(run.diagnosis["verdict"]["status"])

    @admin.display
    def cause(self, run: models.CheckRun) -> str:
        return str(run.diagnosis["verdict"]["cause"])

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
