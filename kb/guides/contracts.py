"""What must hold of content: each function yields the problems of one contract, by file and line."""

import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from kb.diagnosis.signature import Matcher, Signature, validate
from kb.diagnosis.text import readable, redact
from kb.guides.library import LEDGER, ToolSource
from kb.guides.proving import check_proofs
from kb.guides.source import CITATION, SINGLE, GuideSource, Problem
from kb.guides.stumbles import check_commands
from kb.guides.vocabulary import HELPS, RETRY_WORDS, Actor, Category, Hop, SourceKind, Speaker

NUMBERS = re.compile(r"\d+(\.\d+){1,3}")
LONGEST = {"title": 160, "summary": 240}
MOST_STATEMENTS = 9_999
FIRST_TO_WAKE = timezone(timedelta(hours=14))  # where a day begins first: no writer's today is later
SHARED_SENTENCES = 0.02
SOURCE_FIELDS = {
    SourceKind.CODE: ("version", "path", "contains"),
    SourceKind.DOCS: ("url",),
    SourceKind.THREAD: ("url",),
    SourceKind.LAB: ("capture",),
}


def check(tools: list[ToolSource], wheels: Path | None = None) -> list[Problem]:
    """Every contract on every guide; `wheels` is a folder with releases to hold code sources against."""
    found: list[Problem] = []
    for tool in tools:
        found += tool.problems
        for guide in tool.guides.values():
            found += check_guide(tool, guide)
        found += check_ledger(tool)
        found += check_wheels(tool, wheels) if wheels else []
    found += check_sentences(tools)
    found += [] if found_in_signatures(found) else check_samples(tools)
    for tool in tools:
        found += check_proofs(tool, tool.guides.values())
    return sorted(set(found))


def check_draft(tools: list[ToolSource], tool: ToolSource, draft: GuideSource) -> list[Problem]:
    """What `draft`, a guide of `tool`, breaks: contracts of its own, other guides' sentences and samples.

    It takes a fraction of what `check` takes.
    """
    found = [*check_guide(tool, draft), *check_sentences(tools)]
    found += [] if found_in_signatures(found) else check_samples(tools, draft)
    found += check_proofs(tool, [draft])
    return sorted(set(found))


def found_in_signatures(found: list[Problem]) -> bool:
    """Signatures that don't compile can't be tried on samples."""
    return any("[signature]" in problem.text for problem in found)


def check_guide(tool: ToolSource, guide: GuideSource) -> Iterator[Problem]:
    """Everything that one file can say wrong by itself."""
    yield from check_words(guide)
    yield from check_messages(tool, guide)
    yield from check_signatures(guide)
    yield from check_sources(tool, guide)
    yield from check_fixes(tool, guide)
    yield from check_review(guide)
    yield from check_citations(guide)
    yield from check_commands(guide)
    for slug in guide.facts.get("related", []):
        if slug not in tool.guides or slug == guide.slug:
            yield Problem(guide.path, guide.line_of("related"), f"related names {slug!r}: no such guide")


def choice(guide: GuideSource, line: int, name: str, value: str, known: list[str]) -> Iterator[Problem]:
    """A word from a closed list."""
    if value not in known:
        yield Problem(guide.path, line, f"{name} is {value!r}; use one of {', '.join(known)}")


def check_words(guide: GuideSource) -> Iterator[Problem]:
    """The facts at the top: closed lists and lengths."""
    facts = guide.facts
    yield from choice(guide, guide.line_of("category"), "category", facts["category"], Category.values)
    yield from choice(guide, guide.line_of("hop"), "hop", facts["hop"], Hop.values)
    for name, limit in LONGEST.items():
        if len(facts[name]) > limit:
            yield Problem(guide.path, guide.line_of(name), f"{name} is longer than {limit} characters")


def known_versions(tool: ToolSource, guide: GuideSource, line: int, versions: Any) -> Iterator[Problem]:
    """A version must be on the tool's list, so that a typing error can't make a new one."""
    for version in versions:
        if version not in tool.versions:
            known = ", ".join(tool.versions)
            yield Problem(guide.path, line, f"version {version!r} isn't in tool.toml ({known})")


def is_older(tool: ToolSource, version: str) -> bool:
    """Whether a release is older than the newest on the tool's list: sources may cite it for what it said."""
    return NUMBERS.fullmatch(version) is not None and numbers(version) < max(map(numbers, tool.versions))


