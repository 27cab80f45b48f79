"""The checker's addresses."""

from django.urls import path

from kb.checker import suggest_views, views

urlpatterns = [
    path("check/", views.check, name="check"),
    path("match/suggest/", suggest_views.suggest, name="suggest"),
    path("check/models/", views.models, name="check_models"),
    path("check/runs/<slug:id>/", views.check_run, name="check_run"),
    path("check/runs/<slug:id>/delete/", views.delete_run, name="check_run_delete"),
]
