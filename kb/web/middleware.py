"""What stands around every view."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from kb.web.pages import trouble
from kb.web.views import healthz, readyz, unavailable

log = logging.getLogger(__name__)
HEALTH = {"/healthz": healthz, "/readyz": readyz}
AWAY = (OperationalError, InterfaceError)  # what Django raises while the database can't be reached


class Health:
    """Answers for the site's health whatever it is called: orchestrators ask by address, over HTTP."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return HEALTH.get(request.path_info, self.get_response)(request)


class NotThatWay:
    """Says what an address takes where it was asked in another way: Django's own 405 is empty."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        allowed = response["Allow"]
        response = trouble(
            request, 405, f"{request.method} is not taken here, only {allowed}.", allowed=allowed
        )
        response["Allow"] = allowed
        return response


class DatabaseAway:
    """Answers with the 503 page, and a line in the log, while the database can't be reached."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Only what says that the database is away; a wrong query is a bug and stays a 500."""
        if not isinstance(error, AWAY):
            return None
        log.error("The database is away: %s", type(error).__name__)
        return unavailable(request)
