"""Tokens for scripts: made by a person, shown once, kept as a hash, good for reading and pasting alone.

A request with a token is its owner's, who is looked up each time: what they may not read any more, no token
of theirs reads. Which views take tokens, the views say themselves (`kb.web.pages.for_programs`).
"""

import hashlib
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from kb.audit.book import record, tally
from kb.team.models import Token
from kb.team.person import page_of
from kb.web.middleware import AWAY
from kb.web.views import unavailable

PREFIX = "culprit_"
REFUSED = "This token is unknown, expired or revoked. Make a new one under My account."
NOT_HERE = "A token reads pages and posts to /match/, nothing else. Sign in for this page."


def digest(secret: str) -> str:
    """What is kept of a token: of 256 random bits a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make(owner: User, name: str, days: int) -> tuple[Token, str]:
    """A new token and its secret, which nobody sees again."""
    secret = PREFIX + secrets.token_urlsafe(32)
    expires = timezone.now() + timedelta(days=days)
    token = Token.objects.create(owner=owner, name=name, digest=digest(secret), expires=expires)
    record("token.made", owner, f"user {owner}", page_of(owner), token=name, days=days)
    return token, secret


def revoke(token: Token, by: Any) -> bool:
    """Ends a token at once; False if it had been revoked before."""
    if not Token.objects.filter(pk=token.pk, revoked=None).update(revoked=timezone.now()):
        return False
    record("token.revoked", by, f"user {token.owner}", page_of(token.owner), token=token.name)
    return True


def carried(request: HttpRequest) -> str:
    """The token that a request brings, or nothing. Others' bearers, of a proxy in front, are not ours."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and secret.startswith(PREFIX) else ""


def owner_of(secret: str) -> User | None:
    """Whose valid token it is; it was used today. Of a dead one, somebody's, the book counts the tries."""
    token = Token.objects.select_related("owner").filter(digest=digest(secret)).first()
    if token is None:
        return None
    if not token.works or not token.owner.is_active:
        tally("token.refused", f"user {token.owner}", page_of(token.owner))
        return None
    today = timezone.localdate()
    if token.last_used != today:
        Token.objects.filter(pk=token.pk).update(last_used=today)
    return token.owner


class Bearer:
    """Lets a script in where its token is good; nobody is signed in by it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        secret = carried(request)
        if not secret:
            return self.get_response(request)
        try:
            response = self.answer(request, secret)
        except AWAY:
            response = unavailable(request)
        response["Cache-Control"] = "private, no-store"
        patch_vary_headers(response, ["Authorization"])
        return response

    def answer(self, request: HttpRequest, secret: str) -> HttpResponseBase:
        """401 for a token that isn't good, 403 where no token leads, else the page as its owner reads it."""
        owner = owner_of(secret)
        if owner is None:
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return JsonResponse({"error": REFUSED}, status=401, headers=challenge)
        if not takes_tokens(request):
            return JsonResponse({"error": NOT_HERE}, status=403)
        request.user = owner
        return self.get_response(request)


def takes_tokens(request: HttpRequest) -> bool:
    """Whether the view said so for this method. Of an address that doesn't exist the site says that."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return request.method in ("GET", "HEAD")
    return request.method in getattr(view, "for_programs", ())
