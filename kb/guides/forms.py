"""What readers may send, and what is said when it makes no sense."""

from typing import Any

from django import forms

from kb.diagnosis.text import MAX_BYTES
from kb.guides.models import Release, Tool
from kb.guides.vocabulary import Category, Hop


class PastedText(forms.Field):
    """Any text at all, NUL bytes and half characters included; only its size is limited."""

    widget = forms.Textarea

    def validate(self, value: Any) -> None:
        """Refuses nothing and too much; the form keeps what was typed."""
        if not (value or "").strip():
            raise forms.ValidationError("Paste an error text first.", code="required")
        size = len(value.encode("utf-8", "surrogatepass"))
        if size > MAX_BYTES:
            raise forms.ValidationError(
                f"This text has {size:,} bytes; {MAX_BYTES:,} is the most. Keep the part around the error,"
                " such as the last lines of the traceback.",
                code="too_large",
            )


class MatchForm(forms.Form):
    """The paste box."""

    text = PastedText()


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
