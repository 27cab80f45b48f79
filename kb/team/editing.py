"""The only code that changes drafts and, through them, guides. Who does it says which revision they saw.

Nothing is overwritten that nobody looked at: an old revision is refused with `Late`, a guide that changed
meanwhile is brought together with the draft, or refused with `Clashing`.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from kb.audit.book import record
from kb.diagnosis.text import harmless, redact
from kb.guides import shelf
from kb.guides.loading import around, hold
from kb.guides.loading import publish as bring_in
from kb.guides.models import Guide, Revision, Tool
from kb.guides.source import SLUG, parse
from kb.team.checking import Found, problems_of, source_path
from kb.team.comparing import Clash, Merged, merge
from kb.team.models import OPEN, Draft, Stage
from kb.team.roles import ADMINISTER, WRITE

MOST_BYTES = 256_000
MOST_LINES = 5_000
LONGEST_WHY = 300
LONGEST_REMARK = 1_000


class Refused(ValueError):
    """It makes no sense; the message says what to do instead."""


class Unexplained(Refused):
    """The line for the history is missing."""

    def __init__(self) -> None:
        super().__init__("Say in one line what you changed and why: the history shows it.")


class TooLarge(Refused):
    """The text is larger than any guide should be."""


class Late(Exception):
    """The draft was saved, sent on or published since the person looked; `draft` is as it stands now."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        super().__init__("The draft was changed in another tab or by somebody else since you opened it.")


class NotReady(Exception):
    """Checks fail; `found` says which."""

    def __init__(self, found: list[Found]) -> None:
        self.found = found
        super().__init__("Solve the problems first.")


class Clashing(Exception):
    """The guide changed in the same places since the draft began; `merged` has both."""

    def __init__(self, merged: Merged) -> None:
        self.merged = merged
        super().__init__("The guide was changed in the same places since this draft began.")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text as it may be kept, and how many secrets of which kind were taken out."""

    text: str
    removed: dict[str, int]


def clean(typed: str, *known: str) -> Cleaned:
    """What was typed, safe to keep. Lines of `known` texts stay: their made-up keys were looked at before.

    A text that has too many lines for a guide is no guide: nothing in it is known.
    """
    plain = harmless(typed).replace("\r\n", "\n").replace("\r", "\n")
    lines = {line for text in known for line in text.split("\n") if line}
    if plain.count("\n") >= MOST_LINES:
        lines = set()
    removed: dict[str, int] = {}
    made: list[str] = []
    fresh: list[str] = []
    for line in [*plain.split("\n"), None]:
        if line is not None and line not in lines:
            fresh.append(line)
            continue
        if fresh:
            redacted = redact("\n".join(fresh))
            made.append(redacted.text)
            fresh = []
            for kind, count in redacted.counts.items():
                removed[kind] = removed.get(kind, 0) + count
        if line is not None:
            made.append(line)
    return Cleaned("\n".join(made), {kind: count for kind, count in removed.items() if count})


def fits(text: str) -> None:
    """Raises TooLarge for what is no guide any more, Refused for nothing at all."""
    size = len(text.encode())
    if size > MOST_BYTES:
        raise TooLarge(f"This text has {size:,} bytes; {MOST_BYTES:,} is the most that a guide may have.")
    if text.count("\n") >= MOST_LINES:
        raise TooLarge(f"This text has more than {MOST_LINES:,} lines: shorten its samples.")
    if not text.strip():
        raise Refused("There is nothing to save: the text is empty.")


def short(words: str, most: int) -> str:
    """One line of words about an edit, free of secrets. Raises Refused above `most`."""
    line = redact(" ".join(harmless(words).split())).text
    if len(line) > most:
        raise Refused(f"These are {len(line)} characters; {most} is the most.")
    return line


def open_draft(guide: Guide, by: User) -> Draft | None:
    """What somebody has begun on a guide and not finished."""
    drafts = Draft.objects.select_related("guide__tool", "tool", "by", "reader")
    return drafts.filter(guide=guide, by=by, stage__in=OPEN).first()


def save(draft: Draft, text: str, why: str, seen: int) -> Draft:
    """Keeps what the author typed. A draft without a key is made; its `base` is the caller's to give."""
    fits(text)
    with transaction.atomic():
        held = locked(draft, seen)
        if held.stage != Stage.WRITING:
            raise Refused("It waits for a second reader: take it back first, then write on.")
        held.text, held.why = text, short(why, LONGEST_WHY)
        kept(held)
    return held


