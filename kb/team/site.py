"""Django's admin, for administrators alone; its sign-in is the site's own."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from kb.team.roles import ADMINISTER

WHO_SOMEBODY_IS = ("account", "mfa", "sessions", "socialaccount", "usersessions")


class Site(admin.AdminSite):
    """`is_staff` opens nothing here: the right to administer does."""

    site_header = site_title = "Culprit"
    index_title = "Administration"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """All that apps bring along but who somebody is: sessions, second factors and ties to the provider.

        Who could write those could become anybody. What may be done with them are actions on people.
        """
        one = isinstance(model_or_iterable, ModelBase)
        given: list[Any] = [model_or_iterable] if one else list(model_or_iterable)
        shown = [model for model in given if model._meta.app_label not in WHO_SOMEBODY_IS]
        super().register(shown, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.has_perm(ADMINISTER)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Where everybody signs in, with its limits and second factors."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Where everybody changes their own: wrong tries are counted there, and the book is told."""
        return redirect("account_change_password")
