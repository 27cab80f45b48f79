"""What editors write in a note, and what the list of notes is filtered by."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from kb.diagnosis.text import harmless, redact
from kb.guides.links import plain_link
from kb.team.models import Note

FREE = ("words", "runbook", "proxies")
NEWEST_REVISION = 2_147_483_647
LONGEST_WORDS = 10_000
HEADING = re.compile(r" {0,3}#{1,6} +(.*?)(?: +#+)? *")
FENCE = re.compile(r" {0,3}(```|~~~)")
NOBODY = "nobody"


def too_long(what: str) -> dict[str, str]:
    """The message for a text that is beyond its limit."""
    return {"max_length": f"{what} %(show_value)d characters; %(limit_value)d is the most. Shorten it."}


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A user, shown as people know them."""

    def label_from_instance(self, obj: Any) -> str:
        """Dana Fox (dana), or dana where there is no more."""
        name, user = obj.get_full_name(), obj.get_username()
        return f"{name} ({user})" if name else str(user)


class NoteForm(forms.Form):
    """A note, as it stood at revision `seen`. No field sees a text before it was freed of secrets."""

    words = forms.CharField(
        required=False, max_length=LONGEST_WORDS, error_messages=too_long("The words have")
    )
    owner = PersonField(
        User.objects.none(),
        required=False,
        empty_label="Nobody",
        error_messages={"invalid_choice": "There is no such person here. Choose one from the list."},
    )
    next_review = forms.DateField(
        required=False, error_messages={"invalid": "Give a date such as 2026-12-24, or none."}
    )
    runbook = forms.CharField(required=False, max_length=500, error_messages=too_long("The link has"))
    proxies = forms.CharField(required=False, max_length=300, error_messages=too_long("This has"))
    seen = forms.IntegerField(min_value=0, max_value=NEWEST_REVISION)

    def __init__(self, data: Mapping[str, Any] | None = None, note: Note | None = None) -> None:
        """`note` is what the form is shown with; without one it is empty."""
        sent, self.removed = (None, Counter[str]()) if data is None else freed(data)
        super().__init__(sent, initial=written(note))
        people = User.objects.filter(Q(is_active=True) | Q(pk=note.owner_id if note else None))
        self.fields["owner"].queryset = people.order_by("username")  # type: ignore[attr-defined]

    def saw(self, note: Note) -> None:
        """Its writer is shown this note now: what they save next was written knowing both."""
        self.data = {**self.data, "seen": str(note.revision)}

    @property
    def taken_out(self) -> list[tuple[str, int]]:
        """(kind, how many) of what was taken out before anything else saw it."""
        return [(kind, count) for kind, count in self.removed.items() if count]

    def clean_proxies(self) -> str:
        """One line."""
        return " ".join(str(self.cleaned_data["proxies"]).split())

    def clean_runbook(self) -> str:
        """A web address without a secret in it."""
        return plain_link(str(self.cleaned_data["runbook"]), "a link")

    def clean(self) -> dict[str, Any]:
        """A form that doesn't say what it was looking at saves nothing."""
        given = super().clean() or {}
        if self.has_error("seen"):
            self.add_error(
                None, "The form didn't say which state of the note you saw. Look, and save it again."
            )
        return given


def freed(data: Mapping[str, Any]) -> tuple[dict[str, str], Counter[str]]:
    """What was sent of a note's fields, without secrets, and how many of which kind were taken out."""
    removed: Counter[str] = Counter()
    kept = {name: harmless(str(data[name])) for name in NoteForm.base_fields if name in data}
    for name in kept:
        found = redact(kept[name])
        kept[name] = found.text
        removed.update(found.counts)
    return kept, removed


def written(note: Note | None) -> dict[str, Any]:
    """What the form is shown with."""
    if note is None:
        return {"seen": 0}
    fields = {name: getattr(note, name) for name in (*FREE, "next_review")}
    return fields | {"owner": note.owner_id, "seen": note.revision}


def without_headings(text: str) -> str:
    """Markdown with its headings as bold lines: a note is no page of its own."""
    lines, fenced = [], False
    for line in text.split("\n"):
        if FENCE.match(line):
            fenced = not fenced
        heading = None if fenced else HEADING.fullmatch(line)
        lines.append(f"\n**{heading[1].strip('*')}**\n" if heading and heading[1] else line)
    return "\n".join(lines)


class NotesForm(forms.Form):
    """The filters of the list of notes; all live in the URL."""

    q = forms.CharField(required=False, max_length=200, label="Words")
    owner = forms.ChoiceField(required=False, label="Owner")

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__({name: harmless(str(data[name])) for name in self.base_fields if name in data})
        owners = User.objects.filter(guides__isnull=False).distinct().order_by("username")
        people = [(str(user.pk), user.get_full_name() or user.get_username()) for user in owners]
        self.fields["owner"].choices = [("", "Anybody"), (NOBODY, "Nobody"), *people]  # type: ignore[attr-defined]
        self.fields["owner"].error_messages["invalid_choice"] = (
            "There is no owner “%(value)s” here. Choose one from the list."
        )

    def notes(self) -> QuerySet[Note]:
        """Notes that pass the filters; none if a filter makes no sense."""
        found = Note.objects.select_related("guide__tool", "owner", "by").order_by("guide__title")
        if not self.is_valid():
            return found.none()
        owner, words = self.cleaned_data["owner"], self.cleaned_data["q"]
        if owner:
            found = found.filter(owner=None if owner == NOBODY else owner)
        if words:
            places = ("words", "proxies", "runbook", "guide__title")
            said = Q()
            for place in places:
                said |= Q(**{f"{place}__icontains": words})
            found = found.filter(said)
        return found
