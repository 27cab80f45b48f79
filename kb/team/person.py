"""What the site keeps of a person: all of it as JSON, and the way to forget it.

What somebody wrote is found through the relations that lead to their account, so that this room needs to know
no other one.
"""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core import serializers
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse

from kb.audit.models import Entry
from kb.notices.models import Delivery

# Rooms whose rows are what people wrote or did. Secrets are kept in none of them.
ROOMS = {"evidence", "guides", "team", "audit", "notices"}
NAMING = ("decided by", "Owner")  # facts of a notice that name somebody


def of_person(user: User) -> dict[str, Any]:
    """{"account": …, "sessions": […], "evidence.decision.by": [{"pk", "fields"}], …}, without a secret."""
    return {
        "account": {
            "user_name": user.get_username(),
            "first_name": user.first_name,
            "last_name": user.last_name,
            "email": user.email,
            "joined": user.date_joined,
            "last_sign_in": user.last_login,
            "groups": sorted(user.groups.values_list("name", flat=True)),
            "from_identity_provider": SocialAccount.objects.filter(user=user).exists(),
        },
        "second_factors": list(
            Authenticator.objects.filter(user=user).values("type", "created_at", "last_used_at")
        ),
        "sessions": [
            {"began": row.created_at, "address": row.ip, "browser": row.user_agent}
            for row in sessions_of(user)
        ],
    } | {
        name: [
            {"pk": row["pk"], "fields": shown(row["fields"])} for row in serializers.serialize("python", rows)
        ]
        for name, rows in written_by(user)
    }


def shown(fields: dict[str, Any]) -> dict[str, Any]:
    """A row's fields without what tokens are checked with."""
    return {name: value for name, value in fields.items() if name != "digest"}


def written_by(user: User) -> Iterator[tuple[str, models.QuerySet[Any]]]:
    """(`evidence.decision.by`, rows) for each relation through which a room's rows name this person."""
    for relation in User._meta.get_fields(include_hidden=True):
        if not isinstance(relation, models.ManyToOneRel):
            continue
        model, field = relation.related_model, relation.field
        if model._meta.app_label in ROOMS:
            yield (
                f"{model._meta.label_lower}.{field.name}",
                model._default_manager.filter(**{field.name: user}),
            )


def sessions_of(user: User) -> list[UserSession]:
    """Where the person is signed in, the newest first; what has ended by itself is forgotten."""
    found: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(found, key=lambda row: row.created_at, reverse=True)


def page_of(user: User) -> str:
    """Where the admin shows an account."""
    return reverse("admin:auth_user_change", args=[user.pk])


def forget_name(user: User) -> None:
    """Blanks the name where words hold it: in the book, in the admin's own log, in notices."""
    book = Entry.objects.filter(
        Q(path__startswith=page_of(user).removesuffix("change/")) | Q(about=f"user {user}")
    )
    book.update(about=f"user {user.pk}")
    log = LogEntry.objects.filter(content_type__app_label="auth", content_type__model="user")
    log.filter(object_id=str(user.pk)).update(object_repr="")
    names = {user.get_username(), user.get_full_name()} - {""}
    for delivery in Delivery.objects.only("facts").iterator():
        facts = [[key, "" if key in NAMING and said in names else said] for key, said in delivery.facts]
        if facts != delivery.facts:
            Delivery.objects.filter(pk=delivery.pk).update(facts=[pair for pair in facts if pair[1]])


@transaction.atomic
def erase(user: User) -> None:
    """Deletes the account and ends its sessions. What it wrote stays, without a name."""
    forget_name(user)
    for session in UserSession.objects.filter(user=user):
        session.end()
    for name, rows in written_by(user):
        if name == "audit.entry.by":
            rows.update(who="")
    user.delete()
