"""Counts what one address asks for, so that nobody takes the site from the others."""

import time
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse

from kb.web.pages import trouble

MINUTE, HOUR = 60, 3600


def throttle(request: HttpRequest, what: str, per_minute: int, everyone: bool = False) -> HttpResponse | None:
    """The 429 page once an address, or everyone together, asked more often in this minute, else None."""
    who = "everyone" if everyone else address(request)
    wait = seconds_to_wait(what, who, per_minute)
    if not wait:
        return None
    response = trouble(
        request, 429, f"Too many requests. Wait {wait} seconds, then send it again.", wait=wait
    )
    response["Retry-After"] = str(wait)
    return response


def may_come_back(request: HttpRequest, what: str, per_minute: int) -> bool:
    """Whether what was refused is still read so far that it can be given back: as often again, not more."""
    return not seconds_to_wait(f"{what}, given back", address(request), per_minute)


def address(request: HttpRequest) -> str:
    """Who asks, as far as the site can tell without a cookie; the one place that decides it.

    Each proxy adds to the end of X-Forwarded-For who called it. What proxies of one's own added is believed;
    what stands before that is the reader's own word. Where they added none, the last proxy's address counts.
    """
    nearest = plain(str(request.META.get("REMOTE_ADDR", "")))
    proxies: int = settings.CULPRIT_PROXIES
    told = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    if not 0 < proxies <= len(told):
        return nearest
    return plain(told[-proxies]) or nearest


def plain(told: str) -> str:
    """The IP address alone, of what may have brackets or a port; nothing where it is no IP address.

    Of IPv6 the first address of its /64: no subscriber has less (RFC 6177).
    """
    host = told.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        found = ip_address(host)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        found = IPv6Address(int(found) >> 64 << 64)
    return str(found)


def seconds_to_wait(what: str, who: str, most: int, window: int = MINUTE) -> int:
    """Counts one more `what` of `who` in this window: 0 up to `most`, then how long it still lasts."""
    number, passed = divmod(int(time.time()), window)
    key = "throttle:" + sha256(f"{what}:{who}:{window}:{number}".encode()).hexdigest()
    cache = caches["process"]
    cache.add(key, 0, timeout=2 * window)
    try:
        count = cache.incr(key)
    except ValueError:  # a full cache has just dropped it
        return 0
    return 0 if count <= most else window - passed
