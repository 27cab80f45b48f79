"""Signing in: Django's own view, with a limit on tries, and a way on that fits who signed in."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from kb.web.throttle import address, seconds_to_wait

TRIES = 10  # a minute, from one address and for one user name


class SignInForm(AuthenticationForm):
    """User name and password; the password is never shown back."""

    error_messages = {
        "invalid_login": "This user name and password don't belong together, or the account is switched off.",
        "inactive": "This account is switched off. Ask whoever runs this site.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].error_messages["required"] = "Give your user name."
        self.fields["password"].error_messages["required"] = "Give your password."


class SignIn(LoginView):
    """`/sign-in/`; the admin's own sign-in leads here too. `next` may name a page of this site alone."""

    template_name = "sign_in.html"
    authentication_form = SignInForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Counts each try, whether it succeeds or not."""
        name = request.POST.get("username", "").strip().casefold()[:150]
        waits = (
            seconds_to_wait("sign-in", address(request), TRIES),
            seconds_to_wait("sign-in as", name, TRIES),
        )
        return self.too_many(max(waits)) if any(waits) else super().post(request, *args, **kwargs)

    def too_many(self, wait: int) -> HttpResponse:
        """The form with the user name kept, and how long to wait."""
        form = SignInForm(self.request, initial={"username": self.request.POST.get("username", "")})
        context = self.get_context_data(form=form, wait=wait)
        return self.render_to_response(context, status=429, headers={"Retry-After": str(wait)})

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        """422: a page that is shown is not always a success."""
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def get_default_redirect_url(self) -> str:
        """Reviewers go to the queue, others to the front page."""
        return reverse("review" if self.request.user.has_perm("evidence.decide") else "home")
