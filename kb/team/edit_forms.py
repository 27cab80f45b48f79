"""The editor's form: its fields are the parts of a source, so they differ from guide to guide.

A form carries all that it takes to join its text again (`parts.shape`): what was typed is never lost,
whatever happened to draft, guide or session meanwhile. Nothing else that is posted is looked at.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from kb.guides.vocabulary import Category, Hop
from kb.team import parts
from kb.team.checking import Found
from kb.team.comparing import title_of
from kb.team.parts import ALL, ALL_FACTS, ALL_WORDS, AREA, GLUE, TABLES, WORDS

PREFIX = "part_"
NEWEST = 2_147_483_647
CHOICES = {"category": Category.choices, "hop": Hop.choices}
ROWS = {"summary": 3, "synonyms": 4, "related": 3, ALL: 40, ALL_FACTS: 30, ALL_WORDS: 40}
HINTS = {
    "title": "What a person would call it; at most 160 characters.",
    "summary": "One sentence: what it is. At most 240 characters, no Markdown.",
    "verified": "When somebody last held it against its sources.",
    "synonyms": "Other words people search by; one a line.",
    "related": "Slugs of guides; one a line.",
    "review": "One [review] table in TOML, once somebody else held the guide against its sources: read, "
    "statements, corrected, commands. Empty: nobody did yet.",
    "message": "[[message]] tables in TOML: the exact text, as a version prints it.",
    "signature": "[[signature]] tables in TOML: how a pasted text is recognised.",
    "sample": "[[sample]] tables in TOML: real texts, and near misses.",
    "source": "[[source]] tables in TOML: where statements come from.",
    "fix": "[fix.<id>] tables in TOML: who acts, and whether a retry helps.",
    "means": "Markdown. Every paragraph names its source, as [^id].",
    "causes": "### headings with an {#id}, each with #### Confirm.",
    "fixes": "### headings with an {#id}, each with #### When to choose it, Steps, Cost and Verify.",
    ALL_FACTS: "Shown as one text: it is no TOML, or holds what the form has no field for.",
    ALL_WORDS: "Shown as one text: the eight sections don't stand in their order.",
    ALL: "Shown as one text: it has no facts between two lines of +++.",
}


@dataclass(slots=True)
class Field:
    """A part with all that its control needs."""

    name: str
    value: str
    problems: list[Found] = field(default_factory=list)

    @property
    def control(self) -> str:
        """The id of its control; ids of guides have no underscore, so a preview can't have it too."""
        return f"{PREFIX}{self.name}"

    @property
    def title(self) -> str:
        return title_of(self.name)

    @property
    def hint(self) -> str:
        return HINTS.get(self.base, "")

    @property
    def base(self) -> str:
        """The name without the number of a second run."""
        return re.sub(r"_\d+$", "", self.name)

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The words of a closed list, and the value that stands there if it isn't one of them."""
        known = [(str(word), str(label)) for word, label in CHOICES.get(self.name, [])]
        odd = self.value not in dict(known)
        return [(self.value, self.value or "Choose")] * odd + known if known else []

    @property
    def widget(self) -> str:
        """select, line or text."""
        if self.name in CHOICES:
            return "select"
        return "line" if self.name in ("title", "verified") else "text"

    @property
    def code(self) -> bool:
        """Whether it holds TOML, to be shown in even letters."""
        return self.base in (*TABLES, ALL_FACTS, ALL, "related")

    @property
    def rows(self) -> int:
        """As many as its text needs, within bounds."""
        if self.name in ROWS:
            return ROWS[self.name]
        return min(24, max(6, self.value.count("\n") + 2 + len(self.value) // 110))

    @property
    def group(self) -> str:
        """Facts above the tables, tables, or words."""
        if self.name in parts.FACTS:
            return "facts"
        return "words" if self.name in (*WORDS, ALL_WORDS, ALL) else "tables"


@dataclass(slots=True)
class EditForm:
    """What the editor shows and what it sends back."""

    rows: list[tuple[str, str, str]]
    values: dict[str, str]
    why: str = ""
    seen: int = 0
    began: int = 0
    trial: str = ""
    shape: str = ""
    problems: list[Found] = field(default_factory=list)

    @classmethod
    def of(cls, text: str, why: str = "", seen: int = 0, began: int = 0) -> "EditForm":
        """The form that shows a source."""
        pieces = parts.split(text)
        shape = parts.shape(pieces)
        return cls(parts.shaped(shape), parts.fields(pieces), why, seen, began, shape=shape)

    @classmethod
    def posted(cls, data: QueryDict) -> "EditForm":
        """What was typed. Where the form was tampered with, its parts follow each other as one text."""
        values = {
            name.removeprefix(PREFIX): value.replace("\r\n", "\n").replace("\r", "\n")
            for name, value in data.items()
            if name.startswith(PREFIX) and isinstance(value, str)
        }
        shape = data.get("shape", "")
        try:
            rows = parts.shaped(shape.replace("\r\n", "\n"))
        except parts.Unreadable:
            values = {ALL: "\n\n".join(values.values())}
            rows = [(AREA, ALL, "")]
            shape = parts.shape([parts.Piece(AREA, ALL, "")])
        form = cls(rows, values, shape=shape)
        form.why, form.trial = data.get("why", ""), data.get("trial_text", "")
        form.seen, form.began = number(data, "revision"), number(data, "began")
        return form

    @property
    def text(self) -> str:
        """The source that the form makes."""
        return parts.join(self.rows, self.values)

    def again(self, text: str) -> "EditForm":
        """The form that shows another text, with all else as it was typed."""
        form = EditForm.of(text, self.why, self.seen, self.began)
        form.trial, form.problems = self.trial, self.problems
        return form

    def told(self, problems: list[Found]) -> None:
        """Takes the problems that its fields show."""
        self.problems = problems

    @property
    def fields(self) -> list[Field]:
        """Every part, in its order, with its problems."""
        by_field: dict[str, list[Found]] = {}
        for found in self.problems:
            by_field.setdefault(found.field, []).append(found)
        names = [name for kind, name, _ in self.rows if kind != GLUE]
        return [
            Field(name, self.values.get(name, ""), by_field.get(name, [])) for name in dict.fromkeys(names)
        ]

    @property
    def groups(self) -> list[tuple[str, list[Field]]]:
        """The fields under their headings."""
        titles = {"facts": "Facts", "tables": "Tables of facts", "words": "Words"}
        every = self.fields
        found = [(title, [one for one in every if one.group == name]) for name, title in titles.items()]
        return [(title, fields) for title, fields in found if fields]


def number(data: Mapping[str, Any], name: str) -> int:
    """A counter that the form carries; 0 for nonsense."""
    text = str(data.get(name, ""))
    return int(text) if re.fullmatch(r"[0-9]{1,10}", text) and int(text) <= NEWEST else 0
