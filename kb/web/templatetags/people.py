"""Who is signed in, for the header of every page."""

from typing import Any

from django import template
from django.conf import settings
from django.db import Error

register = template.Library()
LINKS = {"reviews": "evidence.decide", "writes": "guides.write", "administers": "team.administer"}


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
