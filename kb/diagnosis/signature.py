"""Signatures live here: what identifies an error, and the matcher that finds many in one text.

They come from guides; this file reads no guide and ranks nothing (see `answer`).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

import re2

from kb.diagnosis import where
from kb.diagnosis.answer import (
    MOST_MATCHES,
    MOST_UNSAID,
    Answer,
    Confidence,
    Hit,
    Match,
    Span,
    quotes,
    ranked,
    undecidable,
    why_lost,
)
from kb.diagnosis.canonical import canonical
from kb.diagnosis.reading import Passage, lowered, readings
from kb.diagnosis.text_facts import TextFacts, text_facts
from kb.diagnosis.values import capture

__all__ = [
    "Answer",
    "Match",
    "Matcher",
    "Signature",
    "SignatureError",
    "Span",
    "TextFacts",
    "text_facts",
    "validate",
]

ALGORITHM = "10"
SPEAKERS = ("gateway", "upstream_gateway", "provider", "client", "infrastructure")
SHORTEST_ANCHOR = 8
MOST_LITERALS = 20
LONGEST_LITERAL = 300
PATTERN_WEIGHT = 12
ERROR_TYPE_WEIGHT = 12
STATUS_WEIGHT = 6
_SET_MEMORY = 256 << 20
_SET_LITERALS = 12_500  # in one automaton: from about 30,000 on RE2 gives up
_ANY_SPACE = rb"[\t-\r\x1c-\x1f ]+"
_NEIGHBOURHOOD = 4_000
_WRAPPER_REACH = 64
# The openings that LiteLLM puts before a body it got, with the frame of an OpenAI error between.
_WRAPPER = re2.compile(
    r"(?i)(?:\b\w+Exception - (?:Error code: \d+ - )?[b{\['\" ]*"
    r"(?:error['\"]: ?\{['\"]message['\"]: ?['\"])?(?:Authentication Error, )?"
    r"|\b(?:OpenAI|Litellm_proxy)Exception - [^.]{0,40}\S{0,20}[ '\"])$"
)


class SignatureError(ValueError):
    """A signature that can't be compiled; the message lists what to do about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What identifies an error in a text.

    It holds where all of `all_of` occur, one of `any_of` if there are any, none of `none_of`, and
    `pattern` (RE2; named groups capture values) is found, with `where` true of two of its groups
    read as numbers ("spend < limit"); letter case and the kind of white space don't matter, and
    the text is read as `canonical()` gives it, a long one by passages (`reading.passages`), in one
    of which all of this must hold. `status` and `error_type` must be among those that it states;
    `in_tool` asks for one of the marks of its `tool` in the text; `general` makes it yield to every
    signature that is not, and `quotes` makes it come before those of the same passage: its error, such
    as a health list, quotes others. `speaker` says whose words these are.
    """

    guide: str
    id: str
    all_of: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    pattern: str | None = None
    where: str | None = None
    status: int | None = None
    error_type: str | None = None
    in_tool: bool = False
    general: bool = False
    quotes: bool = False
    speaker: str = "gateway"
    tool: str = ""


def validate(signature: Signature) -> list[str]:
    """Say what to do about a signature; an empty list means that it compiles."""
    literals = (*signature.all_of, *signature.any_of, *signature.none_of)
    plain = [_literal(literal) for literal in signature.all_of]
    found = [f"Shorten the literal to {LONGEST_LITERAL} characters: {literal[:40]!r}…"
             for literal in literals if len(literal) > LONGEST_LITERAL]  # fmt: skip
    if not signature.all_of:
        found.append("Give all_of at least one literal.")
    elif max(map(len, plain)) < SHORTEST_ANCHOR:
        found.append(f"Give all_of a literal of at least {SHORTEST_ANCHOR} characters.")
    if any(not _literal(literal).strip() for literal in literals):
        found.append("Remove the blank literal.")
    if len(literals) > MOST_LITERALS:
        found.append(f"Keep to {MOST_LITERALS} literals; this one has {len(literals)}.")
    if signature.speaker not in SPEAKERS:
        found.append(f"Set speaker to one of: {', '.join(SPEAKERS)}.")
    if signature.status is not None and not 100 <= signature.status <= 599:
        found.append("Set status to an HTTP status from 100 to 599.")
    return found + _pattern_problems(signature.pattern) + where.problems(signature.where, signature.pattern)


def _pattern_problems(pattern: str | None) -> list[str]:
    if pattern is None:
        return []
    try:
        compiled = re2.compile(pattern, _pattern_options())
    except re2.error as error:
        return [f"Write the pattern in RE2 syntax (no look-around, no back-references): {error}"]
    if compiled.search("") is not None:
        return ["Make the pattern ask for something: it matches the empty text."]
    return []


def _pattern_options() -> re2.Options:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return options


def _literal(literal: str) -> str:
    """A literal as it stands in a lowered canonical text."""
    return lowered(canonical(literal).text)


class _Compiled:
    """A signature with its literals made ready for the lowered canonical text."""

    def __init__(self, signature: Signature) -> None:
        problems = validate(signature)
        if problems:
            raise SignatureError(f"{signature.guide}/{signature.id}: {' '.join(problems)}")
        self.signature = signature
        self.all_of = tuple(map(_literal, signature.all_of))
        self.any_of = tuple(sorted(map(_literal, signature.any_of), key=len, reverse=True))
        self.none_of = tuple(map(_literal, signature.none_of))
        self.printed = {_literal(literal): literal for literal in (*signature.all_of, *signature.any_of)}
        self.bonus = (
            PATTERN_WEIGHT * (signature.pattern is not None)
            + ERROR_TYPE_WEIGHT * (signature.error_type is not None)
            + STATUS_WEIGHT * (signature.status is not None)
        )

    @cached_property
    def pattern(self) -> Any:
        """The compiled pattern: compiling takes a tenth of a millisecond, so only when asked."""
        return re2.compile(self.signature.pattern, _pattern_options())


_Candidate = tuple[_Compiled, list[Passage]]


class Matcher:
    """All signatures of all tools, ready to be looked for in one pass over a text.

    Use one from as many threads as you like. `ruleset` is a short hash of the signatures, the
    marks and the way of matching: equal rulesets give equal answers.
    """

    def __init__(
        self, signatures: Iterable[Signature], marks: Iterable[str] | Mapping[str, Iterable[str]]
    ) -> None:
        """Compile; `marks` show a tool (`in_tool`), by its name where there are several.

        Raises SignatureError for a bad signature.
        """
        compiled = [_Compiled(signature) for signature in signatures]
        by_tool = marks if isinstance(marks, Mapping) else {"": marks}
        self._marks = tuple((tool, _literal(mark)) for tool, own in by_tool.items() for mark in own)
        self.ruleset = _ruleset(compiled, self._marks)
        by_anchor: defaultdict[str, list[_Compiled]] = defaultdict(list)
        for one, anchor in zip(compiled, _anchors(compiled), strict=True):
            by_anchor[anchor].append(one)
        self._by_anchor = tuple(by_anchor.values())
        self._scans = _scans_for((*by_anchor, *(literal for _, literal in self._marks)))

    def match(self, text: str) -> Answer:
        """Find what is known of a text that is already `readable()` and redacted."""
        unsaid: list[Hit] = []
        for those in readings(text):
            hits, unmarked = self._hits(those, text)
            if hits:
                break
            unsaid = unsaid or unmarked
        else:
            return Answer("none", (), tuple(hit.guide for hit in ranked(unsaid)[:MOST_UNSAID]))
        best, *others = ranked(hits)
        ambiguous = bool(others) and undecidable(best, others[0])
        first = _match(best, best, "undecided" if ambiguous else _confidence(best))
        rest = [
            _match(hit, best, "undecided" if undecidable(best, hit) else "consistent")
            for hit in others[: MOST_MATCHES - 1]
        ]
        return Answer("ambiguous" if ambiguous else "match", (first, *rest))

    def _hits(self, those: Iterable[Passage], text: str) -> tuple[list[Hit], list[Hit]]:
        """Each signature that holds in a passage, where it does so last; if none, those that lack a mark.

        What its plain reading leaves out of a text may hold a mark, too: the name of a container.
        """
        found: dict[int, list[Passage]] = {}
        for passage in those:
            for start, scan in self._scans:
                for index in scan.Match(passage.scanned) or ():
                    found.setdefault(start + index, []).append(passage)
        marks = len(self._by_anchor)  # in the scan they come after the anchors
        tools = {self._marks[index - marks][0] for index in found if index >= marks}
        anchored = ((index, places) for index, places in found.items() if index < marks)
        candidates = [(one, places) for index, places in anchored for one in self._by_anchor[index]]
        asking = {one.signature.tool for one, _ in candidates if one.signature.in_tool} - tools
        tools |= self._named(asking, text) if asking else set()
        hits = _all_hits([one for one in candidates if _said(one, tools)])
        return hits, [] if hits else _all_hits([one for one in candidates if not _said(one, tools)])

    def _named(self, tools: set[str], text: str) -> set[str]:
        """Those of the tools that have a mark somewhere in the text."""
        low = lowered(text)
        return {tool for tool, mark in self._marks if tool in tools and mark in low}


def _said(candidate: _Candidate, tools: set[str]) -> bool:
    """Whether a signature that asks for its tool's mark has it."""
    signature = candidate[0].signature
    return not signature.in_tool or signature.tool in tools


