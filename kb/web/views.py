"""Pages that belong to no app: health, and what is said when something is wrong."""

from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """The process answers and reaches its database."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (Error, OSError):
        return HttpResponse("database away\n", content_type="text/plain", status=503)
    return HttpResponse("ok\n", content_type="text/plain")


def failure(request: HttpRequest, status: int) -> HttpResponse:
    """The page for a status; it needs no database."""
    response = render(request, f"{status}.html", status=status)
    response["Cache-Control"] = "no-store"
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: the request itself makes no sense."""
    return failure(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    """403: also what the CSRF check answers."""
    return failure(request, 403)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our fault, without a trace."""
    return failure(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: the database is away."""
    response = failure(request, 503)
    response["Retry-After"] = "10"
    return response
