"""Renders every template of a tool's releases, asks the matcher, and says what it found."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from random import Random

from kb.diagnosis.signature import Answer, Matcher, Signature
from kb.diagnosis.text import readable, redact
from kb.guides.releases.row import PROVIDERS, Row
from kb.guides.rendered.owning import Claim, Owners
from kb.guides.rendered.transports import EVERY, LOGS, Said, Transport, cut_both
from kb.guides.rendered.values import filled

EXCEPTIONS = {
    "openai": "OpenAIException", "azure": "AzureException", "anthropic": "AnthropicException",
    "bedrock": "BedrockException", "vertex_ai": "VertexAIException", "gemini": "GeminiException",
    "ollama": "OllamaException",
}  # fmt: skip
CUT_WORDS = "cut in its words"
BROKEN_HOLE = re.compile(r"^[^{}]*\}|\{[^{}]*$")
MOST_FOREIGN = 3_000  # templates without an owner that are rendered
MOST_SHOWN = 40  # wrong matches that a report lists


@dataclass(frozen=True, slots=True)
class Template:
    """What a release can say, once, however many places say it, with the claims on it."""

    text: str
    row: Row
    claims: tuple[Claim, ...]

    around: tuple[Claim, ...]  # with the class, the type, the function and the file that go with it


@dataclass(frozen=True, slots=True)
class Wrong:
    """A text that another guide won, or none."""

    template: Template
    transport: str
    owner: str
    found: str
    text: str


@dataclass(slots=True)
class Report:
    """What was rendered and what was found."""

    templates: int = 0
    owned: int = 0
    texts: int = 0
    asked: Counter[str] = field(default_factory=Counter)  # by transport, of owned templates
    right: Counter[str] = field(default_factory=Counter)
    neighbours: Counter[tuple[str, str]] = field(default_factory=Counter)  # (owner, winner that owns it too)
    beside: Counter[tuple[str, str]] = field(default_factory=Counter)  # (owner, who reads what goes with it)
    of_template: dict[tuple[Template, str], list[int]] = field(default_factory=dict)  # [right, asked]
    wrong: list[Wrong] = field(default_factory=list)
    foreign: list[Wrong] = field(default_factory=list)  # no signature's literals lie in the template

    @property
    def top1(self) -> float:
        """The share of texts of owned templates whose owner came first."""
        return self.right.total() / max(1, self.asked.total())

    @property
    def whole(self) -> int:
        """Owned templates whose owner came first in every text."""
        return sum(right == asked for right, asked in self.of_template.values())


def templates(rows: Iterable[Row], owners: Owners) -> list[Template]:
    """The texts of releases with their owners, each once; words of `error.type` and bare classes are none."""
    found: dict[tuple[str, int, str, bool], Template] = {}
    for row in rows:
        text = wrapped(row)
        key = (text, row.status, row.error_type, row.kind == "log")
        if row.text.strip() and row.kind != "type" and key not in found:
            claims = tuple(owners.of(text, row.status, row.error_type))
            around = tuple(owners.of(surroundings(row), row.status, row.error_type))
            found[key] = Template(text, row, claims, around)
    return list(found.values())


def surroundings(row: Row) -> str:
    """What the log and a traceback print around the words of a row, and the words."""
    module = row.path.removesuffix(".py").replace("/", ".")
    where = f"{row.path} {module}.{row.function}() in {row.function.rpartition('.')[2]} raise {row.raised}("
    return f"{where} litellm.exceptions.{row.raised}: {wrapped(row)} {typed(row.error_type)}"


def typed(word: str) -> str:
    """A word of error.type as answers print it, in JSON and in Python."""
    return f"\"type\": \"{word}\" 'type': '{word}'" if word else ""


def wrapped(row: Row) -> str:
    """A provider's error as the exception mapping hands it on; every other as it stands."""
    folder = row.path.removeprefix(PROVIDERS).split("/")[0]
    if not row.path.startswith(PROVIDERS) or row.kind not in ("raise", "text") or folder not in EXCEPTIONS:
        return row.text
    return f"litellm.APIConnectionError: {EXCEPTIONS[folder]} - {row.text}"


