"""Which guides are due to be looked at again: by date, for want of an owner, or because of a release.

Nothing of it is stored but the digests of cited files, and the review date that was last reminded of.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from kb.guides.models import Guide, GuideQuerySet, Release, Source, Tool
from kb.guides.vocabulary import SourceKind
from kb.notices.outbox import Event, announce
from kb.team.models import Note, ReleaseFile

SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Cited:
    """A file that a guide cites; of several releases the newest, since its words were read there too."""

    guide: int
    version: str
    path: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A file as one release has it; without a digest where the release has no such file."""

    sha256: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A cited file that is another one in the newest release that was noted."""

    guide: int
    path: str
    cited: str
    newest: str
    gone: bool
    noted: datetime


Files = Mapping[tuple[str, str], Noted]  # (version, path)


def newest_cited(rows: Iterable[Cited], order: Mapping[str, int]) -> list[Cited]:
    """For each guide and path the citation of the newest release; releases that aren't known are left out."""
    best: dict[tuple[int, str], Cited] = {}
    for row in rows:
        known = best.get((row.guide, row.path))
        if row.version in order and (known is None or order[row.version] > order[known.version]):
            best[row.guide, row.path] = row
    return list(best.values())


def newest_noted(files: Files, order: Mapping[str, int]) -> str:
    """The newest release of which files were noted; empty if there is none."""
    versions = {version for version, _ in files if version in order}
    return max(versions, key=lambda version: order[version], default="")


def changes(rows: Iterable[Cited], files: Files, order: Mapping[str, int]) -> list[Change]:
    """What the newest noted release changed; a file that was noted of one release alone says nothing."""
    newest = newest_noted(files, order)
    found = []
    for row in newest_cited(rows, order):
        then, now = files.get((row.version, row.path)), files.get((newest, row.path))
        if then and now and order[newest] > order[row.version] and then.sha256 != now.sha256:
            found.append(Change(row.guide, row.path, row.version, newest, not now.sha256, now.at))
    return found


def not_noted(rows: Iterable[Cited], files: Files, order: Mapping[str, int]) -> dict[str, int]:
    """Release -> how many guides cite a file of it that can't be compared, since it was never noted."""
    newest = newest_noted(files, order)
    older = [row for row in newest_cited(rows, order) if newest and order[row.version] <= order[newest]]
    missing = {
        (version, row.guide)
        for row in older
        for version in (row.version, newest)
        if (version, row.path) not in files
    }
    counts: dict[str, int] = {}
    for version, _ in missing:
        counts[version] = counts.get(version, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: order[pair[0]]))


def looked_at_since(verified: date, edited: datetime | None, noted: datetime) -> bool:
    """Whether a guide was verified after a release was noted; on the same day its last edit decides."""
    day = timezone.localdate(noted)
    return verified > day or (verified == day and edited is not None and edited > noted)


def cited_files(tool: Tool) -> list[Cited]:
    """Every file of a release that a published guide of the tool cites."""
    sources = Source.objects.filter(guide__tool=tool, guide__retired=None, kind=SourceKind.CODE)
    rows = sources.exclude(path="").order_by().values_list("guide", "version", "path").distinct()
    return [Cited(*row) for row in rows]


def noted_files(tool: Tool) -> dict[tuple[str, str], Noted]:
    """What is known of the tool's files, by release and path."""
    rows = ReleaseFile.objects.filter(tool=tool)
    return {(row.version, row.path): Noted(row.sha256, row.noted) for row in rows}


def order_of(tool: Tool) -> dict[str, int]:
    """Release -> its place, the oldest first."""
    return dict(Release.objects.filter(tool=tool).values_list("version", "position"))


def by_release(tool: Tool) -> dict[int, list[Change]]:
    """Guide -> the files in it that a release changed since somebody last looked at it."""
    found = changes(cited_files(tool), noted_files(tool), order_of(tool))
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
    return not_noted(cited_files(tool), noted_files(tool), order_of(tool))


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
