"""Deeds that others already tell of: those in Django's admin, and sign-ins."""

from typing import Any

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import post_save

from kb.audit.book import record

WORDS = {ADDITION: "admin.added", CHANGE: "admin.changed", DELETION: "admin.deleted"}


def connect() -> None:
    """Called once, when the site starts."""
    post_save.connect(administered, sender=LogEntry, dispatch_uid="audit admin")
    user_logged_in.connect(signed_in, dispatch_uid="audit sign-in")
    user_logged_out.connect(signed_out, dispatch_uid="audit sign-out")


def administered(instance: LogEntry, created: bool, **kwargs: Any) -> None:
    """A line of the admin's own log: which fields changed, without their values."""
    if created:
        kind = instance.content_type.name if instance.content_type else ""
        about = f"{kind} {instance.object_repr}".strip()
        path = instance.get_admin_url() or ""
        record(WORDS[instance.action_flag], instance.user, about, path, change=instance.get_change_message())


def signed_in(user: Any, **kwargs: Any) -> None:
    """Somebody signed in."""
    record("session.began", user, "")


def signed_out(user: Any, **kwargs: Any) -> None:
    """Somebody signed out."""
    if user is not None:
        record("session.ended", user, "")
