"""Pages that belong to no app: health, and what is said when something is wrong."""

from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb.web.pages import trouble


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process answers and reaches its database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (Error, OSError):
        return HttpResponse("database away\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request itself makes no sense."""
    return trouble(request, 400, "The address, a header or the body is malformed or too large.")


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """403: also what the CSRF check answers."""
    return trouble(request, 403, "Not allowed as you are signed in, or the form's token is missing or old.")


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault, without a trace."""
    return trouble(request, 500, "Something broke on this site. It is in the log of whoever runs it.")


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: the database is away."""
    response = trouble(request, 503, "The database does not answer. Wait ten seconds and ask again.")
    response["Retry-After"] = "10"
    return response
