"""The addresses of reports and of their review."""

from django.urls import URLPattern, path

from kb.evidence import listing

urlpatterns: list[URLPattern] = [
    path("errors/<slug:tool>/<slug:slug>/reports/", listing.reports, name="reports"),
]
