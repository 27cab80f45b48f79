"""What allauth asks of this site about accounts: who may sign in, what they may do, what they are told."""

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from kb.audit.book import record
from kb.team.person import page_of
from kb.team.roles import ADMINISTER, DECIDE, Role
from kb.team.watching import locked_out
from kb.web.throttle import address

LOCKED = (
    "Too many wrong tries: at most five in five minutes for one user name, and ten in a minute from one"
    " address. Wait five minutes, then try again. Your password was not looked at."
)
UNKNOWN = "This user name and password don't belong together, or the account is switched off."
# What allauth tells, in this site's words; what is missing here needs no word.
SAID = {
    "account/messages/password_changed.txt": "Your password is changed. All your other sessions have ended.",
    "mfa/messages/totp_activated.txt": "The authenticator app is set up.",
    "mfa/messages/totp_deactivated.txt": "The authenticator app is removed.",
    "mfa/messages/webauthn_added.txt": "The passkey is added.",
    "mfa/messages/webauthn_removed.txt": "The passkey is removed.",
    "mfa/messages/recovery_codes_generated.txt": "Here are new recovery codes. They are shown once.",
}


class Backend(AuthenticationBackend):
    """Passwords and rights. Administrators have every right, so that they can work in the admin."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        mine: bool = super().has_perm(user_obj, perm, obj)
        return mine or bool(super().has_perm(user_obj, ADMINISTER))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        mine: bool = super().has_module_perms(user_obj, app_label)
        return mine or bool(super().has_perm(user_obj, ADMINISTER))


class AccountAdapter(DefaultAccountAdapter):
    """Nobody makes an account with a password for themselves; administrators do."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": LOCKED,
        "username_password_mismatch": UNKNOWN,
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your password.",
        "rate_limited": "Too many wrong codes. Wait five minutes, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuses who tried too often, and writes that down."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            locked_out(credentials.get("username"))
            raise

    def pre_login(self, request: HttpRequest, user: Any, **given: Any) -> HttpResponse | None:
        """Whom the identity provider sends has the roles that it says, from now on."""
        refused: HttpResponse | None = super().pre_login(request, user, **given)
        login = (given["signal_kwargs"] or {}).get("sociallogin")
        if login is not None and refused is None:
            give_roles(user, login.roles)
        return refused

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Reviewers go to the queue, others to the front page."""
        return reverse("review" if request.user.has_perm(DECIDE) else "home")

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("me")

    def get_client_ip(self, request: HttpRequest) -> str:
        """As the rest of the site counts; a socket without addresses is nobody's."""
        return address(request) or "::"

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        words = message or SAID.get(message_template or "")
        if words:
            messages.add_message(request, level, words, extra_tags=extra_tags)


class FactorAdapter(DefaultMFAAdapter):
    """Second factors. Their secrets are kept encrypted with a key that follows from SECRET_KEY."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "This code is wrong or was used already. Wait for the next one."
    }

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Of another SECRET_KEY's time: a secret that fits no code, so an administrator must remove it."""
        try:
            return cipher().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(hashlib.sha256(encrypted_text.encode()).digest()[:20]).decode()

    def get_totp_label(self, user: Any) -> str:
        return str(user.get_username())

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        return "Passkey"


def cipher() -> Fernet:
    """Made of the site's secret."""
    digest = hashlib.sha256(b"second factors:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


@transaction.atomic
def give_roles(user: User, roles: set[Role]) -> None:
    """Makes the person's roles exactly these, or that of a reader; groups that are no roles stay.

    It is the identity provider's deed, so the book names nobody as who did it.
    """
    names = {role.label for role in roles or {Role.READER}}
    before = {role.label for role in roles_of(user)}
    user.groups.remove(*user.groups.filter(name__in=set(Role.labels) - names))
    user.groups.add(*Group.objects.filter(name__in=names))
    user.is_staff = Role.ADMINISTRATOR in roles
    user.save(update_fields=["is_staff"])
    if names != before:
        given = {"before": ", ".join(sorted(before)), "after": ", ".join(sorted(names))}
        record("person.roles", None, f"user {user}", page_of(user), **given)
    for cache in ("_perm_cache", "_user_perm_cache", "_group_perm_cache"):
        user.__dict__.pop(cache, None)


def roles_of(user: User) -> list[Role]:
    """The roles that a person has, from the fewest rights to the most."""
    names = set(user.groups.values_list("name", flat=True))
    return [role for role in Role if role.label in names]
