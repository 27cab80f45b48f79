"""The addresses of reports and of their review."""

from django.urls import URLPattern, path

from kb.evidence import listing, review, views

urlpatterns: list[URLPattern] = [
    path("errors/<slug:tool>/<slug:slug>/report/", views.report, name="report"),
    path("report/", views.report_unknown, name="report_unknown"),
    path("reports/<slug:id>/", views.receipt, name="receipt"),
    path("reports/drafts/<slug:id>/", views.draft, name="draft"),
    path("errors/<slug:tool>/<slug:slug>/reports/", listing.reports, name="reports"),
    path("review/", review.review, name="review"),
    path("review/<slug:id>/", review.review_report, name="review_report"),
]