def _all_hits(candidates: list[_Candidate]) -> list[Hit]:
    return [hit for one, places in candidates if (hit := _last_hit(one, places))]


def _last_hit(one: _Compiled, places: list[Passage]) -> Hit | None:
    return next(filter(None, (_hit(one, passage) for passage in places)), None)


def _hit(one: _Compiled, passage: Passage) -> Hit | None:
    """Verify a candidate, cheap questions first."""
    has = passage.has
    if not all(map(has, one.all_of)) or any(map(has, one.none_of)):
        return None
    option = next(filter(has, one.any_of), None)
    if (one.any_of and option is None) or not _facts_hold(one.signature, passage):
        return None
    literals = one.all_of if option is None else (*one.all_of, option)
    spans = _literal_spans(literals, one, passage)
    groups: dict[str, Span] = {}
    if one.signature.pattern is not None:
        found = _search(one, passage, spans[0].start)
        if found is None:
            return None
        spans += (found[0],)
        groups = found[1]
        if not where.holds(one.signature.where, groups):
            return None
    return Hit(
        guide=one.signature.guide,
        signature=one.signature.id,
        general=one.signature.general,
        quotes=one.signature.quotes,
        weight=sum(map(len, literals)) + one.bonus,
        literals=one.all_of,
        spans=tuple(Span(span.literal, *passage.unwrapped_span(span.start, span.end)) for span in spans),
        spoken_by=_spoken_by(one.signature.speaker, passage.text, spans[0].start),
        groups=groups,
        passage=passage,
        place=(spans[0].start, spans[0].end),
    )


