"""Who may see the team's pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

View = Callable[..., HttpResponse]


def only(right: str = "") -> Callable[[View], View]:
    """Shows a view to who has the right, or to everybody who is signed in; kept and indexed by nobody."""

    def guarded(view: View) -> View:
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if right and not request.user.has_perm(right):
                raise PermissionDenied
            response = view(request, *args, **kwargs)
            response["X-Robots-Tag"] = "noindex"
            return response

        return answer

    return guarded


def member(request: HttpRequest) -> User:
    """Who asks: `only` lets nobody else come here."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user
