"""The provider's addresses: OAuth and OIDC, a sign-in, and the tests' own door to its people."""

import json

from django.contrib.auth import authenticate, login
from django.contrib.auth.models import Group, User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.urls import include, path
from django.utils.html import format_html
from django.views.decorators.csrf import csrf_exempt

FORM = """<!doctype html><html lang="en"><title>Company sign-in</title><h1>Company sign-in</h1>
<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{}">
<label>Name <input name="username"></label> <label>Password <input name="password" type="password"></label>
<button>Let me in</button></form></html>"""


def sign_in(request: HttpRequest) -> HttpResponse:
    """The company's own way in."""
    if request.method == "POST":
        user = authenticate(request, username=request.POST["username"], password=request.POST["password"])
        if user is None:
            return HttpResponse("No.", status=403)
        login(request, user)
        return HttpResponseRedirect(request.GET["next"])
    return HttpResponse(format_html(FORM, get_token(request)))


@csrf_exempt
def people(request: HttpRequest) -> HttpResponse:
    """Makes a person, or changes their groups and address."""
    given = json.loads(request.body)
    user, _ = User.objects.get_or_create(username=given["name"])
    user.set_password(given["password"])
    user.email = given["email"]
    user.save()
    user.groups.set([Group.objects.get_or_create(name=name)[0] for name in given["groups"]])
    return HttpResponse("ok")


urlpatterns = [
    path("login/", sign_in),
    path("people/", people),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
