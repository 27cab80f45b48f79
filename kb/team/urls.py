"""The addresses of the team's room."""

from django.urls import URLPattern, path

from kb.team import notes

urlpatterns: list[URLPattern] = [
    path("errors/<slug:tool>/<slug:slug>/note/", notes.note, name="note"),
    path("notes/", notes.notes, name="notes"),
    path("due/", notes.due_page, name="due"),
]
