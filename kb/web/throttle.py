"""Counts what one address asks for, so that nobody takes the site from the others."""

import time
from hashlib import sha256

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def throttle(request: HttpRequest, what: str, per_minute: int, everyone: bool = False) -> HttpResponse | None:
    """The 429 page once an address, or everyone together, asked more often in this minute, else None."""
    minute, second = divmod(int(time.time()), 60)
    who = "everyone" if everyone else request.META.get("REMOTE_ADDR", "")
    key = "throttle:" + sha256(f"{what}:{who}:{minute}".encode()).hexdigest()
    cache.add(key, 0, timeout=120)
    if cache.incr(key) <= per_minute:
        return None
    wait = 60 - second
    response = render(request, "429.html", {"wait": wait}, status=429)
    response["Retry-After"] = str(wait)
    return response