def numbers(version: str) -> list[int]:
    """A release's numbers, to tell which is older."""
    return [int(part) for part in re.findall(r"\d+", version)]


def check_messages(tool: ToolSource, guide: GuideSource) -> Iterator[Problem]:
    """Exact messages name known versions and a source of this file."""
    sources = {row["id"] for row in guide.facts["source"]}
    for index, row in enumerate(guide.facts["message"]):
        line = guide.line_of("message", index)
        yield from known_versions(tool, guide, line, row["versions"])
        if row["source"] not in sources:
            yield Problem(guide.path, line, f"[message] source {row['source']!r}: no such source")


def pure_signature(guide: str, row: dict[str, Any], tool: str = "") -> Signature:
    """A [[signature]] as the matcher takes it."""
    fields: dict[str, Any] = {
        k: tuple(v) if isinstance(v, list) else v for k, v in row.items() if k != "said_by"
    }
    return Signature(guide=guide, tool=tool, **fields)


def check_signatures(guide: GuideSource) -> Iterator[Problem]:
    """Each has its own id, a known speaker, and compiles."""
    ids: set[str] = set()
    for index, row in enumerate(guide.facts["signature"]):
        line = guide.line_of("signature", index)
        if row["id"] in ids:
            yield Problem(guide.path, line, f"[signature] id {row['id']!r} is taken")
        ids.add(row["id"])
        speaker = row.get("speaker", Speaker.GATEWAY)
        yield from choice(guide, line, "[signature] speaker", speaker, Speaker.values)
        for text in validate(pure_signature(guide.slug, row)):
            yield Problem(guide.path, line, f"[signature] {row['id']}: {text}")


def check_sources(tool: ToolSource, guide: GuideSource) -> Iterator[Problem]:
    """Each source says where it is, in the way of its kind."""
    ids: set[str] = set()
    for index, row in enumerate(guide.facts["source"]):
        line = guide.line_of("source", index)
        if row["id"] in ids:
            yield Problem(guide.path, line, f"[source] id {row['id']!r} is taken")
        ids.add(row["id"])
        yield from choice(guide, line, "[source] kind", row["kind"], SourceKind.values)
        for name in SOURCE_FIELDS.get(row["kind"], ()):
            if name not in row:
                yield Problem(guide.path, line, f"[source] {row['id']}: kind {row['kind']} needs {name}")
        if not row.get("url", "https://").startswith("https://"):
            yield Problem(guide.path, line, f"[source] {row['id']}: give an https:// URL")
        if "version" in row and not is_older(tool, row["version"]):
            yield from known_versions(tool, guide, line, [row["version"]])
        if "capture" in row and not tool.capture(row["capture"]).exists():
            yield Problem(guide.path, line, f"[source] {row['id']}: no capture {row['capture']!r}")
    yield from check_origins(tool, guide, ids)


def check_review(guide: GuideSource) -> Iterator[Problem]:
    """What a second reader did: after its sources were read, not later than today, in possible numbers."""
    review = guide.facts.get(SINGLE)
    if review is None:
        return
    line = guide.line_of(SINGLE)
    oldest = min(row["read"] for row in guide.facts["source"])
    if review["read"] < oldest:
        yield Problem(guide.path, line, f"[review] read is before its oldest source was read, on {oldest}")
    if review["read"] > datetime.now(FIRST_TO_WAKE).date():
        yield Problem(guide.path, line, "[review] read lies in the future")
    for name in ("statements", "corrected", "commands"):
        if not 0 <= review[name] <= MOST_STATEMENTS:
            yield Problem(guide.path, line, f"[review] {name} must be from 0 to {MOST_STATEMENTS:,}")
    if review["corrected"] > review["statements"]:
        yield Problem(guide.path, line, "[review] more statements are corrected than were checked")


