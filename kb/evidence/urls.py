"""The addresses of reports and of their review."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
