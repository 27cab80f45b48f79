"""Which guides are due to be looked at again: by date, for want of an owner, or because of a release.

Nothing of it is stored but what releases have of the words that guides cite, and the review date that was
last reminded of.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from kb.guides.models import Guide, GuideQuerySet, Message, Release, Source, Tool
from kb.guides.vocabulary import SourceKind
from kb.notices.outbox import Event, announce
from kb.team.models import Note, ReleaseFile

SOON = timedelta(days=14)
HOLES = re.compile(r"\{[A-Za-z][\w .-]*\}|\n")  # of exact messages, and the ends of their lines
SHORTEST_PART, LONGEST_PART = 12, 200  # characters of a message's fixed part that is looked for


@dataclass(frozen=True, slots=True)
class Cited:
    """Words of a file that a guide cites; of several releases the newest, since it was read there too.

    A source's own words are `proven`: `check_content` holds them against the file. The fixed parts of an
    exact message need not stand there as they are printed.
    """

    guide: int
    version: str
    path: str
    words: str
    proven: bool = True


@dataclass(frozen=True, slots=True)
class Noted:
    """A file as one release has it (no digest: it has none), and which words were looked for and found."""

    sha256: str
    at: datetime
    words: Mapping[str, bool]

    def holds(self, words: str) -> bool | None:
        """Whether the words stand in it; None where nobody looked."""
        return self.words.get(words) if self.sha256 else False


@dataclass(frozen=True, slots=True)
class Change:
    """A cited file that lacks cited words in the newest release that was noted, or is gone from it."""

    guide: int
    path: str
    words: tuple[str, ...]
    cited: str
    newest: str
    gone: bool
    noted: datetime


Files = Mapping[tuple[str, str], Noted]  # (version, path)


def newest_cited(rows: Iterable[Cited], order: Mapping[str, int]) -> list[Cited]:
    """For each guide and path the citations of the newest release; unknown releases are left out."""
    known = [row for row in rows if row.version in order]
    newest: dict[tuple[int, str], int] = {}
    for row in known:
        place = (row.guide, row.path)
        newest[place] = max(order[row.version], newest.get(place, -1))
    return [row for row in known if order[row.version] == newest[row.guide, row.path]]


def newest_noted(files: Files, order: Mapping[str, int]) -> str:
    """The newest release of which files were noted; empty if there is none."""
    versions = {version for version, _ in files if version in order}
    return max(versions, key=lambda version: order[version], default="")


def changes(rows: Iterable[Cited], files: Files, order: Mapping[str, int]) -> list[Change]:
    """Where the newest noted release lacks words that an older one had; one for each guide and file."""
    newest = newest_noted(files, order)
    lost: dict[tuple[int, str, str], list[str]] = {}
    for row in newest_cited(rows, order):
        now, then = files.get((newest, row.path)), files.get((row.version, row.path))
        had = row.proven or (then is not None and then.holds(row.words))
        if now and had and order[newest] > order[row.version] and now.holds(row.words) is False:
            lost.setdefault((row.guide, row.path, row.version), []).append(row.words)
    found = []
    for (guide, path, cited), words in lost.items():
        now = files[newest, path]
        found.append(Change(guide, path, tuple(dict.fromkeys(words)), cited, newest, not now.sha256, now.at))
    return found


def not_noted(rows: Iterable[Cited], files: Files, order: Mapping[str, int]) -> dict[str, int]:
    """The newest noted release -> how many guides cite words that were never looked for in it."""
    newest = newest_noted(files, order)
    older = [row for row in newest_cited(rows, order) if newest and order[row.version] < order[newest]]
    unseen = [(row, files.get((newest, row.path))) for row in older if row.proven]
    guides = {row.guide for row, now in unseen if now is None or now.holds(row.words) is None}
    return {newest: len(guides)} if guides else {}


def looked_at_since(verified: date, edited: datetime | None, noted: datetime) -> bool:
    """Whether a guide was verified after a release was noted; on the same day its last edit decides."""
    day = timezone.localdate(noted)
    return verified > day or (verified == day and edited is not None and edited > noted)


def cited_words(tool: Tool) -> list[Cited]:
    """All words of files of releases that a published guide of the tool cites."""
    code = {"source__kind": SourceKind.CODE, "guide__retired": None, "guide__tool": tool}
    sources = Source.objects.filter(guide__tool=tool, guide__retired=None, kind=SourceKind.CODE)
    rows = sources.exclude(path="").exclude(contains="").order_by()
    found = [Cited(*row) for row in rows.values_list("guide", "version", "path", "contains").distinct()]
    messages = Message.objects.filter(**code).exclude(source__path="").order_by("pk")
    for guide, version, path, text in messages.values_list(
        "guide", "source__version", "source__path", "text"
    ):
        found += [Cited(guide, version, path, words, False) for words in fixed_parts(text)]
    return found


def fixed_parts(message: str) -> list[str]:
    """What an exact message says in every call: the longer stretches between its {holes}."""
    parts = [part.strip()[:LONGEST_PART] for part in HOLES.split(message)]
    return [part for part in parts if len(part) >= SHORTEST_PART]


def noted_files(tool: Tool) -> dict[tuple[str, str], Noted]:
    """What is known of the tool's files, by release and path."""
    rows = ReleaseFile.objects.filter(tool=tool)
    return {(row.version, row.path): Noted(row.sha256, row.noted, row.words) for row in rows}


