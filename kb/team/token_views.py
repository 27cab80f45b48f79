"""`/me/tokens/`: a person's tokens for scripts."""

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from kb.diagnosis.text import harmless, redact
from kb.team import tokens
from kb.team.access import member
from kb.team.models import Token

MOST = 20  # that one person may have at a time
DAYS = ((30, "30 days"), (90, "90 days"), (365, "One year"))
FULL = f"You have {MOST} tokens: revoke one that you don't use first."


class TokenForm(forms.Form):
    """What a token is for, and how long it is good."""

    name = forms.CharField(
        max_length=60, error_messages={"required": "Say what it is for, so that you know it again."}
    )
    days = forms.TypedChoiceField(
        choices=DAYS, coerce=int, initial=90, error_messages={"invalid_choice": "Choose one of the list."}
    )

    def clean_name(self) -> str:
        """One line, free of secrets."""
        name: str = redact(" ".join(harmless(self.cleaned_data["name"]).split())).text
        if not name:
            raise forms.ValidationError("Say what it is for, so that you know it again.")
        return name[:60]


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required
def my_tokens(request: HttpRequest) -> HttpResponse:
    """Lists mine; posted, makes one and shows it, this once."""
    user = member(request)
    form = TokenForm(request.POST if request.method == "POST" else None)
    secret = ""
    if form.is_bound and form.is_valid():
        secret = made(user, form)
    context = {
        "tokens": Token.objects.filter(owner=user),
        "form": TokenForm() if secret else form,
        "secret": secret,
        "fresh": form.cleaned_data["name"] if secret else "",
    }
    return render(request, "team/tokens.html", context, status=422 if form.errors else 200)


def made(user: User, form: TokenForm) -> str:
    """The secret of a new token; nothing, and a word on the form, for who has too many."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if sum(token.works for token in Token.objects.filter(owner=user)) >= MOST:
            form.add_error(None, FULL)
            return ""
        return tokens.make(user, form.cleaned_data["name"], form.cleaned_data["days"])[1]


@never_cache
@login_required
@require_POST
def revoke_mine(request: HttpRequest, pk: int) -> HttpResponse:
    """Ends one of my tokens, at once."""
    token = get_object_or_404(Token.objects.select_related("owner"), pk=pk, owner=member(request))
    with transaction.atomic():
        tokens.revoke(token, request.user)
    messages.success(request, f"The token “{token.name}” is revoked.")
    return redirect("me_tokens")
