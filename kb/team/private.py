"""Private mode: strangers see the way in, the health pages and static files, and nothing else."""

from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import Resolver404, resolve, reverse
from django_htmx.middleware import HtmxDetails

from kb.web.middleware import AWAY
from kb.web.turned_away import answered_by
from kb.web.views import unavailable


class Private(LoginRequiredMiddleware):
    """Django's own rule, `login_not_required` and all, asked before anything else looks at a request.

    So it holds for addresses that don't exist, too. No answer may be kept by anybody.
    """

    def __call__(self, request: HttpRequest) -> Any:
        if not settings.CULPRIT_PRIVATE:
            return self.get_response(request)
        response: Any
        try:
            response = self.refusal(request) or self.get_response(request)
            if response.status_code == 404 and not request.user.is_authenticated:
                response = way_in(request)  # the page that says so would name guides
        except AWAY:
            response = unavailable(request)
        response["Cache-Control"] = "private, no-store"
        response["X-Robots-Tag"] = "noindex"
        return response

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        """Nothing more: `__call__` has asked already."""

    def refusal(self, request: HttpRequest) -> HttpResponseBase | None:
        """What a stranger gets instead of this page, or None if it may be seen."""
        try:
            view = resolve(request.path_info).func
        except Resolver404:
            view = None
        if view is not None and not getattr(view, "login_required", True):
            return None
        if request.user.is_authenticated or answered_by(view, request):
            return None
        return way_in(request)


def way_in(request: HttpRequest) -> HttpResponse:
    """To the sign-in."""
    return sent_to(request, reverse(settings.LOGIN_URL), "Sign in first.", 401)


def sent_to(request: HttpRequest, page: str, words: str, status: int) -> HttpResponse:
    """Leads to `page`, and from there back here, in the way that a browser, htmx or a program can follow."""
    if request.headers.get("HX-Request") == "true":
        back = HtmxDetails(request).current_url_abs_path or "/"
        return HttpResponse(status=204, headers={"HX-Redirect": redirect_to_login(back, page)["Location"]})
    asked = f"{request.headers.get('Accept', '')} {request.content_type or ''}"
    bearer = request.headers.get("Authorization", "").lower().startswith("bearer ")
    if ("json" in asked or bearer) and "text/html" not in asked:
        return JsonResponse({"error": words, "sign_in": request.build_absolute_uri(page)}, status=status)
    back = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
    return redirect_to_login(back, page)
