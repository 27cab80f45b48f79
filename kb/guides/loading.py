"""Brings content files into the database: all of it in one transaction, or none."""

from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kb.audit.book import record
from kb.guides import contracts, shelf
from kb.guides.library import ToolSource, read_tools
from kb.guides.models import (
    FAQ,
    Cause,
    Entry,
    Guide,
    Message,
    PlatformCheck,
    Prevention,
    QuickFix,
    Release,
    Sample,
    Signature,
    Source,
    Step,
    Tool,
)
from kb.guides.proving import not_printed_by
from kb.guides.releases import table
from kb.guides.search import index
from kb.guides.source import SINGLE, ContentError, GuideSource, parse
from kb.web.markdown import RENDERER

DEADLOCK = "40P01"  # PostgreSQL ended this transaction so that another one could go on


@dataclass(slots=True)
class Loaded:
    """What a load changed, by slug."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)  # problems of guides that stay as they were
    unchanged: int = 0


def load(content: Path) -> Loaded:
    """Makes the database say what the files say. Raises ContentError, and then nothing has changed.

    A guide whose file is gone is retired, never deleted: readers' reports hang on it. A guide that was
    edited in the browser keeps those words; if its file changed too, it is named among the conflicts.
    """
    tools = read_tools(content)
    problems = contracts.check(tools)
    if problems:
        raise ContentError(problems)
    try:
        return bring_in(tools)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
            raise
        return bring_in(tools)


def bring_in(tools: list[ToolSource]) -> Loaded:
    """Writes what was read and checked, in one transaction."""
    loaded = Loaded()
    with transaction.atomic():
        for source in tools:
            load_tool(source, loaded)
        for tool in Tool.objects.exclude(slug__in=[source.slug for source in tools]).order_by("pk"):
            hold(tool, tool.guides.all())
            renew(tool, shelf.tool_source(tool), list(tool.guides.all()), loaded)
    return loaded


@lru_cache(maxsize=1)
def composition() -> str:
    """Changes when a template does: then all guides are composed anew."""
    files = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def load_tool(source: ToolSource, loaded: Loaded) -> None:
    """One tool, its releases and its guides."""
    tool = save_tool(source)
    releases = save_releases(source, tool)
    known = {guide.slug: guide for guide in tool.guides.all()}
    fresh = [load_guide(source, tool, releases, guide, known, loaded) for guide in source.guides.values()]
    relate(tool, [guide for guide in fresh if guide is not None])
    retire(known, source, loaded)
    renew(tool, source, [guide for slug, guide in known.items() if slug not in source.guides], loaded)


def save_tool(source: ToolSource) -> Tool:
    """The tool's row, locked with its guides, and written only if it says something else."""
    facts = {name: getattr(source, name) for name in ("name", "summary", "homepage", "source", "marks")}
    known, _ = Tool.objects.get_or_create(slug=source.slug, defaults=facts)
    tool = hold(known, known.guides.all())
    if any(getattr(tool, name) != value for name, value in facts.items()):
        for name, value in facts.items():
            setattr(tool, name, value)
        tool.save()
    return tool


def save_releases(source: ToolSource, tool: Tool) -> dict[str, Release]:
    """All releases of a tool by version: those of its file, in their order, and those of the admin."""
    releases = {release.version: release for release in tool.releases.all()}
    for position, version in enumerate(source.versions):
        release = releases.setdefault(version, Release(tool=tool, version=version))
        if release.position != position:
            release.position = position
            release.save()
    return releases


def hold(tool: Tool, guides: QuerySet[Guide]) -> Tool:
    """Locks a tool, then guides of it. All who publish lock in this order, so that none waits for another in
    a ring, and read the guides afterwards, so that nothing decided meanwhile is lost from a page.

    Other rows may still name what is locked: a report that is being written can be finished.
    """
    held = Tool.objects.select_for_update(no_key=True).get(pk=tool.pk)
    list(guides.order_by("pk").select_for_update(no_key=True).values_list("pk"))
    return held


def around(guide: Guide) -> QuerySet[Guide]:
    """A guide, and those whose pages show it among their related ones."""
    neighbours = Guide.related.through.objects.filter(to_guide=guide.pk)
    return Guide.objects.filter(Q(pk=guide.pk) | Q(pk__in=neighbours.values("from_guide")))


def digest(source: ToolSource, guide: GuideSource) -> str:
    """Changes when the file changes, when the way in which it is rendered does, or a release was read."""
    parts = (guide.text, RENDERER, composition(), source.source, table.digest(source.folder))
    return sha256("\0".join(parts).encode()).hexdigest()


