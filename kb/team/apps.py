"""The team's own room: who they are, what they may do, and what they write."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class Team(AppConfig):
    name = "kb.team"
    verbose_name = "Team"

    def ready(self) -> None:
        post_migrate.connect(make_roles, sender=self)


def make_roles(using: str, **kwargs: Any) -> None:
    """The groups that roles are; an administrator may give them other rights later, which stay."""
    from django.apps import apps
    from django.contrib.auth.management import create_permissions
    from django.contrib.auth.models import Group, Permission

    from kb.team.roles import RIGHTS

    for label in ("evidence", "guides", "team"):
        create_permissions(apps.get_app_config(label), using=using, verbosity=0)
    for role, rights in RIGHTS.items():
        group, made = Group.objects.using(using).get_or_create(name=role.label)
        if not made:
            continue
        for right in rights:
            app, codename = right.split(".")
            found = Permission.objects.using(using).get(content_type__app_label=app, codename=codename)
            group.permissions.add(found)
