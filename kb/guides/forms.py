"""What readers may send, and what is said when it makes no sense."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from kb.diagnosis.text import MAX_BYTES, harmless, redact
from kb.guides.changes import KINDS
from kb.guides.models import Release, Tool
from kb.guides.vocabulary import Category, Hop


class MatchForm(forms.Form):
    """The paste box: takes any text at all, and holds nothing but its redacted form.

    What was typed comes back in the box, but for the secrets in it.
    """

    text = forms.Field(widget=forms.Textarea, error_messages={"required": "Paste an error text first."})

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        raw = str(data.get("text", "")) if data is not None else ""
        self.size = len(raw.encode("utf-8", "surrogatepass"))
        self.redacted = redact(harmless(raw))
        super().__init__(None if data is None else {"text": self.redacted.text})

    def clean_text(self) -> str:
        """Refuses nothing (white space alone) and too much."""
        if not self.redacted.text.strip():
            raise forms.ValidationError("Paste an error text first.", code="required")
        if self.size > MAX_BYTES:
            raise forms.ValidationError(
                f"This text has {self.size:,} bytes; {MAX_BYTES:,} is the most. Keep the part around the"
                " error, such as the last lines of the traceback.",
                code="too_large",
            )
        return self.redacted.text


def choices(words: Any) -> list[tuple[str, str]]:
    """A drop-down's rows, the empty one first."""
    return [("", "Any"), *words]


class BrowseForm(forms.Form):
    """The filters of the list of guides; all live in the URL."""

    q = forms.CharField(required=False, max_length=400, label="Text", strip=True)
    tool = forms.ChoiceField(required=False)
    category = forms.ChoiceField(required=False, choices=choices(Category.choices))
    hop = forms.ChoiceField(required=False, choices=choices(Hop.choices))
    version = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tools = Tool.objects.values_list("slug", "name")
        versions = Release.objects.order_by("tool", "-position").values_list("version", flat=True)
        self.fields["tool"].choices = choices(tools)  # type: ignore[attr-defined]
        self.fields["version"].choices = choices((v, v) for v in dict.fromkeys(versions))  # type: ignore[attr-defined]
        for name in ("tool", "category", "hop", "version"):
            field = self.fields[name]
            field.error_messages["invalid_choice"] = (
                f"There is no {name} “%(value)s”. Choose one from the list."
            )


class ChangesForm(forms.Form):
    """Which two releases are held against each other, and which of their changes are shown."""

    PRINTED = (("", "Errors"), ("logs", "Log lines"))

    def __init__(self, data: Mapping[str, Any], versions: Sequence[str], areas: Sequence[str]) -> None:
        """`versions` oldest first: the two newest where none are named."""
        super().__init__({"from": versions[-2], "to": versions[-1], **data})
        releases = [(version, version) for version in reversed(versions)]
        kinds = [(kind, kind) for kind in KINDS]
        self.fields["from"] = forms.ChoiceField(choices=releases)
        self.fields["to"] = forms.ChoiceField(choices=releases)
        self.fields["area"] = forms.ChoiceField(
            required=False, label="Part", choices=choices((area, area) for area in areas)
        )
        self.fields["printed"] = forms.ChoiceField(required=False, label="Printed as", choices=self.PRINTED)
        self.fields["q"] = forms.CharField(required=False, max_length=200, label="Words")
        self.fields["show"] = forms.ChoiceField(required=False, choices=kinds, widget=forms.HiddenInput)
        for name in ("from", "to"):
            self.fields[name].error_messages["invalid_choice"] = (
                "No release “%(value)s” was read. Choose one from the list."
            )
        for name in ("area", "printed", "show"):
            self.fields[name].error_messages["invalid_choice"] = (
                "There is no “%(value)s”. Choose one from the list."
            )

    def clean(self) -> dict[str, Any]:
        """A release has no changes from itself."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("from") and given.get("from") == given.get("to"):
            self.add_error("to", f"{given['to']} is on both sides. Choose two different releases.")
        return given
