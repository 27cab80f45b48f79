"""What a reader reports. No field sees a text before it was made harmless and freed of secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from kb.diagnosis.text import KINDS, MAX_BYTES, harmless, redact
from kb.evidence.models import Cache, Deployment, Fits, Helped, Pods, Store
from kb.guides.links import plain_link
from kb.guides.models import Guide, Release, Tool

MOST_TEXT = 20_000  # characters of an error that are kept
MOST_STORY = 4_000
TOO_MUCH = ("max_length", "too_large")  # codes of errors that a draft can't be kept with
FREE = ("text", "story", "link")
SHORT = ("tool", "version", "deployment", "pods", "store", "cache", "fits", "fix", "helped")
VERSION = re.compile(r"\d+\.\d+[0-9A-Za-z.+_-]*")
CHOOSE = {"invalid_choice": "Choose one from the list."}
# What a check of a proxy calls the things that the form has choices for.
SAID = {
    "store": {"connected": "postgresql", "disconnected": "postgresql", "not_connected": "none"},
    "cache": {"redis-cluster": "redis_cluster", "redis-sentinel": "redis_cluster", "local": "none"},
}


def cleaned(data: Mapping[str, Any]) -> dict[str, str]:
    """The form's fields out of what was sent, without secrets; nothing else of it is looked at."""
    return {name: redact(harmless(str(data[name]))).text for name in ReportForm.base_fields if name in data}


def version_in(said: str) -> str:
    """1.84.0 out of v1.84.0 or LiteLLM 1.84.0; nothing out of None and nonsense."""
    found = VERSION.search(said)
    return found[0][:40] if found else ""


def optional(choices: Any, empty: str = "Not said") -> list[tuple[str, str]]:
    """A drop-down's rows, the empty one first."""
    return [("", empty), *choices]


