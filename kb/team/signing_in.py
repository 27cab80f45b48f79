"""`/sign-in/` and `/sign-out/`: allauth's own, with this site's words."""

from typing import Any

from allauth.account.forms import LoginForm
from allauth.account.views import LoginView, logout
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from kb.team.accounts import LOCKED

REST = 300  # seconds after which the wrong tries of a user name are forgotten


class SignInForm(LoginForm):
    """User name and password; the password is never shown back."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].error_messages["required"] = "Give your user name."
        self.fields["password"].error_messages["required"] = "Give your password."


class SignIn(LoginView):
    """`next` may name a page of this site alone."""

    template_name = "sign_in.html"
    form_class = SignInForm

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        """422, or 429 once there were too many wrong tries: a page that is shown is not always a success."""
        locked = LOCKED in form.non_field_errors()
        headers = {"Retry-After": str(REST)} if locked else None
        context = self.get_context_data(form=form)
        answer: HttpResponse = self.render_to_response(
            context, status=429 if locked else 422, headers=headers
        )
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given: dict[str, Any] = super().get_context_data(**kwargs)
        company = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        return given | {"company": company, "private": settings.CULPRIT_PRIVATE}


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session."""
    answer: HttpResponse = logout(request)
    return answer
