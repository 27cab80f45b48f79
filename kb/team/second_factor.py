"""Where it is asked for: who may write, decide or administer sets up a second factor before anything else."""

from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve, reverse

from kb.team.private import sent_to
from kb.team.roles import ADMINISTER, DECIDE, WRITE
from kb.web.middleware import AWAY
from kb.web.views import unavailable

STRONG = (WRITE, DECIDE, ADMINISTER)
# Pages that stay open until then: those that it takes to set one up, or to leave.
OPEN = {
    "me", "me_end_session", "me_end_others", "sign_in", "sign_out",
    "account_reauthenticate", "account_change_password",
    "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn", "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
}  # fmt: skip


class SecondFactor:
    """Leads such a person to the set-up from every other page, as long as CULPRIT_SECOND_FACTOR is on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not settings.CULPRIT_SECOND_FACTOR or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        try:
            if not is_open(request) and lacks_factor(request):
                return sent_to(request, reverse("mfa_index"), "Set up a second factor first.", 403)
        except AWAY:
            return unavailable(request)
        return self.get_response(request)


def is_open(request: HttpRequest) -> bool:
    """Is this page among those that a second factor is set up with?"""
    try:
        return resolve(request.path_info).view_name in OPEN
    except Resolver404:
        return False


def lacks_factor(request: HttpRequest) -> bool:
    """Has this person strong rights, no second factor, and not come from the identity provider?"""
    user = request.user
    if not user.is_authenticated or not is_strong(user):
        return False
    came = get_authentication_records(request, user)
    return not any(way["method"] == "socialaccount" for way in came) and not is_mfa_enabled(user)


def is_strong(user: Any) -> bool:
    """May this person change what others read, or what they may do?"""
    return any(user.has_perm(right) for right in STRONG)