class ReportForm(forms.Form):
    """An evidence report on `guide`, or on something unknown in one of the tools."""

    tool = forms.ChoiceField(error_messages=CHOOSE | {"required": "Choose the tool it is about."})
    version = forms.CharField(required=False, max_length=80)
    deployment = forms.ChoiceField(
        required=False, choices=optional(Deployment.choices), error_messages=CHOOSE
    )
    pods = forms.ChoiceField(
        required=False, label="Instances", choices=optional(Pods.choices), error_messages=CHOOSE
    )
    store = forms.ChoiceField(
        required=False, label="Database", choices=optional(Store.choices), error_messages=CHOOSE
    )
    cache = forms.ChoiceField(required=False, choices=optional(Cache.choices), error_messages=CHOOSE)
    text = forms.Field(required=False, label="The error text")
    story = forms.CharField(required=False, label="In your words")
    fits = forms.ChoiceField(
        required=False,
        label="It happened",
        choices=[*Fits.choices, ("", "I can\u2019t say")],
        error_messages=CHOOSE,
    )
    fix = forms.ChoiceField(required=False, label="Which fix", error_messages=CHOOSE)
    helped = forms.ChoiceField(
        required=False, label="Did it help?", choices=optional(Helped.choices), error_messages=CHOOSE
    )
    link = forms.CharField(required=False, max_length=500, label="A public link")

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        guide: Guide | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        """`data` as it was sent; `initial` is what the form is shown with, cleaned already."""
        self.guide = guide
        self.size = len(str((data or {}).get("text", "")).encode("utf-8", "surrogatepass"))
        super().__init__(None if data is None else cleaned(data), initial=initial)
        self.tools = [guide.tool] if guide else list(Tool.objects.all())
        if guide or len(self.tools) == 1:
            del self.fields["tool"]
        else:
            self.choose("tool", [("", "Choose one"), *((tool.slug, tool.name) for tool in self.tools)])
        fixes = guide.fixes.values_list("key", "title") if guide else []
        self.choose("fix", optional(fixes, "None of them"))
        if not guide:
            del self.fields["fits"], self.fields["fix"], self.fields["helped"]
        releases = Release.objects.filter(tool__in=self.tools).order_by("tool", "-position")
        self.versions = list(dict.fromkeys(releases.values_list("version", flat=True)))

    def choose(self, name: str, rows: list[tuple[str, str]]) -> None:
        """Gives a field its choices."""
        self.fields[name].choices = rows  # type: ignore[attr-defined]

    @classmethod
    def filled(cls, data: Mapping[str, Any], guide: Guide | None = None) -> ReportForm:
        """The form as another page fills it in: what fits nowhere is left out, no error is shown."""
        given = cleaned(data)
        for name, words in SAID.items():
            said = given.get(name, "").strip().lower()
            given[name] = words.get(said, said)
        said = given.get("version", "")
        given["version"] = version_in(said) or said
        form = cls(guide=guide, initial=given)
        for name, field in form.fields.items():
            if isinstance(field, forms.ChoiceField) and not field.valid_value(given.get(name, "")):
                form.initial[name] = ""
        return form

    @property
    def size_trouble(self) -> str:
        """Why the error text is too long to be kept, or nothing."""
        text = str(self["text"].value() or "")
        if self.size > MAX_BYTES:
            size = f"{self.size:,} bytes; {MAX_BYTES:,} is the most that is looked at"
        elif len(text) > MOST_TEXT:
            size = f"{len(text):,} characters; {MOST_TEXT:,} is the most that is kept"
        else:
            return ""
        return (
            f"This text has {size}. Keep the part around the error, such as the last lines of the traceback."
        )

    def clean_text(self) -> str:
        """White space alone is no text."""
        if self.size_trouble:
            raise forms.ValidationError(self.size_trouble, code="too_large")
        text = str(self.cleaned_data["text"] or "")
        return text if text.strip() else ""

    def clean_story(self) -> str:
        """In a few words, or many, but not without end."""
        story = str(self.cleaned_data["story"])
        if len(story) > MOST_STORY:
            raise forms.ValidationError(
                f"This has {len(story):,} characters; {MOST_STORY:,} is the most."
                " Keep what another reader needs.",
                code="too_large",
            )
        return story

    def clean_version(self) -> str:
        """The version alone; words without a number, such as an image's main-stable, say none."""
        typed = str(self.cleaned_data["version"])
        if typed and not version_in(typed):
            raise forms.ValidationError(
                "There is no version in this. Give its number, such as 1.2.3, or leave it empty."
            )
        return version_in(typed)

    def clean_link(self) -> str:
        """A public address, without a secret in it."""
        return plain_link(str(self.cleaned_data["link"]), "a public link")

    def clean(self) -> dict[str, Any]:
        """A report says something, and a fix comes with what it did."""
        given = super().clean() or {}
        wrong = self.has_error("text") or self.has_error("story")
        if not given.get("text") and not given.get("story") and not wrong:
            self.add_error("text", "Paste the error, or say below what happened: one of them is needed.")
        if given.get("fix") and not given.get("helped"):
            self.add_error("helped", "Say whether this fix helped, or choose none above.")
        if given.get("helped") and not given.get("fix") and not self.has_error("fix"):
            self.add_error("fix", "Say which fix it was, or leave open whether it helped.")
        return given

    @property
    def of_tool(self) -> Tool:
        """The tool that a valid form is about."""
        chosen = self.cleaned_data.get("tool")
        return next(tool for tool in self.tools if not chosen or tool.slug == chosen)

    @property
    def kept(self) -> dict[str, str] | None:
        """What a draft keeps of the form, right or wrong; None where a field is too long for it."""
        self.is_valid()
        errors = [error for rows in self.errors.as_data().values() for error in rows]
        if any(error.code in TOO_MUCH for error in errors):
            return None
        return {
            name: str(self.data[name]) for name in self.fields if self.data.get(name) and self.fits_in(name)
        }

    def fits_in(self, name: str) -> bool:
        """Whether a field's value is one of its choices, if it has any."""
        field = self.fields[name]
        return not isinstance(field, forms.ChoiceField) or field.valid_value(self.data[name])

    @property
    def removed(self) -> dict[str, int]:
        """How many secrets of each kind left the texts, here or in the browser before."""
        texts = [str(self.cleaned_data.get(name, "")) for name in FREE]
        counts = {kind: sum(text.count(f"<{kind}>") for text in texts) for kind in KINDS}
        return {kind: count for kind, count in counts.items() if count}
