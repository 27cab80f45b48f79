"""People in the admin: administrators make accounts, give roles, and answer for what is kept of people."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from kb.audit.book import record
from kb.team.models import Token
from kb.team.person import erase, of_person, page_of
from kb.team.roles import Role
from kb.team.tokens import revoke

admin.site.unregister(User)
admin.site.unregister(Group)

MAY = {
    Role.READER: "read",
    Role.REPORTER: "report, on a private site too",
    Role.REVIEWER: "decide on reports",
    Role.EDITOR: "write guides and notes",
    Role.ADMINISTRATOR: "use this admin",
}
ROLES = "; ".join(f"{role.label} {words}" for role, words in MAY.items())
ROLES += ". Each may do what the ones before it may: one role is enough."


@admin.register(Group)
class Roles(GroupAdmin):
    """The roles, with what each may do; other groups are the team's own."""

    list_display = ("name", "may", "people")

    @admin.display(description="may")
    def may(self, group: Group) -> str:
        said = {role.label: words for role, words in MAY.items()}
        return said.get(group.name, "what its rights say")

    @admin.display(description="people")
    def people(self, group: Group) -> int:
        return group.user_set.count()


@admin.register(User)
class People(UserAdmin):  # type: ignore[type-arg]
    """Accounts. Only a superuser makes superusers, or touches one."""

    actions = ("export_data", "erase_people", "remove_second_factors", "end_sessions")
    list_display = ("username", "first_name", "last_name", "is_active", "last_login")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ("last_login", "date_joined")
        return fixed if request.user.is_superuser else (*fixed, "is_superuser", "user_permissions")

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Groups are called what they are here."""
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "groups":
            field.label, field.help_text = "Roles", ROLES
        return field

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Accounts end by erasing, which says what stays."""
        return False

    @admin.action(description="Download what is kept of one person")
    def export_data(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        if people.count() != 1:
            self.message_user(request, "Choose one person: a file is about one.", messages.ERROR)
            return None
        self.note(request, "person.downloaded", people.get())
        answer = JsonResponse(of_person(people.get()), json_dumps_params={"indent": 2, "ensure_ascii": False})
        answer["Content-Disposition"] = 'attachment; filename="culprit-person.json"'
        return answer

    @admin.action(description="Erase accounts; what they wrote stays, without a name")
    def erase_people(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        allowed = self.allowed(request, people)
        if allowed and request.POST.get("sure") != "yes":
            return render(
                request, "admin/erase.html", {**self.admin_site.each_context(request), "people": allowed}
            )
        for user in allowed:
            with transaction.atomic():
                record("person.erased", request.user, f"user {user.pk}")
                erase(user)
            self.message_user(request, f"{user.get_username()} is erased.")
        return None

    @admin.action(description="Remove second factors, of somebody who lost theirs")
    def remove_second_factors(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for user in self.allowed(request, people):
            Authenticator.objects.filter(user=user).delete()
            self.note(request, "person.factors_removed", user)
            self.message_user(request, f"{user.get_username()} has no second factor now.")

    @admin.action(description="End all sessions")
    def end_sessions(self, request: HttpRequest, people: QuerySet[User]) -> None:
        for user in self.allowed(request, people):
            for session in UserSession.objects.filter(user=user):
                session.end()
            self.note(request, "person.sessions_ended", user)
            self.message_user(request, f"{user.get_username()} is signed in nowhere now.")

    def note(self, request: HttpRequest, what: str, user: User) -> None:
        """A line in the book, named as the admin's own lines on people are."""
        record(what, request.user, f"user {user}", page_of(user))

    def allowed(self, request: HttpRequest, people: QuerySet[User]) -> list[User]:
        """Those whom this administrator may touch; of the others it is said."""
        for user in people:
            if not may_touch(request, user):
                self.message_user(
                    request, f"{user} is a superuser: only a superuser may do that.", messages.ERROR
                )
        return [user for user in people if may_touch(request, user)]


@admin.register(Token)
class Tokens(admin.ModelAdmin):  # type: ignore[type-arg]
    """Tokens for scripts: seen and revoked here, made by nobody but their owners."""

    actions = ("revoke_tokens",)
    list_display = ("name", "owner", "created", "expires", "last_used", "revoked")
    list_filter = ("expires", "revoked")
    search_fields = ("name", "owner__username")
    list_select_related = ("owner",)
    fields = ("owner", "name", "created", "expires", "last_used", "revoked")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Revoke")
    def revoke_tokens(self, request: HttpRequest, chosen: QuerySet[Token]) -> None:
        with transaction.atomic():
            count = sum(revoke(token, request.user) for token in chosen.select_related("owner"))
        self.message_user(request, f"{count} token{'' if count == 1 else 's'} revoked.")


def may_touch(request: HttpRequest, user: User | None) -> bool:
    """Superusers touch everybody, administrators everybody else."""
    return request.user.is_superuser or user is None or not user.is_superuser
