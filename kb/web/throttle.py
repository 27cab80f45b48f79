"""Counts what one address asks for, so that nobody takes the site from the others."""

import time

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def throttle(request: HttpRequest, what: str, per_minute: int) -> HttpResponse | None:
    """The 429 page once an address asked more than `per_minute` times in this minute, else None."""
    minute, second = divmod(int(time.time()), 60)
    key = f"throttle:{what}:{request.META.get('REMOTE_ADDR', '')}:{minute}"
    cache.add(key, 0, timeout=120)
    if cache.incr(key) <= per_minute:
        return None
    wait = 60 - second
    response = render(request, "429.html", {"wait": wait}, status=429)
    response["Retry-After"] = str(wait)
    return response
