"""The public list of a guide's accepted reports, filtered by what stands in the URL."""

from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from kb.evidence.models import Fits, Helped, ReportQuerySet
from kb.evidence.summary import by_release
from kb.guides.models import Guide
from kb.web.pages import page, public

PAGE = 20
UNSAID = "-"  # stands in the URL for reports that name no version
OUTCOMES = {
    "same": ("As the guide says", Q(fits=Fits.SAME)),
    "different": ("Differently", Q(fits=Fits.DIFFERENT)),
    "helped": ("A fix helped", Q(helped=Helped.YES)),
    "failed": ("A fix didn't help", Q(helped=Helped.NO)),
}


class ListForm(forms.Form):
    """The filters of a guide's reports; `versions` are those that its reports name."""

    version = forms.ChoiceField(required=False)
    outcome = forms.ChoiceField(required=False)

    def __init__(self, data: Any, versions: list[str]) -> None:
        super().__init__(data)
        named = sorted(filter(None, versions), key=by_release, reverse=True)
        rows = [(version, version) for version in named]
        if "" in versions:
            rows.append((UNSAID, "Not said"))
        outcomes = [(word, title) for word, (title, _) in OUTCOMES.items()]
        self.fields["version"].choices = [("", "Any"), *rows]  # type: ignore[attr-defined]
        self.fields["outcome"].choices = [("", "Any"), *outcomes]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.error_messages["invalid_choice"] = (
                f"No report here has the {name} “%(value)s”. Choose one from the list."
            )


@require_safe
@public
def reports(request: HttpRequest, tool: str, slug: str) -> HttpResponse:
    """Accepted reports on a guide, newest first. Nothing else is ever shown here."""
    guides = Guide.objects.select_related("tool").only("slug", "title", "tool__slug", "tool__name")
    guide = get_object_or_404(guides, tool__slug=tool, slug=slug)
    accepted = guide.reports.accepted()
    form = ListForm(request.GET, list(accepted.order_by().values_list("version", flat=True).distinct()))
    valid = form.is_valid()
    found = filtered(accepted, form.cleaned_data) if valid else accepted.none()
    rows = found.with_fix().order_by("-created", "pk")
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "guide": guide,
        "form": form,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "kept": kept.urlencode(),
    }
    return page(request, "evidence/reports.html", context, status=200 if valid else 400)


def filtered(reports: ReportQuerySet, filters: dict[str, str]) -> ReportQuerySet:
    """Those that pass every filter that is set."""
    if filters["version"]:
        reports = reports.filter(version="" if filters["version"] == UNSAID else filters["version"])
    return reports.filter(OUTCOMES[filters["outcome"]][1]) if filters["outcome"] else reports
