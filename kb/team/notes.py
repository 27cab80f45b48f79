"""The team's notes: one on each guide, all of them in a list, and the guides that are due."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from kb.audit.book import record
from kb.guides.models import Guide, GuideQuerySet, Tool
from kb.team import due
from kb.team.access import member, only
from kb.team.models import Note
from kb.team.note_forms import NoteForm, NotesForm, freed, without_headings
from kb.team.roles import WRITE
from kb.web.markdown import render as rendered
from kb.web.templatetags.words import removed
from kb.web.turned_away import given_back, unread

PAGE = 25
SHOWN = {"words": "What your team knows of it", "runbook": "Runbook", "proxies": "Which of our proxies"}


class Newer(Exception):
    """Somebody else saved the note since it was read; `note` is what it says now."""

    def __init__(self, note: Note) -> None:
        super().__init__(str(note))
        self.note = note


@sensitive_variables()
def note_back(request: HttpRequest) -> HttpResponse | None:
    """What somebody typed who may not save it."""
    refused = unread(request)
    if refused:
        return refused
    fields = freed(request.POST)[0]
    return given_back(request, fields, SHOWN) if fields else None


@sensitive_post_parameters()
@only(WRITE, note_back)
@require_http_methods(["GET", "HEAD", "POST"])
def note(request: HttpRequest, tool: str, slug: str) -> HttpResponse:
    """The note on a guide; posted, saved. A retired guide keeps its note."""
    guide = get_object_or_404(Guide.objects.select_related("tool"), tool__slug=tool, slug=slug)
    known = Note.objects.select_related("owner", "by").filter(guide=guide).first()
    if request.method != "POST":
        return shown(request, guide, NoteForm(note=known))
    form = NoteForm(request.POST, known)
    if not form.is_valid():
        return shown(request, guide, form, 422)
    try:
        save(guide, form.cleaned_data, request)
    except Newer as newer:
        form.saw(newer.note)
        return shown(request, guide, form, 409, newer=newer.note)
    messages.success(request, " ".join(["The note is saved.", *told(form)]))
    return redirect("due" if request.GET.get("then") == "due" else guide)


def told(form: NoteForm) -> list[str]:
    """What was taken out, as a sentence, if anything was."""
    if not form.taken_out:
        return []
    kinds = ", ".join(removed(kind, count) for kind, count in form.taken_out)
    return [f"Taken out before anything was kept: {kinds}."]


def shown(
    request: HttpRequest, guide: Guide, form: NoteForm, status: int = 200, newer: Note | None = None
) -> HttpResponse:
    """The form; `newer` is what somebody else saved meanwhile."""
    then = "due" if request.GET.get("then") == "due" else ""
    context = {"guide": guide, "form": form, "newer": newer, "then": then}
    return render(request, "team/note.html", context, status=status)


def save(guide: Guide, given: Mapping[str, Any], request: HttpRequest) -> None:
    """Writes the note, if it still is what its editor saw. Raises Newer."""
    seen = given["seen"]
    fields = {name: given[name] for name in ("words", "owner", "next_review", "runbook", "proxies")}
    html = rendered(without_headings(given["words"]), guide.chips)
    made = {"words_html": html, "changed": timezone.now(), "by": member(request), "revision": seen + 1}
    with transaction.atomic():
        if not Note.objects.filter(guide=guide, revision=seen).update(**fields, **made):
            add(guide, fields | made)
        record("note.saved", request.user, guide.title, guide.get_absolute_url())


def add(guide: Guide, fields: Mapping[str, Any]) -> None:
    """The first note on a guide. Raises Newer where there is one."""
    try:
        with transaction.atomic():
            Note.objects.create(guide=guide, **fields)
    except IntegrityError as taken:
        raise Newer(Note.objects.select_related("owner", "by").get(guide=guide)) from taken


@only()
@require_safe
def notes(request: HttpRequest) -> HttpResponse:
    """All notes, filtered by what stands in the URL."""
    form = NotesForm(request.GET)
    found = form.notes()
    context = {"form": form, "today": timezone.localdate()} | paged(request, found)
    return render(request, "team/notes.html", context, status=200 if form.is_valid() else 400)


def paged(request: HttpRequest, rows: Any) -> dict[str, Any]:
    """One page of a list, with what the links to the next one must keep."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return {"page": Paginator(rows, PAGE).get_page(request.GET.get("page")), "kept": kept.urlencode()}


@only(WRITE)
@require_safe
def due_page(request: HttpRequest) -> HttpResponse:
    """Guides to look at again, by the reason why; the first reason that has any is open."""
    today = timezone.localdate()
    tools = list(Tool.objects.all())
    changed = {key: found for tool in tools for key, found in due.by_release(tool).items()}
    reasons: dict[str, tuple[str, GuideQuerySet]] = {
        "overdue": ("Overdue", due.overdue(today)),
        "release": ("Changed by a release", Guide.objects.published().filter(pk__in=changed)),
        "soon": ("Due within 14 days", due.soon(today)),
        "unowned": ("Without an owner", due.unowned()),
    }
    counts = {word: guides.count() for word, (_, guides) in reasons.items()}
    here = request.GET.get("why", "")
    if here not in reasons:
        here = next((word for word, count in counts.items() if count), "overdue")
    shown = (
        reasons[here][1].select_related("tool", "note__owner").defer("page_html", "text", "base", "theirs")
    )
    context = paged(request, shown) | {
        "here": here,
        "tabs": [(word, name, counts[word]) for word, (name, _) in reasons.items()],
        "today": today,
        "gaps": [(tool, version, count) for tool in tools for version, count in due.gaps(tool).items()],
    }
    context["rows"] = [(guide, changed.get(guide.pk, [])) for guide in context["page"]]
    return render(request, "team/due.html", context)
