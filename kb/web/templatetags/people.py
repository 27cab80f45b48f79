"""Who is signed in, for the header of every page."""

import re
from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.contrib.auth.models import User
from django.db import Error
from django.db.models import Q

register = template.Library()
REPORT = "evidence.add_evidencereport"
REPORTING = re.compile(r"<!--report-->.*?<!--/report-->", re.DOTALL)
NAMED = 4  # administrators whom a page names
LINKS = {"reviews": "evidence.decide", "writes": "guides.write", "administers": "team.administer"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who a page is for: on a private site strangers get no ways into it, and not everybody may report."""

    private: bool = False
    stranger: bool = False
    may_report: bool = True


@register.simple_tag(takes_context=True)
def for_whom(context: template.Context) -> Reader:
    """The reader of this page. On a public site nobody is looked up: all read the same."""
    if not settings.CULPRIT_PRIVATE:
        return Reader()
    user = getattr(context.get("request"), "user", None)
    try:
        if user is None or not user.is_authenticated:
            return Reader(True, True, False)
        return Reader(True, False, user.has_perm(REPORT))
    except Error:
        return Reader(True, True, False)


@register.filter
def reporting_left_out(html: str) -> str:
    """A page without what leads to the report form."""
    return REPORTING.sub("", html)


@register.inclusion_tag("_who_may_report.html")
def who_may_report() -> dict[str, list[str]]:
    """Whom to ask for the role, by their names."""
    right = Q(is_superuser=True) | Q(groups__permissions__codename="administer")
    people = User.objects.filter(right, is_active=True).distinct().order_by("last_name", "username")
    return {"administrators": [user.get_full_name() or user.get_username() for user in people[:NAMED]]}


@register.inclusion_tag("_signed_in.html", takes_context=True)
def signed_in(context: template.Context) -> dict[str, Any]:
    """The line with a signed-in reader's name; nothing for everybody else.

    The session is left alone where there is no cookie of one, so that pages of readers don't vary. Where
    the database is away nobody is signed in: the page that says so needs none.
    """
    request = context.get("request")
    if request is None or settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return {}
    try:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return {}
        may = {name: user.has_perm(right) for name, right in LINKS.items()}
    except Error:
        return {}
    return {"reader": user.get_username(), "request": request, **may}
