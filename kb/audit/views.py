"""The page of the book, for administrators, and the same as CSV."""

import csv
from collections.abc import Iterator

from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from kb.audit.models import Entry
from kb.web.pages import page

PAGE = 100
HEAD = ("at", "who", "what", "about", "path", "details")
# A cell that begins with one of these is a formula to a spreadsheet.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@never_cache
@login_required
@permission_required("team.administer", raise_exception=True)
@require_safe
def audit(request: HttpRequest) -> HttpResponseBase:
    """Who did what, the newest first; `who`, `what` and `q` filter, `format=csv` downloads."""
    entries = filtered(request)
    if request.GET.get("format") == "csv":
        answer = StreamingHttpResponse(lines(entries), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return answer
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "page": Paginator(entries, PAGE).get_page(request.GET.get("page")),
        "kept": kept.urlencode(),
        "words": Entry.objects.order_by("what").values_list("what", flat=True).distinct(),
        "asked": {name: request.GET.get(name, "") for name in ("who", "what", "q")},
    }
    response: HttpResponse = page(request, "audit/audit.html", context)
    return response


def filtered(request: HttpRequest) -> QuerySet[Entry]:
    """The lines that the address asks for."""
    entries = Entry.objects.all()
    for name, field in {"who": "who__iexact", "what": "what", "q": "about__icontains"}.items():
        value = request.GET.get(name, "").replace("\0", "").strip()
        if value:
            entries = entries.filter(**{field: value})
    return entries


class Echo:
    """Hands every line that csv writes straight back."""

    def write(self, line: str) -> str:
        return line


def lines(entries: QuerySet[Entry]) -> Iterator[str]:
    """The lines of a CSV file, whose cells no spreadsheet takes for a formula."""
    writer = csv.writer(Echo())
    yield writer.writerow(HEAD)
    for entry in entries.iterator(chunk_size=500):
        details = "; ".join(f"{name}: {value}" for name, value in entry.details.items())
        row = (entry.at.isoformat(), entry.who, entry.what, entry.about, entry.path, details)
        yield writer.writerow([harmless_cell(cell) for cell in row])


def harmless_cell(text: str) -> str:
    """A text with a quote before it where it would be a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
