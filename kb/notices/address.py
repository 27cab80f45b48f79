"""Where a notice may go: mail addresses, and web addresses that the guard lets through. It sends nothing."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from kb.probes.dial import look_up
from kb.probes.target import Policy, Refused, Target, vet

_URL = re.compile(r"(https?://[^/?#]+)([/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?", re.ASCII | re.IGNORECASE)
_SHOWN = 4  # characters of a secret path that tell two addresses apart
_LONG_ENOUGH = 20  # a path of fewer characters isn't shown at all


@dataclass(frozen=True, slots=True)
class Door:
    """A web address that may be called: the vetted target, and the path on it, which may be a secret."""

    target: Target
    path: str


def is_url(address: str) -> bool:
    """Whether an address leads into the web, and so may be a secret."""
    return "://" in address


def shown(address: str) -> str:
    """The address as people may see it; of a web address the host and the last characters alone."""
    if not is_url(address):
        return address
    found = _URL.fullmatch(address)
    if found is None or "@" in found[1]:
        return "…"
    rest = found[2] or ""
    return f"{found[1]}/…" + (rest[-_SHOWN:] if len(rest) >= _LONG_ENOUGH else "")


def check_mail(address: str) -> None:
    """Raises ValidationError where no mail can be sent to `address`, or none at all."""
    if not settings.EMAIL_HOST:
        raise ValidationError(
            "This instance sends no e-mail yet: set EMAIL_URL and EMAIL_FROM, then restart it."
        )
    if is_url(address):
        raise ValidationError("This is a web address: give an e-mail address, or choose another kind.")
    validate_email(address)


def door(address: str) -> Door | Refused:
    """Decide whether a web address may be called now, and at which IP addresses."""
    found = _URL.fullmatch(address)
    if found is None:
        return Refused(
            "Give the whole address, such as https://hooks.example.com/services/…, "
            "without spaces and without anything from # on.",
            "target",
        )
    origin, rest = found[1], found[2] or "/"
    if "@" in origin:
        return Refused("Leave user name and password out of the address.", "target")
    policy: Policy = settings.CULPRIT_WEBHOOKS
    if not origin.lower().startswith("https:"):
        policy = Policy(policy.allowed, public=False, setting=policy.setting)
    target = vet(origin, policy, look_up)
    if isinstance(target, Target):
        return Door(target, rest if rest.startswith("/") else f"/{rest}")
    return target if target.hop == "name" else Refused(_with_advice(target.why, origin), "target")


def _with_advice(why: str, origin: str) -> str:
    """What to do, where the guard's own words don't say it."""
    if settings.CULPRIT_WEBHOOKS.setting in why:
        plain = "Give an https:// address. " if origin.lower().startswith("http:") else ""
        return f"{plain}{why}"
    return f"{why} An administrator lists what it may call in {settings.CULPRIT_WEBHOOKS.setting}."


def check_url(address: str) -> None:
    """Raises ValidationError where the address may not be called, with what to do."""
    if not is_url(address):
        raise ValidationError("Give a web address that begins with https://.")
    found = door(address)
    if isinstance(found, Refused):
        raise ValidationError(found.why)
