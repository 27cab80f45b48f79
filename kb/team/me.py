"""A person's own page: role, sessions, second factor, password, what is kept of them, and the end of it."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.views import password_change
from allauth.mfa.base.views import IndexView
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from kb.audit.book import record
from kb.team.accounts import roles_of
from kb.team.browsers import in_words
from kb.team.models import Token
from kb.team.person import erase, of_person, sessions_of
from kb.team.second_factor import is_strong


@never_cache
@login_required
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Who I am here, and where I am signed in."""
    user = person(request)
    kinds = Authenticator.objects.filter(user=user).values_list("type", flat=True)
    context = {
        "roles": roles_of(user),
        "sessions": [(row, in_words(row.user_agent)) for row in sessions_of(user)],
        "here": request.session.session_key,
        "has_app": Authenticator.Type.TOTP in kinds,
        "passkeys": list(kinds).count(Authenticator.Type.WEBAUTHN),
        "tokens": sum(token.works for token in Token.objects.filter(owner=user)),
        "from_company": user.socialaccount_set.exists(),
    }
    return render(request, "team/me.html", context)


def person(request: HttpRequest) -> Any:
    """Who asks: `login_required` lets nobody else come here."""
    return request.user


@never_cache
@login_required
@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one of my sessions, at once."""
    session = get_object_or_404(UserSession, pk=pk, user=person(request))
    here = session.session_key == request.session.session_key
    session.end()
    if here:
        logout(request)
        return redirect("sign_in")
    record("session.ended", person(request), "another of their own")
    messages.success(request, "The session has ended.")
    return redirect("me")


@never_cache
@login_required
@require_POST
def end_others(request: HttpRequest) -> HttpResponse:
    """Ends all my sessions but this one."""
    others = [row for row in sessions_of(person(request)) if row.session_key != request.session.session_key]
    for session in others:
        session.end()
    if others:
        record("session.ended", person(request), "all others of their own", number=len(others))
    count = "1 other session has" if len(others) == 1 else f"{len(others)} other sessions have"
    messages.success(request, f"{count} ended.")
    return redirect("me")


class SecondFactor(IndexView):
    """My second factors, and whether I need one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().get_context_data(**kwargs)
        return given | {"needed": settings.CULPRIT_SECOND_FACTOR and is_strong(self.request.user)}


second_factor = never_cache(SecondFactor.as_view())


@login_required
def password(request: HttpRequest) -> HttpResponseBase:
    """Changes my password, if I have one here."""
    if not person(request).has_usable_password():
        raise Http404("This account has no password here.")
    answer: HttpResponseBase = password_change(request)
    return answer


@never_cache
@login_required
@require_safe
def export(request: HttpRequest) -> JsonResponse:
    """All that is kept of me, as a file."""
    answer = JsonResponse(of_person(person(request)), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = 'attachment; filename="culprit-my-data.json"'
    return answer


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required
def erase_me(request: HttpRequest) -> HttpResponse:
    """Says what it means; posted with my user name, ends my account."""
    user = person(request)
    if request.method != "POST":
        return render(request, "team/erase.html")
    if request.POST.get("name", "").strip() != user.get_username():
        wrong = f"This is not your user name. To go on, type {user.get_username()} exactly."
        return render(request, "team/erase.html", {"wrong": wrong}, status=422)
    with transaction.atomic():
        logout(request)
        erase(user)
        record("person.erased", None, "own account")
    return render(request, "team/erased.html")