def load_guide(
    source: ToolSource,
    tool: Tool,
    releases: dict[str, Release],
    file: GuideSource,
    known: dict[str, Guide],
    loaded: Loaded,
) -> tuple[Guide, list[str]] | None:
    """The guide with its related slugs, or None if nothing in it changed."""
    guide = known.get(file.slug)
    if guide and guide.edited and guide.text != file.text:
        here = edited_here(guide, file, loaded)
        if here is None:
            return None
        file = here
    elif guide and guide.base != file.text:
        guide.base, guide.theirs = file.text, ""
        guide.save(update_fields=["base", "theirs", "meaning_html", "why_html"])
        if guide.text == file.text:  # what was edited here stands in the file now
            guide.compose()
    current = digest(source, file)
    if guide and guide.digest == current and guide.text == file.text and guide.retired is None:
        loaded.unchanged += 1
        return None
    (loaded.changed if guide else loaded.added).append(file.slug)
    guide = guide or Guide(tool=tool, slug=file.slug, base=file.text)
    guide.digest = current
    save_guide(source, guide, file, releases)
    return guide, file.facts.get("related", [])


def edited_here(guide: Guide, file: GuideSource, loaded: Loaded) -> GuideSource | None:
    """The words that were written in the browser, which stay; a file that changed too is kept beside them."""
    theirs = file.text if file.text != guide.base else ""
    if theirs:
        loaded.conflicts.append(guide.slug)
    if theirs != guide.theirs:
        guide.theirs = theirs
        Guide.objects.filter(pk=guide.pk).update(theirs=theirs)
    return own_words(guide, loaded)


def own_words(guide: Guide, loaded: Loaded) -> GuideSource | None:
    """A guide's text as it was written here; None, and a word on it, if it breaks a rule of today."""
    try:
        return parse(guide.text, guide.slug, f"{guide.slug} as it was edited here")
    except ContentError as error:
        loaded.unread += map(str, error.problems)
        return None


def save_guide(
    source: ToolSource,
    guide: Guide,
    file: GuideSource,
    releases: dict[str, Release],
    by: User | None = None,
    why: str = "",
) -> None:
    """A guide's row and its parts, as its source says; neither related nor composed yet.

    It counts as updated where readers find other words: not if the same are only rendered in another way.
    """
    for name in ("title", "summary", "category", "hop", "verified"):
        setattr(guide, name, file.facts[name])
    guide.synonyms = file.facts.get("synonyms", [])
    review = file.facts.get(SINGLE)
    guide.review = review | {"read": review["read"].isoformat()} if review else {}
    changed = guide.text != file.text
    if changed or guide.retired:
        guide.updated = timezone.now()
    guide.text, guide.retired = file.text, None
    guide.meaning, guide.why = file.meaning, file.why
    guide.save()
    if changed:
        guide.revisions.create(text=file.text, by=by, why=why)
    save_parts(source, guide, file)
    guide.save()  # once more, now that its sources can word its citations
    guide.releases.set(releases[v] for row in file.facts["message"] for v in row["versions"])


def publish(source: ToolSource, guide: Guide, file: GuideSource, by: User | None, why: str) -> None:
    """Makes a guide say what was written in the browser; `guide` may be new. Its base stays what it is.

    The caller has checked the words (`contracts.check`), and wraps this in a transaction that began to
    `hold` the tool and what is `around` the guide before it read them.
    """
    releases = {release.version: release for release in guide.tool.releases.all()}
    guide.digest = digest(source, file)
    save_guide(source, guide, file, releases, by, why)
    record("guide.published", by, guide.title, guide.get_absolute_url(), why=why)
    relate(guide.tool, [(guide, file.facts.get("related", []))])


def save_parts(source: ToolSource, guide: Guide, file: GuideSource) -> None:
    """Everything below a guide. Sources come first: messages and citations name them."""
    guide.messages.all().delete()  # they hold on to their sources
    sources = replace(Source, guide, [source_row(source, row) for row in file.facts["source"]])
    vars(guide).pop("chips", None)  # they are worded by the sources that were
    ids = {one.key: one for one in sources}
    replace(Message, guide, [message_row(source, ids, row) for row in file.facts["message"]])
    replace(Signature, guide, [signature_row(row) for row in file.facts["signature"]])
    replace(Sample, guide, file.facts["sample"])
    causes = save_entries(Cause, guide, [cause_row(e) for e in file.entries["Causes"]])
    save_fixes(guide, file, causes)
    for model, section in ENTRIES.items():
        save_entries(model, guide, [entry_row(e) for e in file.entries[section]])


ENTRIES: dict[type[Entry], str] = {
    PlatformCheck: "Platform checks",
    Step: "Step by step",
    Prevention: "Prevention",
    FAQ: "FAQ",
}


def key_row(row: dict[str, Any]) -> dict[str, Any]:
    """In files an id is called id; in rows it is called key, since id is the row's own."""
    return {("key" if name == "id" else name): value for name, value in row.items()}