def said(template: Template, random: Random) -> Said:
    """A template filled in."""
    row = template.row
    return Said(
        message=filled(template.text, random),
        status=row.status or 500,
        error_type=row.error_type,
        raised="" if row.kind == "log" else row.raised,
        path=row.path,
        function=row.function.rpartition(".")[2] or "main",
        logged=row.raised.upper() if row.kind == "log" else "",
    )


def ways(template: Template, random: Random) -> Iterator[tuple[str, Transport]]:
    """The transports that a template is rendered for: all where a guide owns it, else two of them."""
    known = LOGS if template.row.kind == "log" else EVERY
    names = list(known) if template.claims else random.sample(list(known), 2)
    for name in names:
        yield name, known[name]


def measure(
    rows: Iterable[Row], judge: "Judge", seed: int, each: int = 1, most: int = MOST_FOREIGN
) -> Report:
    """Renders and asks; `each` is how often an owned template is rendered for a transport.

    `most` bounds how many templates without an owner are rendered.
    """
    random = Random(seed)  # noqa: S311  values, not secrets
    found = templates(rows, judge.owners)
    foreign = [template for template in found if not template.claims]
    taken = random.sample(foreign, min(most, len(foreign)))
    report = Report(templates=len(found), owned=len(found) - len(foreign))
    for template in [template for template in found if template.claims] + taken:
        for _ in range(each if template.claims else 1):
            for name, transport in ways(template, random):
                error = said(template, random)
                judge.count(report, template, name, error, transport(error, random))
            if template.claims:
                part = shortened(template, judge.owners, random)
                judge.count(report, part, CUT_WORDS, error := said(part, random), cut_both(error, random))
    return report


