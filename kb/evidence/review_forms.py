"""What reviewers send: the queue's filters, decisions, and words to remove."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from kb.diagnosis.text import harmless, redact
from kb.evidence.models import EvidenceReport, ReportQuerySet, State
from kb.evidence.moderation import LONGEST_REASON, SAYS_WHY
from kb.guides.models import Guide, Tool

ALL = "all"
UNKNOWN = "unknown"
TICK = re.compile(r"([\w-]{1,40}):(\d{1,9})")
NEWEST_REVISION = 2_147_483_647
SHORTEST_WORDS = 3


class QueueForm(forms.Form):
    """The filters of the queue; all live in the URL. No state is pending."""

    state = forms.ChoiceField(required=False, choices=[*State.choices, (ALL, "all")], label="State")
    tool = forms.ChoiceField(required=False, label="Tool")
    guide = forms.ChoiceField(required=False, label="Guide")
    fingerprint = forms.RegexField(
        r"^v\d{1,3}:[0-9a-f]{16}$", required=False, max_length=40, label="Fingerprint"
    )

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        guides = Guide.objects.filter(reports__isnull=False).distinct().order_by("title")
        named = guides.values_list("tool__slug", "slug", "title")
        titles = [(f"{tool}/{slug}", title) for tool, slug, title in named]
        self.fields["guide"].choices = [("", "Any"), (UNKNOWN, "Something unknown"), *titles]  # type: ignore[attr-defined]
        tools = Tool.objects.values_list("slug", "name")
        self.fields["tool"].choices = [("", "Any"), *tools]  # type: ignore[attr-defined]
        for name in ("state", "tool", "guide"):
            self.fields[name].error_messages["invalid_choice"] = (
                f"There is no {name} “%(value)s” here. Choose one from the list."
            )
        self.fields["fingerprint"].error_messages["invalid"] = (
            "A fingerprint looks like v1:0123456789abcdef. Copy it from a report."
        )

    @property
    def state_asked(self) -> str:
        """The state whose tab is open."""
        return self.cleaned_data.get("state") or State.PENDING

    def reports(self) -> ReportQuerySet:
        """Reports of every state that pass the other filters; none if a filter makes no sense."""
        if not self.is_valid():
            return EvidenceReport.objects.none()
        given = self.cleaned_data
        found = EvidenceReport.objects.all()
        if given["tool"]:
            found = found.filter(tool__slug=given["tool"])
        if given["guide"] == UNKNOWN:
            found = found.filter(guide=None)
        elif given["guide"]:
            tool, slug = given["guide"].split("/")
            found = found.filter(guide__tool__slug=tool, guide__slug=slug)
        if given["fingerprint"]:
            found = found.filter(fingerprint=given["fingerprint"])
        return found


def cleaned(words: str) -> str:
    """What somebody typed, freed of secrets."""
    return redact(harmless(words)).text


class ReasonForm(forms.Form):
    """A decision and its reason, which is freed of secrets before anything else sees it."""

    after = forms.ChoiceField(
        choices=State.choices,
        error_messages={
            "required": "Choose what to decide.",
            "invalid_choice": "There is no such decision. Choose one of those that are offered.",
        },
    )
    reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        error_messages={
            "max_length": "The reason has %(show_value)d characters; %(limit_value)d is the most. Shorten it."
        },
    )

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        if data is not None:
            data = data.copy()
            data["reason"] = cleaned(data.get("reason", ""))
        super().__init__(data, **kwargs)

    def clean(self) -> dict[str, Any]:
        """Who rejects or supersedes says why."""
        given = super().clean() or {}
        if given.get("after") in SAYS_WHY and "reason" in given and not given["reason"]:
            word = State(given["after"]).label
            self.add_error("reason", f"Say why it is {word}: the reporter reads it on the receipt.")
        return given


class DecisionForm(ReasonForm):
    """A decision on one report, as it stood at revision `seen`."""

    seen = forms.IntegerField(min_value=0, max_value=NEWEST_REVISION)

    def clean(self) -> dict[str, Any]:
        """A form that doesn't say what it was looking at decides nothing."""
        given = super().clean()
        if self.has_error("seen"):
            self.add_error(
                None, "The form didn't say which state of the report you saw. Look, and send it again."
            )
        return given


class WordsForm(forms.Form):
    """Exact words to take out of a report. They may be a secret: they are compared, never kept or shown."""

    words = forms.CharField(
        min_length=SHORTEST_WORDS,
        max_length=10_000,
        error_messages={
            "required": "Give the words to remove.",
            "min_length": f"Give at least {SHORTEST_WORDS} characters: fewer would take out too much.",
            "max_length": "Give fewer words at once: 10,000 characters are the most.",
        },
    )
    seen = DecisionForm.base_fields["seen"]

    def clean_words(self) -> str:
        """Line breaks as the report has them."""
        return harmless(self.cleaned_data["words"])

    def clean(self) -> dict[str, Any]:
        """As of a decision."""
        given = super().clean() or {}
        if self.has_error("seen"):
            self.add_error("words", "The form didn't say which state of the report you saw. Send it again.")
        return given


class MoveForm(forms.Form):
    """The guide that a report is about in truth; `unknown` for none."""

    guide = forms.ChoiceField(
        error_messages={
            "required": "Choose the guide that it is about.",
            "invalid_choice": "There is no guide “%(value)s” here. Choose one from the list.",
        }
    )
    seen = DecisionForm.base_fields["seen"]

    def __init__(self, data: QueryDict | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        guides = Guide.objects.published().order_by("title").values_list("tool__slug", "slug", "title")
        titles = [(f"{tool}/{slug}", title) for tool, slug, title in guides]
        choices = [("", "Choose one"), (UNKNOWN, "Something unknown"), *titles]
        self.fields["guide"].choices = choices  # type: ignore[attr-defined]

    @property
    def chosen(self) -> Guide | None:
        """The guide of a valid form."""
        if self.cleaned_data["guide"] == UNKNOWN:
            return None
        tool, slug = self.cleaned_data["guide"].split("/")
        return Guide.objects.select_related("tool").get(tool__slug=tool, slug=slug)

    def clean(self) -> dict[str, Any]:
        """As of a decision."""
        given = super().clean() or {}
        if self.has_error("seen"):
            self.add_error("guide", "The form didn't say which state of the report you saw. Send it again.")
        return given


class Ticks(forms.MultipleChoiceField):
    """Ticked rows, each `id:revision`; the value is {id: revision}."""

    def valid_value(self, value: str) -> bool:
        """Has it this form?"""
        return TICK.fullmatch(value) is not None

    def clean(self, value: Any) -> dict[str, int]:
        """The revision that the reviewer saw of each report."""
        ticks = (TICK.fullmatch(row) for row in super().clean(value))
        return {tick[1]: int(tick[2]) for tick in ticks if tick}


class BulkForm(ReasonForm):
    """One decision, and one reason, for all rows that are ticked."""

    after = forms.ChoiceField(
        choices=[(State.ACCEPTED, "accept"), (State.REJECTED, "reject")],
        error_messages=ReasonForm.base_fields["after"].error_messages,
    )
    report = Ticks(
        error_messages={
            "required": "Tick at least one report.",
            "invalid_choice": "A tick doesn't say which report you saw, and how it stood. Tick again.",
            "invalid_list": "Tick at least one report.",
        }
    )