def entry_row(entry: Any) -> dict[str, Any]:
    """An entry's fields."""
    return {"key": entry.key, "title": entry.title, "body": entry.body}


def signature_row(row: dict[str, Any]) -> dict[str, Any]:
    """A signature's fields; who said its texts is for those who check the words, not for the matcher."""
    return {name: value for name, value in key_row(row).items() if name != "said_by"}


def cause_row(entry: Any) -> dict[str, Any]:
    """A cause's fields."""
    return entry_row(entry) | {"confirm": entry.parts["Confirm"]}


def fix_row(entry: Any, facts: dict[str, Any]) -> dict[str, Any]:
    """A quick fix's fields: its words, and its facts without the causes."""
    parts = entry.parts
    words = {"when": parts["When to choose it"], "cost": parts["Cost"], "verify": parts["Verify"]}
    own = {name: value for name, value in facts.items() if name != "causes"}
    return entry_row(entry) | words | own | {"body": parts["Steps"]}


def save_fixes(guide: Guide, file: GuideSource, causes: dict[str, Any]) -> None:
    """Quick fixes, tied to the causes that they remedy."""
    facts = file.facts.get("fix", {})
    rows = [fix_row(entry, facts[entry.key]) for entry in file.entries["Quick fixes"]]
    for key, fix in save_entries(QuickFix, guide, rows).items():
        fix.causes.set(causes[cause] for cause in facts[key].get("causes", []))


def source_row(source: ToolSource, row: dict[str, Any]) -> dict[str, Any]:
    """A source's fields, with the address at which it can be read."""
    facts = {name: value for name, value in key_row(row).items() if name != "capture"}
    if "capture" in row:
        facts["version"], facts["path"] = row["capture"].split("/", 1)[0], row["capture"]
    if row["kind"] == "code":
        facts["url"] = source.code_url(row["version"], row["path"])
    return facts


def message_row(source: ToolSource, sources: dict[str, Source], row: dict[str, Any]) -> dict[str, Any]:
    """A message's fields, with the releases that were read and don't print it."""
    older, later = not_printed_by(source.folder, row)
    return {**row, "source": sources[row["source"]], "not_yet_in": older, "no_longer_in": later}


def replace(model: Any, guide: Guide, rows: list[dict[str, Any]]) -> list[Any]:
    """Parts on which nothing of a reader's hangs are made anew."""
    model.objects.filter(guide=guide).delete()
    made = model.objects.bulk_create(model(guide=guide, position=n, **row) for n, row in enumerate(rows))
    return list(made)


def save_entries(model: Any, guide: Guide, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Entries keep their row as long as they keep their key, since reports may hang on it."""
    known = {entry.key: entry for entry in model.objects.filter(guide=guide)}
    saved = {}
    for position, row in enumerate(rows):
        entry = known.pop(row["key"], None) or model()
        for name, value in (row | {"guide": guide, "position": position}).items():
            setattr(entry, name, value)
        entry.save()
        saved[row["key"]] = entry
    model.objects.filter(pk__in=[entry.pk for entry in known.values()]).delete()
    return saved


def relate(tool: Tool, fresh: list[tuple[Guide, list[str]]]) -> None:
    """Ties guides to each other, composes their pages and brings them into the search index."""
    guides = {guide.slug: guide for guide in tool.guides.all()}
    for guide, related in fresh:
        guide.related.set(guides[slug] for slug in related)
    changed = [guide for guide, _ in fresh]
    for guide in changed:
        guide.compose()
        index(guide)
    for guide in tool.guides.filter(related__in=changed).exclude(pk__in=[g.pk for g in changed]).distinct():
        guide.compose()


def retire(known: dict[str, Guide], source: ToolSource, loaded: Loaded) -> None:
    """Guides whose file is gone leave the lists; their pages stay and say so.

    Without a base a guide was made in the browser, unless it has no text either: then it was loaded before
    texts were kept.
    """
    for slug, guide in known.items():
        had_file = guide.base or not guide.text
        if slug not in source.guides and guide.retired is None and had_file:
            guide.retired = timezone.now()
            guide.save(update_fields=["retired", "meaning_html", "why_html"])
            guide.compose()
            guide.compose_neighbours()
            index(guide)
            loaded.retired.append(slug)


def renew(tool: Tool, source: ToolSource, guides: list[Guide], loaded: Loaded) -> None:
    """Guides that no file names are made anew from their own text once the way of rendering changed."""
    releases = {release.version: release for release in tool.releases.all()}
    fresh = []
    for guide in guides:
        file = own_words(guide, loaded) if guide.text and guide.retired is None else None
        if file and guide.digest != digest(source, file):
            guide.digest = digest(source, file)
            save_guide(source, guide, file, releases)
            loaded.changed.append(guide.slug)
            fresh.append((guide, file.facts.get("related", [])))
    relate(tool, fresh)