def check_origins(tool: ToolSource, guide: GuideSource, ids: set[str]) -> Iterator[Problem]:
    """A sample says where its text comes from; there is one that matches and one that must not."""
    for index, row in enumerate(guide.facts["sample"]):
        kind, _, rest = row["origin"].partition(":")
        known = {"lab": tool.capture(rest).exists(), "code": rest in ids, "https": True}
        if not known.get(kind, False):
            text = f"[sample] origin {row['origin']!r}: use lab:<capture>, code:<source id> or an https URL"
            yield Problem(guide.path, guide.line_of("sample", index), text)
    for near_miss, words in ((False, "that matches"), (True, "with near_miss = true")):
        if not any(row.get("near_miss", False) is near_miss for row in guide.facts["sample"]):
            yield Problem(guide.path, 1, f"give at least one [[sample]] {words}")


def check_fixes(tool: ToolSource, guide: GuideSource) -> Iterator[Problem]:
    """The facts and the words of quick fixes belong together, one to one."""
    fixes = guide.facts.get("fix", {})
    entries = {entry.key: entry for entry in guide.entries.get("Quick fixes", [])}
    causes = {entry.key for entry in guide.entries.get("Causes", [])}
    for key in entries.keys() - fixes.keys():
        yield Problem(guide.path, entries[key].line, f"the quick fix {key!r} needs facts: [fix.{key}]")
    for key, row in fixes.items():
        line = guide.line_of(f"fix.{key}")
        if key not in entries:
            yield Problem(guide.path, line, f"[fix.{key}] has no heading {{#{key}}} in Quick fixes")
        yield from choice(guide, line, f"[fix.{key}] who", row["who"], Actor.values)
        if row["retry"].split()[0] not in RETRY_WORDS:
            words = ", ".join(RETRY_WORDS)
            yield Problem(guide.path, line, f"[fix.{key}] retry must begin with one of {words}")
        for cause in row.get("causes", []):
            if cause not in causes:
                yield Problem(guide.path, line, f"[fix.{key}] causes names {cause!r}: no such cause")
        helps = row.get("helps", {})
        yield from known_versions(tool, guide, line, helps)
        for word in helps.values():
            yield from choice(guide, line, f"[fix.{key}] helps", word, list(HELPS))


def check_citations(guide: GuideSource) -> Iterator[Problem]:
    """Every block of words names its source, every citation has one, every source is cited."""
    sources = {row["id"]: index for index, row in enumerate(guide.facts["source"])}
    cited = {row["source"] for row in guide.facts["message"]}
    cited |= {row["origin"].removeprefix("code:") for row in guide.facts["sample"]}
    cited |= {name for row in guide.facts["signature"] for name in row.get("said_by", [])}
    for block in guide.blocks:
        names = CITATION.findall(strip_code(block.text))
        cited.update(names)
        if not names:
            yield Problem(guide.path, block.line, "this statement names no source: add [^id]")
        for name in names:
            if name not in sources:
                yield Problem(guide.path, block.line, f"[^{name}]: no such source")
    for key in sources.keys() - cited:
        line = guide.line_of("source", sources[key])
        yield Problem(guide.path, line, f"[source] {key} is cited nowhere")


def strip_code(text: str) -> str:
    """Words without their fenced code blocks."""
    return re.sub(r"^ *(```|~~~).*?^ *\1 *$", "", text, flags=re.MULTILINE | re.DOTALL)


def check_ledger(tool: ToolSource) -> Iterator[Problem]:
    """A published slug is never renamed: it has its file, or is marked as retired."""
    shown = f"{tool.folder.parent.name}/{tool.slug}/{LEDGER}"
    files = {file.stem for file in tool.folder.glob("*.md")}
    listed: set[str] = set()
    for line, slug, retired in tool.published_slugs():
        listed.add(slug)
        if slug not in files and not retired:
            text = (
                f"{slug}.md is gone: a published slug never changes. Bring it back, or write 'retired {slug}'"
            )
            yield Problem(shown, line, text)
    for slug in sorted(files - listed):
        yield Problem(shown, 1, f"add the line {slug}: it is published from now on")


def check_wheels(tool: ToolSource, wheels: Path) -> Iterator[Problem]:
    """The words of each code source stand in that file of that release."""
    files: dict[str, zipfile.ZipFile] = {}
    for guide in tool.guides.values():
        for index, row in enumerate(guide.facts["source"]):
            if row["kind"] != SourceKind.CODE:
                continue
            wheel = next(wheels.glob(f"{tool.slug}-{row['version']}-*.whl"), None)
            if wheel is None:
                text = f"[source] {row['id']}: no wheel of {row['version']} in {wheels}"
            else:
                archive = files.setdefault(row["version"], zipfile.ZipFile(wheel))
                text = missing_words(archive, row)
            if text:
                yield Problem(guide.path, guide.line_of("source", index), text)