def locked(draft: Draft, seen: int) -> Draft:
    """The draft's row, which nobody else can change until the transaction ends. Raises Late."""
    if draft._state.adding:
        return first(draft, seen)
    rows = Draft.objects.select_for_update(of=("self",)).select_related("guide__tool", "tool", "by", "reader")
    held = rows.get(pk=draft.pk)
    if held.revision != seen:
        raise Late(held)
    return held


def first(draft: Draft, seen: int) -> Draft:
    """A new draft, unless another tab has made one since."""
    owner = draft.guide or draft.tool
    type(owner).objects.select_for_update(no_key=True).only("pk").get(pk=owner.pk)
    others = Draft.objects.select_related("guide__tool", "tool", "by", "reader")
    known = others.filter(tool=draft.tool, slug=draft.slug, by=draft.by, stage__in=OPEN).first()
    if known:
        raise Late(known)
    if seen:
        raise Refused("The draft that you opened is finished or discarded: save it once more as a new one.")
    return draft


def kept(draft: Draft) -> None:
    """Writes a draft, one revision on."""
    draft.revision += 1
    draft.saved = timezone.now()
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError as error:
        raise Refused("Another draft of it was made at the same moment: open that one.") from error


def move(draft: Draft, seen: int, stage: Stage, *, of: Stage, by: User, **more: Any) -> Draft:
    """Gives a draft another stage. Raises Late, or Refused where it isn't at the stage `of`."""
    with transaction.atomic():
        held = locked(draft, seen)
        if held.stage != of:
            raise Refused(f"This draft is {held.get_stage_display()}.")
        held.stage = stage
        for name, value in more.items():
            setattr(held, name, value)
        kept(held)
        record(f"draft.{stage}", by, held.slug, f"/drafts/{held.pk}/")
    return held


def ask(draft: Draft, by: User, seen: int) -> Draft:
    """The author asks for a second reader. Raises NotReady where checks fail."""
    if not draft.why:
        raise Unexplained
    found = problems_of(draft.tool, draft.slug, draft.text)
    if found:
        raise NotReady(found)
    return move(draft, seen, Stage.REVIEW, of=Stage.WRITING, by=by, remark="", reader=None)


def withdraw(draft: Draft, by: User, seen: int) -> Draft:
    """The author takes it back and writes on."""
    return move(draft, seen, Stage.WRITING, of=Stage.REVIEW, by=by)


def discard(draft: Draft, by: User, seen: int) -> Draft:
    """The author gives it up; the row stays, so that nothing typed is gone for good."""
    return move(draft, seen, Stage.DISCARDED, of=Stage.WRITING, by=by)


def send_back(draft: Draft, by: User, remark: str, seen: int) -> Draft:
    """A second reader wants it changed, and says how."""
    words = short(remark, LONGEST_REMARK)
    if not words:
        raise Refused("Say what should be changed: the author reads it.")
    return move(draft, seen, Stage.WRITING, of=Stage.REVIEW, by=by, remark=words, reader=by)


def may_publish(draft: Draft, by: User) -> bool:
    """A second reader, or an administrator without one."""
    return by.has_perm(WRITE) and (draft.by_id != by.pk or by.has_perm(ADMINISTER))


def together(draft: Draft, served: str) -> Merged:
    """The draft with what happened to the guide since it began."""
    if draft.base == served:
        return Merged(draft.text, ())
    return merge(draft.base, served, draft.text)


def rebase(draft: Draft, seen: int, prefer: str) -> Draft:
    """Brings into a draft what happened to its guide; `prefer` (ours, theirs) decides where both changed."""
    with transaction.atomic():
        held = locked(draft, seen)
        if held.stage != Stage.WRITING or held.guide is None:
            raise Refused(f"This draft is {held.get_stage_display()}.")
        served = Guide.objects.get(pk=held.guide.pk).text
        held.text = merge(held.base, served, held.text, prefer).text
        held.base = served
        kept(held)
    return held


