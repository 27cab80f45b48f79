"""What editors, reviewers and administrators did, and what happened to accounts.

Lines are added, never changed; refused sign-ins alone are counted, one line an hour for each account.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class Entry(models.Model):
    """One deed: who, when, what, about what. `details` holds names and short values, never a secret."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="deeds"
    )
    who = models.CharField(max_length=150, blank=True, help_text="The name at that time")
    what = models.CharField(max_length=60, db_index=True, help_text="Such as guide.published")
    about = models.CharField(max_length=200, blank=True)
    path = models.CharField(max_length=300, blank=True, help_text="The page that shows it")
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.who or 'nobody'}: {self.what} {self.about}".strip()
