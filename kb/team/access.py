"""Who may see the team's pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from kb.web.turned_away import answers_strangers, trusted

View = Callable[..., HttpResponse]
Back = Callable[[HttpRequest], HttpResponse | None]


def only(right: str = "", back: Back | None = None) -> Callable[[View], View]:
    """Shows a view to who has the right, or to everybody who is signed in; kept and indexed by nobody.

    `back` answers a form that isn't taken, with the words that were typed; None where there were none.
    """

    def guarded(view: View) -> View:
        @never_cache
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            returned = turned_away(request, right, back) if back and request.method == "POST" else None
            if returned:
                return returned
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if right and not request.user.has_perm(right):
                raise PermissionDenied
            response = view(request, *args, **kwargs)
            response["X-Robots-Tag"] = "noindex"
            return response

        return answers_strangers(csrf_exempt(answer)) if back else answer

    return guarded


def turned_away(request: HttpRequest, right: str, back: Back) -> HttpResponse | None:
    """The words of who may not send this form, or whose form isn't trusted; None if the form is taken."""
    may = request.user.is_authenticated and (not right or request.user.has_perm(right))
    if may and trusted(request):
        return None
    returned = back(request)
    if may and not returned:
        raise PermissionDenied
    return returned


def member(request: HttpRequest) -> User:
    """Who asks: `only` lets nobody else come here."""
    assert isinstance(request.user, User)  # noqa: S101
    return request.user