def _facts_hold(signature: Signature, passage: Passage) -> bool:
    if signature.status is not None and signature.status not in passage.facts.statuses:
        return False
    wanted = signature.error_type
    return wanted is None or wanted.lower() in passage.facts.error_types


def _anchors(compiled: list[_Compiled]) -> Iterable[str]:
    """Each signature's most selective literal: shared with the fewest others, then longest."""
    shared = Counter(literal for one in compiled for literal in one.all_of)
    for one in compiled:
        long = (literal for literal in one.all_of if len(literal) >= SHORTEST_ANCHOR)
        yield min(long, key=lambda literal: (shared[literal], -len(literal)))


def _scans_for(literals: tuple[str, ...]) -> tuple[tuple[int, Any], ...]:
    """Automata over all literals, and the place of each one's first: RE2 refuses a Set of far more."""
    starts = range(0, len(literals), _SET_LITERALS)
    return tuple((start, _scan_for(literals[start : start + _SET_LITERALS])) for start in starts)


def _scan_for(literals: Iterable[str]) -> Any:
    """One automaton over the bytes of all literals; it reads `Passage.scanned`."""
    options = re2.Options()
    options.max_mem = _SET_MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    found = re2.Set.SearchSet(options)
    for literal in literals:
        found.Add(_ANY_SPACE.join(map(re2.escape, literal.encode("utf-8", "replace").split(b" "))))
    found.Compile()
    return found


