"""What a reader gives for a check. Keys stay in the form of one request: they are never shown back."""

from collections.abc import Mapping
from typing import Any

from django import forms

from kb.checker.models import Target
from kb.diagnosis.finding import Asked
from kb.diagnosis.text import harmless, redact
from kb.probes.address import Unusable, parts

SECRET = forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "spellcheck": "false"})
# What the proxy is asked about by name: of a redacted one it would know nothing.
NAMED = ("model", "end_user", "tags")
ALTERED = (
    "An e-mail address or a secret was taken out, so the proxy would be asked about another name. "
    "Run manage.py check_proxy instead: it asks as you write it."
)
PAUSES = [("0", "No"), ("70", "After 70 seconds"), ("130", "After 130 seconds")]


class CheckForm(forms.Form):
    """A live check: which proxy, which key, and what was asked of it."""

    target = forms.ModelChoiceField(
        Target.objects.all(), required=False, to_field_name="name", empty_label="An address"
    )
    address = forms.CharField(required=False, max_length=500, strip=True)
    key = forms.CharField(required=False, max_length=400, widget=SECRET, label="Virtual key")
    admin_key = forms.CharField(required=False, max_length=400, widget=SECRET, label="Admin key")
    model = forms.CharField(required=False, max_length=200)
    end_user = forms.CharField(required=False, max_length=200, label="End user")
    tags = forms.CharField(required=False, max_length=400)
    error = forms.Field(required=False, widget=forms.Textarea, label="Error text")
    paid = forms.BooleanField(required=False, label="Make one test call")
    second_look = forms.TypedChoiceField(required=False, choices=PAUSES, coerce=int, empty_value="0")
    answers = forms.Field(required=False, widget=forms.Textarea, label="Answers of the commands")
    judge = forms.BooleanField(required=False)
    previous = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        cleaned = None if data is None else cleaned_of_secrets(data)
        super().__init__(cleaned, **kwargs)
        said = {name: harmless(str(data.get(name, ""))) for name in NAMED} if data else {}
        self.altered = [name for name, text in said.items() if cleaned and text != cleaned.get(name, "")]

    def clean(self) -> dict[str, Any]:
        """Something must be there to judge: a proxy to call, or answers that were pasted."""
        given = super().clean() or {}
        address = given["target"].url if given.get("target") else given.get("address", "")
        if self.has_error("target"):
            self.add_error("address", "There is no target of that name: choose another, or give an address.")
        if not (given.get("answers") or "").strip():
            self.refuse_nothing(address, to_judge=bool(given.get("judge")))
        if given.get("address") and not given.get("target"):
            self.refuse_unusable(given["address"])
        for name in self.altered:
            self.add_error(name, ALTERED)
        if given.get("paid") and not given.get("key") and address:
            self.add_error("key", "The test call needs the virtual key that was refused; or untick it.")
        if given.get("paid") and not given.get("model") and address:
            self.add_error("model", "The test call needs a model, that of your call; or untick it.")
        return given | {"url": address}

    def refuse_nothing(self, address: str, *, to_judge: bool) -> None:
        """Says at the field that the pressed button is about that there is nothing in it."""
        if to_judge:
            self.add_error("answers", "Paste what the commands printed.")
        elif not address and not self.errors:
            self.add_error("address", "Give the proxy's address, such as http://127.0.0.1:4000.")

    def refuse_unusable(self, address: str) -> None:
        """Says at the field what is wrong with an address that nobody could call."""
        try:
            parts(address)
        except Unusable as problem:
            self.add_error("address", str(problem))

    @property
    def asked(self) -> Asked:
        """What the judge may know: no key, and no more of the address than where it leads."""
        given = self.cleaned_data
        tags = tuple(tag.strip() for tag in given["tags"].split(",") if tag.strip())
        return Asked(
            target=given["url"],
            model=given["model"],
            end_user=given["end_user"],
            tags=tags,
            error=given["error"] or "",
            admin=bool(given["admin_key"]),
        )


def cleaned_of_secrets(data: Mapping[str, Any]) -> dict[str, Any]:
    """The form's data with every text but the two keys redacted, before anything else sees it."""
    kept = {name: data.get(name, "") for name in CheckForm.base_fields if name in data}
    texts = {name: value for name, value in kept.items() if name not in ("key", "admin_key")}
    return kept | {name: redact(harmless(str(value))).text for name, value in texts.items()}
