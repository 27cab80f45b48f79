"""Sends a page, or the fragment of it that htmx asked for."""

from collections.abc import Callable
from functools import wraps
from pathlib import PurePosixPath
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control, patch_vary_headers

View = TypeVar("View", bound=Callable[..., Any])


def page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """`guides/match.html`, or `guides/_match.html` beside it for htmx; it varies by HX-Request."""
    asked = request.headers.get("HX-Request") == "true"
    whole = not asked or request.headers.get("HX-Boosted") == "true"
    path = PurePosixPath(template)
    name = template if whole else str(path.with_name(f"_{path.name}"))
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def wants_json(request: HttpRequest) -> bool:
    """Whether a program asks, which reads JSON rather than a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def trouble(request: HttpRequest, status: int, words: str, **context: Any) -> HttpResponse:
    """The page for a status, `words` alone to a program; it needs no database and is not kept."""
    if wants_json(request):
        response: HttpResponse = JsonResponse({"error": words}, status=status)
    else:
        response = render(request, f"{status}.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def for_programs(*methods: str) -> Callable[[View], View]:
    """Says which methods of a view a script may use with its owner's token (kb.team.tokens)."""

    def marked(view: View) -> View:
        view.for_programs = frozenset(methods)  # type: ignore[attr-defined]
        return view

    return marked


def public(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Says that anybody may see the view's page, and that it is checked before it is used again.

    Who has a session gets a page with their name on it: that one is theirs alone. Scripts may read it too.
    """

    @for_programs("GET", "HEAD")
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == 200:
            own = settings.SESSION_COOKIE_NAME in request.COOKIES
            patch_cache_control(response, no_cache=True, **{"private" if own else "public": True})
        return response

    return answer
