"""What people pasted and nothing fits, as editors meet it: what is missing most, and the way to write it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kb.guides import matching
from kb.guides.models import Guide, Tool, UnmatchedError
from kb.guides.naming import NoSuch, no_such
from kb.guides.similar import Near, near
from kb.team.access import only
from kb.team.roles import WRITE

PAGE = 25


@dataclass(frozen=True, slots=True)
class Missing:
    """A text by its fingerprint; `now` is the guide that recognises it since it was pasted.

    `names` are errors that it speaks of and that no release has.
    """

    row: UnmatchedError
    now: Guide | None
    near: list[Near]
    names: list[NoSuch]


@only(WRITE)
@require_safe
def unmatched(request: HttpRequest) -> HttpResponse:
    """Texts by fingerprint, those first that were pasted most; `q` asks for words or a fingerprint."""
    asked = request.GET.get("q", "").replace("\0", " ").strip()[:200]
    rows = UnmatchedError.objects.order_by("-count", "-last_seen", "pk")
    if asked:
        word = "fingerprint__startswith" if asked.startswith("v1:") else "normal_form__icontains"
        rows = rows.filter(**{word: asked.lower()})
    shown = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": shown,
        "rows": missing(list(shown)),
        "q": asked,
        "kept": urlencode({"q": asked}) if asked else "",
        "tools": Tool.objects.all(),
    }
    return render(request, "team/unmatched.html", context)


def missing(rows: list[UnmatchedError]) -> list[Missing]:
    """Each row with the guide that would recognise it today, or with what comes near."""
    edition = matching.edition()
    judging = matching.matcher(edition)
    winners = {row.pk: judging.match(row.normal_form).matches for row in rows}
    names = {matches[0].guide for matches in winners.values() if matches}
    slugs = {name.partition("/")[2] for name in names}
    guides = Guide.objects.published().select_related("tool").filter(slug__in=slugs)
    named = {matching.name_of(guide): guide for guide in guides}
    tools = list(Tool.objects.order_by("slug"))
    found = []
    for row in rows:
        matches = winners[row.pk]
        alike = [] if matches else near(row.normal_form, edition, matching.published)[:1]
        now = named.get(matches[0].guide) if matches else None
        found.append(Missing(row, now, alike, no_such(row.normal_form, tools)))
    return found