def shortened(template: Template, owners: Owners, random: Random) -> Template:
    """A template of which only a part of the words is left, with the claims on that part."""
    text = template.text
    begin, end = random.randint(0, len(text) // 5), random.randint(len(text) // 2, len(text))
    part = BROKEN_HOLE.sub("", text[begin:end])
    row = template.row
    claims = tuple(owners.of(part, row.status, row.error_type))
    return replace(template, text=part, claims=claims)


@dataclass(frozen=True)
class Judge:
    """Signatures and the matcher made of them, held against each other."""

    owners: Owners
    match: Callable[[str], Answer]
    marks: tuple[str, ...]

    @classmethod
    def of(cls, signatures: list[Signature], marks: Mapping[str, Iterable[str]]) -> "Judge":
        """As the site has them."""
        low = tuple(mark.lower() for own in marks.values() for mark in own)
        return cls(Owners(signatures), Matcher(signatures, marks).match, low)

    def first(self, text: str) -> str:
        """The guide that wins a text, asked as everywhere: made readable and redacted."""
        matches = self.match(redact(readable(text)).text).matches
        return matches[0].guide if matches else ""

    def expected(self, template: Template, message: str, text: str) -> list[Claim]:
        """The claims that hold in one text; those of `in_tool` need a mark of the tool in it."""
        low = text.lower()
        marked = any(mark in low for mark in self.marks)
        return [
            claim
            for claim in template.claims
            if (marked or not claim.signature.in_tool) and claim.holds(message, text)
        ]

    def count(self, report: Report, template: Template, name: str, error: Said, text: str) -> None:
        """Asks for one text and counts what came."""
        report.texts += 1
        message = redact(readable(error.message)).text
        claims, first = self.expected(template, message, text), self.first(text)
        if not claims:
            if first and first not in self.readers(template, message):
                report.foreign.append(Wrong(template, name, "", first, text))
            return
        owner, best = claims[0].guide, claims[0].order
        beside = first in {claim.guide for claim in template.around if claim.order <= best}
        right = beside or first in {claim.guide for claim in claims if claim.order == best}
        report.beside[owner, first] += beside and first != owner
        report.asked[name] += 1
        report.right[name] += right
        if name != CUT_WORDS:
            counts = report.of_template.setdefault((template, owner), [0, 0])
            counts[0] += right
            counts[1] += 1
        if not right:
            report.wrong.append(Wrong(template, name, owner, first, text))
            report.neighbours[owner, first] += first in {claim.guide for claim in claims}

    def readers(self, template: Template, message: str) -> set[str]:
        """Guides that read the words as they were filled in, or what goes with them."""
        row = replace(template.row, text=message)
        claims = self.owners.of(surroundings(row), row.status, row.error_type)
        return {claim.guide for claim in (*claims, *template.claims, *template.around)}


def table(report: Report) -> str:
    """The report as Markdown."""
    lines = [
        f"{report.templates:,} templates, {report.owned:,} of them owned by a guide; {report.texts:,} texts.",
        f"Owner first: {report.right.total():,} of {report.asked.total():,} texts;"
        f" in every transport for {report.whole:,} of {len(report.of_template):,} templates.",
        f"Templates without an owner that a guide matched: {len({one.template for one in report.foreign})}.",
        "",
        "| transport | owner first | texts |",
        "|---|---|---|",
    ]
    known = [name for name in (*EVERY, CUT_WORDS) if report.asked[name]]
    lines += [
        f"| {name} | {share(report.right[name], report.asked[name])} | {report.asked[name]:,} |"
        for name in known
    ]
    lines += by_guide(report)
    won = [
        f"- {owner}, won by {winner}: {texts}"
        for (owner, winner), texts in report.neighbours.items()
        if texts
    ]
    lines += [
        "",
        "Won by a neighbour, whose literals lie in the template too:",
        "",
        *(sorted(won) or ["none"]),
    ]
    seen = [
        f"- {owner}, won by {winner}: {texts}" for (owner, winner), texts in report.beside.items() if texts
    ]
    lines += ["", "Won by the class, the type or the file beside the words:", "", *(sorted(seen) or ["none"])]
    lines += ["", "Missed most:", "", *(worst(report) or ["none"])]
    lines += ["", "Matched without an owner:", "", *(foreign(report) or ["none"])]
    return "\n".join(lines) + "\n"


def by_guide(report: Report) -> list[str]:
    """One line for each guide that owns templates."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    owned: Counter[str] = Counter()
    for (_, owner), (hits, texts) in report.of_template.items():
        right[owner] += hits
        total[owner] += texts
        owned[owner] += 1
    rows = [
        f"| {guide} | {owned[guide]} | {share(right[guide], total[guide])} | {total[guide]:,} |"
        for guide in sorted(total)
    ]
    return ["", "| guide | templates | owner first | texts |", "|---|---|---|---|", *rows]


def worst(report: Report) -> list[str]:
    """The templates that were missed, by what was found instead; most missed first."""
    found: defaultdict[tuple[Template, str, str], list[str]] = defaultdict(list)
    for one in report.wrong:
        found[one.template, one.owner, one.found].append(one.transport)
    rows = sorted(found.items(), key=lambda item: (-len(item[1]), item[0][0].text))
    return [
        f"- {owner}, found {winner or 'nothing'} in {len(names)} ({', '.join(sorted(set(names))[:4])}):"
        f" `{short(template.text)}`"
        for (template, owner, winner), names in rows[:MOST_SHOWN]
    ]


def foreign(report: Report) -> list[str]:
    """Templates that a guide matched though none of its literals lie in their fixed words."""
    found = {(one.template, one.found): one.transport for one in report.foreign}
    rows = sorted(found.items(), key=lambda item: (item[0][1], item[0][0].text))
    return [f"- {guide} ({name}): `{short(template.text)}`" for (template, guide), name in rows[:MOST_SHOWN]]


def short(text: str) -> str:
    """The beginning of a template on one line."""
    line = " ".join(text.replace("`", "'").split())
    return line if len(line) <= 160 else line[:159] + "…"


def share(part: int, whole: int) -> str:
    """Such as 97.5 %."""
    return f"{100 * part / max(whole, 1):.1f} %"