def missing_words(archive: zipfile.ZipFile, row: dict[str, Any]) -> str:
    """What to say if a file or the words in it aren't there; empty if they are."""
    try:
        text = archive.read(row["path"]).decode()
    except KeyError:
        return f"[source] {row['id']}: {row['version']} has no file {row['path']}"
    if row["contains"] not in text:
        return f"[source] {row['id']}: {row['path']} of {row['version']} doesn't contain {row['contains']!r}"
    return ""


def matcher_of(tools: list[ToolSource], only: GuideSource | None = None) -> Matcher:
    """All signatures, or those of one guide, compiled."""
    return Matcher(
        (
            pure_signature(f"{tool.slug}/{guide.slug}", row, tool.slug)
            for tool, guide, row in rows_of(tools, "signature")
            if only is None or guide is only
        ),
        marks={tool.slug: tool.marks for tool in tools},
    )


@lru_cache(maxsize=5_000)
def pasted(text: str) -> str:
    """A sample as the matcher gets it."""
    return redact(readable(text)).text


def check_samples(tools: list[ToolSource], draft: GuideSource | None = None) -> Iterator[Problem]:
    """Each sample is recognised by its own guide first; a near miss isn't recognised by it at all.

    With a draft: only its samples, and those that one of its signatures fits; it can't change the others.
    """
    matcher = matcher_of(tools)
    fits = matcher_of(tools, draft).match if draft else None
    counts: dict[str, int] = defaultdict(int)
    for tool, guide, row in rows_of(tools, "sample"):
        own = f"{tool.slug}/{guide.slug}"
        index = counts[own]
        counts[own] += 1
        text = pasted(row["text"])
        if fits and guide is not draft and not fits(text).matches:
            continue
        answer = matcher.match(text)
        found = [match.guide for match in answer.matches]
        line = guide.line_of("sample", index)
        if row.get("near_miss", False):
            if own in found:
                yield Problem(guide.path, line, "[sample] this near miss is recognised by its guide")
        elif not found or found[0] != own:
            won = found[0] if found else "nothing"
            yield Problem(guide.path, line, f"[sample] is recognised by {won}, not by its own guide")
        elif answer.verdict != "match":
            text = f"[sample] is as much one of {found[1]}: make the signature more specific"
            yield Problem(guide.path, line, text)


def rows_of(tools: list[ToolSource], name: str) -> Iterator[tuple[ToolSource, GuideSource, dict[str, Any]]]:
    """All rows of one table of all guides, with their guide and tool."""
    for tool in tools:
        for guide in tool.guides.values():
            for row in guide.facts[name]:
                yield tool, guide, row


def sentences(guide: GuideSource) -> list[tuple[int, str]]:
    """(line, sentence) of all words of a guide, without code, citations and case; four words at least."""
    found = []
    for block in guide.blocks:
        words = CITATION.sub("", strip_code(block.text))
        for sentence in re.split(r"(?<=[.!?:])\s+|\n(?=\s*(?:[-*+]|\d+[.)]) )", words):
            plain = " ".join(re.findall(r"[\w$./{}<>=-]+", sentence.lower()))
            if plain.count(" ") >= 3:
                found.append((block.line, plain))
    return found


def check_sentences(tools: list[ToolSource]) -> Iterator[Problem]:
    """At most 2 % of a guide's sentences stand in another guide too."""
    guides = [guide for tool in tools for guide in tool.guides.values()]
    homes: dict[str, set[str]] = defaultdict(set)
    said = [(guide, sentences(guide)) for guide in guides]
    for guide, own in said:
        for _, sentence in own:
            homes[sentence].add(guide.slug)
    for guide, own in said:
        shared = [(line, sentence) for line, sentence in own if len(homes[sentence]) > 1]
        if len(shared) > SHARED_SENTENCES * len(own):
            for line, sentence in shared:
                others = ", ".join(sorted(homes[sentence] - {guide.slug})[:3])
                text = f"stands in {others} too ({len(shared)} of {len(own)} sentences): {sentence[:60]!r}"
                yield Problem(guide.path, line, text)
