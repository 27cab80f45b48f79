"""Writes down what happens to accounts: who was refused and locked out, second factors, changed passwords.

No password and no code comes here. A user name that is nobody's may be a password typed into the wrong
field: it is never written down. Refusals are counted by account and hour, so that a flood of them can't fill
the book.
"""

from typing import Any

from allauth.account.signals import password_changed, password_set
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as codes
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from allauth.mfa.webauthn import forms as passkeys
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed

from kb.audit.book import record, tally
from kb.team.person import page_of

REFUSED, WRONG_CODE, LOCKED = "session.refused", "session.wrong_code", "session.locked_out"
NOBODY = "a user name that is nobody's"
FACTORS = {
    Authenticator.Type.TOTP: "authenticator app",
    Authenticator.Type.WEBAUTHN: "passkey",
    Authenticator.Type.RECOVERY_CODES: "recovery codes",
}
# What allauth's checks say of a code or a passkey.
WORDS = {"incorrect_code": WRONG_CODE, "too_many_login_attempts": LOCKED, "rate_limited": LOCKED}


def connect() -> None:
    """Called once, when the site starts."""
    user_login_failed.connect(refused, dispatch_uid="book of refusals")
    password_changed.connect(password, dispatch_uid="book of passwords")
    password_set.connect(password, dispatch_uid="book of first passwords")
    authenticator_added.connect(factor_added, dispatch_uid="book of factors added")
    authenticator_reset.connect(factor_added, dispatch_uid="book of factors made anew")
    authenticator_removed.connect(factor_removed, dispatch_uid="book of factors removed")


def count(what: str, user: User | None, nobody: str = NOBODY) -> None:
    """One more refusal, of an account or of what is nobody's."""
    tally(what, f"user {user}" if user else nobody, page_of(user) if user else "")


def named(name: Any) -> User | None:
    """Whose user name it is."""
    return User.objects.filter(username__iexact=str(name or "")).first()


def refused(credentials: dict[str, Any], **kwargs: Any) -> None:
    """A password that isn't the account's."""
    count(REFUSED, named(credentials.get("username")))


def locked_out(name: Any) -> None:
    """A try that came after too many."""
    count(LOCKED, named(name))


def password(user: User, **kwargs: Any) -> None:
    """Somebody changed their own password."""
    record("password.changed", user, "own account", page_of(user))


def factor_added(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Somebody set up a second factor, or made new recovery codes."""
    record("factor.added", user, FACTORS[Authenticator.Type(authenticator.type)], page_of(user))


def factor_removed(user: User, authenticator: Authenticator, **kwargs: Any) -> None:
    """Somebody removed one of their own."""
    record("factor.removed", user, FACTORS[Authenticator.Type(authenticator.type)], page_of(user))


class Counted:
    """A form for a code or a passkey: what it refuses is counted."""

    user: User | None
    errors: Any

    def full_clean(self) -> None:
        super().full_clean()  # type: ignore[misc]
        said = {error.code for errors in self.errors.as_data().values() for error in errors}
        for what in {WORDS[code] for code in said if code in WORDS}:
            count(what, self.user, "a passkey that is nobody's")


class CodeForm(Counted, codes.AuthenticateForm):  # type: ignore[misc]
    """At sign-in."""


class ConfirmingCodeForm(Counted, codes.ReauthenticateForm):  # type: ignore[misc]
    """Before something that matters."""


class Read(Counted):
    """A passkey's answer that makes no sense is a wrong one."""

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise get_adapter().validation_error("incorrect_code") from error


class PasskeyForm(Read, passkeys.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """At sign-in, after the password."""


class ConfirmingPasskeyForm(Read, passkeys.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Before something that matters."""


class PasskeyAloneForm(Read, passkeys.LoginWebAuthnForm):  # type: ignore[misc]
    """At sign-in, in place of a password."""
