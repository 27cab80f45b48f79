"""The team's own room: who they are, what they may do, and what they write."""

from typing import Any

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.core.management import call_command
from django.db.models.signals import post_migrate


class Team(AppConfig):
    default = True
    name = "kb.team"
    verbose_name = "Team"

    def ready(self) -> None:
        post_migrate.connect(make_roles, sender=self)
        post_migrate.connect(make_counters, sender=self)
        from kb.audit.book import forget
        from kb.notices.tasks import swept
        from kb.team import watching

        watching.connect()
        swept.connect(give_reminders, dispatch_uid="reminders")
        swept.connect(forget, dispatch_uid="audit retention")
        swept.connect(count_anew, dispatch_uid="coverage")


class Administration(admin.AdminConfig):
    """Stands for django.contrib.admin: the same, for administrators alone."""

    default = False
    default_site = "kb.team.site.Site"


def give_reminders(**kwargs: Any) -> None:
    """Beside the worker's sweep, so that an instance with a worker needs no cron."""
    from django.utils import timezone

    from kb.team.due import remind

    remind(timezone.localdate())


def count_anew(**kwargs: Any) -> None:
    """Beside the worker's sweep, what was published or retired in the browser; a load counts its own."""
    from kb.guides.coverage import renew

    renew()


def make_counters(using: str, **kwargs: Any) -> None:
    """The table in which tries at passwords are counted, if the cache has one."""
    call_command("createcachetable", database=using, verbosity=0)


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
