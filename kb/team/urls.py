"""The addresses of the team's room."""

from django.urls import URLPattern, path

from kb.team import draft_views, edit_views, history_views, notes, unmatched_views

urlpatterns: list[URLPattern] = [
    path("errors/<slug:tool>/<slug:slug>/note/", notes.note, name="note"),
    path("notes/", notes.notes, name="notes"),
    path("due/", notes.due_page, name="due"),
    path("errors/<slug:tool>/<slug:slug>/edit/", edit_views.guide_edit, name="guide_edit"),
    path("errors/<slug:tool>/<slug:slug>/history/", history_views.guide_history, name="guide_history"),
    path("errors/<slug:tool>/<slug:slug>/retire/", history_views.guide_retire, name="guide_retire"),
    path("tools/<slug:tool>/new/", edit_views.guide_new, name="guide_new"),
    path("unmatched/", unmatched_views.unmatched, name="unmatched"),
    path("drafts/", draft_views.drafts, name="drafts"),
    path("drafts/<int:pk>/", draft_views.draft, name="guide_draft"),
    path("drafts/<int:pk>/edit/", edit_views.draft_edit, name="draft_edit"),
]