def order_of(tool: Tool) -> dict[str, int]:
    """Release -> its place, the oldest first."""
    return dict(Release.objects.filter(tool=tool).values_list("version", "position"))


def by_release(tool: Tool) -> dict[int, list[Change]]:
    """Guide -> the files whose cited words a release changed since somebody last looked at it."""
    found = changes(cited_words(tool), noted_files(tool), order_of(tool))
    guides = Guide.objects.filter(pk__in={change.guide for change in found}).order_by()
    edited = guides.annotate(last=Max("revisions__at")).values_list("pk", "verified", "last")
    looked = {key: (verified, at) for key, verified, at in edited}
    due: dict[int, list[Change]] = {}
    for change in sorted(found, key=lambda change: change.path):
        if not looked_at_since(*looked[change.guide], change.noted):
            due.setdefault(change.guide, []).append(change)
    return due


def gaps(tool: Tool) -> dict[str, int]:
    """`not_noted`, of the tool as the database has it."""
    return not_noted(cited_words(tool), noted_files(tool), order_of(tool))


def overdue(today: date) -> GuideQuerySet:
    """Guides whose review date has passed, the longest first."""
    return (
        Guide.objects.published().filter(note__next_review__lt=today).order_by("note__next_review", "title")
    )


def soon(today: date) -> GuideQuerySet:
    """Guides whose review date is today or within two weeks, the next first."""
    guides = Guide.objects.published().filter(note__next_review__range=(today, today + SOON))
    return guides.order_by("note__next_review", "title")


def unowned() -> GuideQuerySet:
    """Guides that nobody, or nobody who still may sign in, looks after."""
    nobody = Q(note=None) | Q(note__owner=None) | Q(note__owner__is_active=False)
    return Guide.objects.published().filter(nobody).order_by("title")


def remind(today: date) -> list[Note]:
    """Tells of each guide that became overdue, once for each review date, however often it runs."""
    late = Note.objects.filter(guide__retired=None, next_review__lt=today)
    late = late.exclude(reminded=F("next_review")).select_related("guide__tool", "owner")
    return [note for note in late.order_by("next_review") if told(note)]


def told(note: Note) -> bool:
    """Announces one overdue guide, unless somebody else has just done so."""
    with transaction.atomic():
        same = Note.objects.filter(pk=note.pk, next_review=note.next_review)
        if not same.exclude(reminded=note.next_review).update(reminded=note.next_review):
            return False
        announce(
            Event.GUIDE_DUE,
            f"Due for review: {note.guide.title}",
            note.guide.get_absolute_url(),
            {
                "Guide": note.guide.title,
                "Owner": note.owner_name or "nobody",
                "Review was due": f"{note.next_review:%Y-%m-%d}",
                "Last verified": f"{note.guide.verified:%Y-%m-%d}",
            },
        )
    return True
