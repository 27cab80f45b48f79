"""The address of the book."""

from django.urls import path

from kb.audit import views

urlpatterns = [path("audit/", views.audit, name="audit")]
