"""Forms of who may not send them: nothing is saved, and what was typed comes back.

Views that give words back check the form's token themselves. Strangers can send such forms too, so what one
address may cost is bounded before anything of it is read.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render

from kb.web.throttle import throttle

MOST_SENT = (
    832_000  # bytes: a browser sends a letter outside of ASCII as three times those of the largest guide
)
PER_MINUTE = 20
View = TypeVar("View", bound=Callable[..., Any])
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Check(CsrfViewMiddleware):
    """Django's own check of a form's token, whose answer is left to the view."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(reason, status=403)


def trusted(request: HttpRequest) -> bool:
    """Whether the form was sent from a page of this site, for whoever is signed in now."""
    check = Check(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, lambda *_: HttpResponse(), (), {}) is None


def unread(request: HttpRequest) -> HttpResponse | None:
    """The answer to a form that isn't looked at, since it is too large or one of too many; else None."""
    refused = throttle(request, "turned away", per_minute=PER_MINUTE)
    if refused:
        return refused
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_SENT:
        return render(request, "not_read.html", status=413)
    return None


def answers_strangers(view: View) -> View:
    """Says that the view itself answers strangers' forms on a private site, without a word of the site."""
    view.answers_strangers = True  # type: ignore[attr-defined]
    return view


def answered_by(view: Any, request: HttpRequest) -> bool:
    """Whether the view answers this stranger: with a form that a browser sent, where it gives words back."""
    typed = request.method == "POST" and request.content_type in FORMS
    program = "json" in request.headers.get("Accept", "") or "HX-Request" in request.headers
    return typed and not program and getattr(view, "answers_strangers", False)


def given_back(request: HttpRequest, fields: Mapping[str, str], words: Mapping[str, str]) -> HttpResponse:
    """403 with what was typed, free of secrets already, to be sent again or copied.

    `words` names the fields that are shown, with their labels: all that a stranger could put into a form in
    somebody else's name must be seen before it is sent on.
    """
    shown = [(name, label, fields[name]) for name, label in words.items() if fields.get(name)]
    carried = {name: value for name, value in fields.items() if name not in words}
    context = {"shown": shown, "carried": carried, "signed_in": request.user.is_authenticated}
    response = render(request, "given_back.html", context, status=403)
    response["X-Robots-Tag"] = "noindex"
    return response
