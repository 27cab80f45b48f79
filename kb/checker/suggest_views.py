"""The page that shows what the team's language model suggests for a text that nothing fits."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from kb.checker.suggesting import Suggestion
from kb.checker.suggesting import suggest as ask
from kb.guides import matching
from kb.guides.forms import MatchForm
from kb.web.middleware import AWAY
from kb.web.throttle import may_come_back, throttle

PER_MINUTE = 6  # of one address
OF_ALL = 30  # of everyone together: each costs the team money
GIVEN_BACK = 120  # of one address: refused texts that are given back


@csrf_exempt  # like the paste box: it acts on nobody's behalf, and changes nothing
@never_cache
@sensitive_post_parameters()
@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    """Sends a text, redacted, because somebody pressed the button that says so."""
    if settings.CULPRIT_LLM is None or request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Http404
    refused = throttle(request, "suggest", PER_MINUTE) or throttle(request, "suggest", OF_ALL, everyone=True)
    if refused and not may_come_back(request, "suggest", GIVEN_BACK):
        return refused
    form = MatchForm(request.POST)
    if refused:
        return too_many(request, form, refused["Retry-After"])
    if not form.is_valid():
        return shown(request, form, Suggestion(trouble=" ".join(map(str, form.errors["text"]))), 422)
    try:
        if matching.judge(form.redacted).answer.matches:
            words = "A guide recognises this text: paste it, and nobody has to be asked."
            return shown(request, form, Suggestion(trouble=words), 422)
        return shown(request, form, ask(form.redacted))
    except AWAY:
        return shown(request, form, Suggestion(trouble="The library can't be reached. Try again."), 503)


def too_many(request: HttpRequest, form: MatchForm, wait: str) -> HttpResponse:
    """429, with the text as it was typed; nobody was asked."""
    words = f"The model was asked as often as it may be in this minute: ask again in {wait} seconds."
    response = shown(request, form, Suggestion(trouble=words), 429)
    response["Retry-After"] = wait
    return response


def shown(request: HttpRequest, form: MatchForm, suggestion: Suggestion, status: int = 200) -> HttpResponse:
    """The suggestion above the text."""
    context = {"form": form, "suggestion": suggestion, "llm": settings.CULPRIT_LLM}
    return render(request, "checker/suggestion.html", context, status=status)