def _ruleset(compiled: list[_Compiled], marks: tuple[tuple[str, str], ...]) -> str:
    parts = sorted(repr(astuple(one.signature)) for one in compiled)
    whole = "\n".join((ALGORITHM, repr(sorted(marks)), *parts))
    return hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:12]


def _literal_spans(literals: tuple[str, ...], one: _Compiled, passage: Passage) -> tuple[Span, ...]:
    """One span for each literal, in their order: the longest at its last place, others near it."""
    longest = max(one.all_of, key=len)
    place = passage.last(longest)
    starts = [place if literal == longest else passage.nearest(literal, place)
              for literal in literals]  # fmt: skip
    return tuple(
        Span(one.printed[literal], start, start + len(literal))
        for literal, start in zip(literals, starts, strict=True)
    )


def _search(one: _Compiled, passage: Passage, near: int) -> tuple[Span, dict[str, Span]] | None:
    """Find the pattern near the literals, or else anywhere; with its named groups."""
    begin = max(0, near - _NEIGHBOURHOOD)
    found = one.pattern.search(passage.text[begin : near + _NEIGHBOURHOOD])
    if found is None:
        begin = 0
        found = one.pattern.search(passage.text)
    if found is None or not found.group():
        return None
    span = Span(found.group(), begin + found.start(), begin + found.end())
    groups = {
        name: Span(found[index], begin + found.start(index), begin + found.end(index))
        for name, index in one.pattern.groupindex.items()
        if found[index]
    }
    return span, groups


def _spoken_by(speaker: str, text: str, start: int) -> str:
    """Whose words stand at `start`; `…Exception - ` before the gateway's shows another gateway."""
    if speaker != "gateway":
        return speaker
    before = text[max(0, start - _WRAPPER_REACH) : start]
    wrapped = "xception - " in before.lower() and _WRAPPER.search(before)
    return "upstream_gateway" if wrapped else speaker


def _confidence(hit: Hit) -> Confidence:
    return "consistent" if hit.general else "known_shape"


def _match(hit: Hit, best: Hit, confidence: Confidence) -> Match:
    source_span = hit.passage.canonical.source_span
    return Match(
        guide=hit.guide,
        signature=hit.signature,
        spans=tuple(Span(span.literal, *source_span(span.start, span.end)) for span in hit.spans),
        values=_values(hit),
        confidence=confidence,
        spoken_by=hit.spoken_by,
        lost_because="" if hit is best else why_lost(hit, best),
        quoted=quotes(best, hit) and not hit.general,
    )


def _values(hit: Hit) -> dict[str, str]:
    """The values printed around a hit, not beyond a gap; one that its pattern names has that name alone."""
    begin, end = hit.passage.between_gaps(*hit.place)
    start, stop = (place - begin for place in hit.place)
    known = [span.start - begin for span in hit.groups.values()]
    named = {name: span.literal for name, span in hit.groups.items()}
    return capture(hit.passage.text[begin:end], (start, stop), known) | named
