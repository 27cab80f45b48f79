"""Forms of who may not send them: nothing is saved, and what was typed comes back.

Views that give words back check the form's token themselves. Strangers can send such forms too, so what one
address may cost is bounded before anything of it is read.
"""

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render

from kb.team.editing import MOST_BYTES
from kb.web.throttle import throttle

MOST_SENT = 3 * MOST_BYTES + 64_000  # a browser sends a letter outside of ASCII as three times its bytes
PER_MINUTE = 20


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
        return render(request, "team/not_read.html", status=413)
    return None
