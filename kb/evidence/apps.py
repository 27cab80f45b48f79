"""The app's name, and the group whose members may review."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Evidence(AppConfig):
    name = "kb.evidence"
    verbose_name = "Evidence"

    def ready(self) -> None:
        post_migrate.connect(make_reviewers, sender=self)


def make_reviewers(using: str, **kwargs: Any) -> None:
    """The group Reviewers, with the right to decide on reports."""
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    create_permissions(kwargs["app_config"], using=using, verbosity=0)
    right = Permission.objects.using(using).get(codename="decide", content_type__app_label="evidence")
    group, made = Group.objects.using(using).get_or_create(name="Reviewers")
    if made:
        group.permissions.add(right)