def publish(draft: Draft, by: User, seen: int, served: str) -> Guide:
    """Makes the guide say what the draft says; all of it, or nothing.

    `served` is the text of the guide that the reader held it against. Raises Refused, Late, Clashing and
    NotReady.
    """
    with transaction.atomic():
        held = locked(draft, seen)
        alone = held.by_id == by.pk
        if held.stage != Stage.REVIEW and not (alone and held.stage == Stage.WRITING):
            raise Refused(f"This draft is {held.get_stage_display()}.")
        if not may_publish(held, by):
            raise Refused("Nobody publishes their own draft: ask for a second reader.")
        if not held.why:
            raise Unexplained
        guide = guide_of(held)
        if guide.text != served:
            raise Refused("The guide was changed while you read: look at the differences again.")
        text = ready(held, guide)
        if held.brings:
            guide.base, guide.theirs = held.brings, "" if guide.theirs == held.brings else guide.theirs
        revision = publish_text(guide, text, held.by, held.why)
        held.stage, held.became, held.reader = Stage.PUBLISHED, revision, None if alone else by
        held.guide = guide
        kept(held)
        record("draft.published", by, guide.title, guide.get_absolute_url(), alone="yes" if alone else "no")
    return guide


def guide_of(draft: Draft) -> Guide:
    """The guide's row, locked with its neighbours; a new one where the draft makes it. Raises Refused."""
    if draft.guide is None:
        hold(draft.tool, Guide.objects.none())
        if Guide.objects.filter(tool=draft.tool, slug=draft.slug).exists():
            raise Refused("A guide of this name was published meanwhile: bring your words into that one.")
        return Guide(tool=draft.tool, slug=draft.slug)
    hold(draft.tool, around(draft.guide))
    guide = Guide.objects.select_related("tool").get(pk=draft.guide.pk)
    if guide.retired:
        raise Refused("This guide is retired: nothing is published in it.")
    return guide


def ready(draft: Draft, guide: Guide) -> str:
    """The text to publish. Raises Clashing, NotReady, or Refused where nothing would change."""
    merged = together(draft, guide.text)
    if merged.clashes:
        raise Clashing(merged)
    if merged.text == guide.text:
        raise Refused("It says what the guide says already: there is nothing to publish.")
    found = problems_of(draft.tool, draft.slug, merged.text)
    if found:
        raise NotReady(found)
    return merged.text


def publish_text(guide: Guide, text: str, by: User | None, why: str) -> Revision:
    """A checked text as the guide's; inside a transaction."""
    file = parse(text, guide.slug, source_path(guide.tool, guide.slug))
    bring_in(shelf.tool_source(guide.tool), guide, file, by, why)
    revision = guide.revisions.first()
    assert revision is not None  # noqa: S101  a text that differs always makes one
    return revision


def new(tool: Tool, slug: str, by: User, text: str) -> Draft:
    """A draft of a guide that isn't there yet. Raises Refused for a slug that can't be."""
    slug = " ".join(harmless(slug).split())
    if not SLUG.fullmatch(slug) or len(slug) > 120:
        raise Refused("Use lower-case letters, digits and single hyphens, such as key-over-budget.")
    ledger = {known for _, known, _ in shelf.tool_source(tool).published_slugs()}
    if slug in ledger or tool.guides.filter(slug=slug).exists():
        raise Refused(f"There is a guide {slug} already, or there was one: names are never used again.")
    other = Draft.objects.filter(tool=tool, slug=slug, guide=None, stage__in=OPEN).exclude(by=by).first()
    if other:
        raise Refused(f"{other.by or 'Somebody'} is writing a guide {slug} already.")
    draft = Draft(tool=tool, slug=slug, by=by, text=text, why="")
    try:
        return save(draft, text, "", 0)
    except Late as late:
        return late.draft


def clashes(draft: Draft) -> tuple[Clash, ...]:
    """Where the draft and its guide were both changed."""
    return together(draft, draft.guide.text).clashes if draft.guide else ()
