"""What happens to a guide besides editing it: an old text comes back as a draft, files and edits are brought
together, and guides that were made here are retired."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from kb.audit.book import record
from kb.guides.loading import around, hold
from kb.guides.models import Guide, Revision
from kb.guides.search import index
from kb.team.checking import problems_of
from kb.team.comparing import merge
from kb.team.editing import NotReady, Refused, open_draft, publish_text, save
from kb.team.models import Draft


def bring_back(guide: Guide, revision: Revision, by: User) -> Draft:
    """A draft with an old text; the guide stays as it is until that is published."""
    why = f"Bring back the text of {revision.at:%Y-%m-%d %H:%M}"
    return draft_with(guide, revision.text, why, by, base=guide.text)


def draft_with(guide: Guide, text: str, why: str, by: User, **more: str) -> Draft:
    """A new draft of somebody who has none open; `more` are its other texts."""
    if open_draft(guide, by):
        raise Refused("You have a draft of this guide already: finish or discard it first.")
    if text == guide.text:
        raise Refused("The guide says exactly that already.")
    draft = Draft(tool=guide.tool, guide=guide, slug=guide.slug, by=by, **more)
    return save(draft, text, why, 0)


def held(guide: Guide) -> Guide:
    """The guide's row, locked with its neighbours, with all its fields fresh."""
    hold(guide.tool, around(guide))
    return Guide.objects.select_related("tool").get(pk=guide.pk)


def settle(guide: Guide, theirs: str, way: str, by: User) -> Draft | None:
    """Ends a guide's being edited both here and in its file; `theirs` is the file that the person saw.

    `theirs` takes the file's words, `ours` keeps those that are served. `merge` makes a draft that brings in
    what changed in the file; the guide stays edited twice until that draft is published.
    """
    with transaction.atomic():
        row = held(guide)
        if not row.theirs or row.theirs != theirs:
            raise Refused("The file changed again, or somebody has settled it: look at it as it is now.")
        if row.retired:
            raise Refused("This guide is retired: nothing is published in it.")
        record(f"guide.{way}", by, row.title, row.get_absolute_url())
        if way == "merge":
            return both(row, by)
        row.base, row.theirs = theirs, ""
        Guide.objects.filter(pk=row.pk).update(base=theirs, theirs="")
        if way == "theirs":
            found = problems_of(row.tool, row.slug, theirs)
            if found:
                raise NotReady(found)
            if theirs != row.text:
                publish_text(row, theirs, by, "Took the words of its file")
    return None


def both(guide: Guide, by: User) -> Draft:
    """A draft with what is served and what changed in the file. Where both changed the same lines it has the
    file's, and its author decides, as in any draft whose guide changed meanwhile."""
    merged = merge(guide.base, guide.text, guide.theirs)
    if merged.text == guide.text:
        raise Refused("What changed in the file is served already: keep what is served.")
    why, theirs = "Bring in what changed in its file", guide.theirs
    if merged.clashes:
        return draft_with(guide, theirs, why, by, base=guide.base, brings=theirs)
    return draft_with(guide, merged.text, why, by, base=guide.text, brings=theirs)


def retire(guide: Guide, by: User) -> None:
    """Takes a guide that was made here out of the lists; its page stays and says so."""
    with transaction.atomic():
        row = held(guide)
        if row.base:
            raise Refused("This guide has a file: remove that, and the next load retires it.")
        if row.retired:
            raise Refused("It is retired already.")
        named_by = row.tool.guides.published().filter(related=row).values_list("slug", flat=True)
        if named_by:
            raise Refused(f"Take it out of the related guides of {', '.join(named_by)} first.")
        row.retired = timezone.now()
        recorded(row, by, "Retired")


def revive(guide: Guide, by: User) -> None:
    """Brings a guide that was retired here back into the lists."""
    with transaction.atomic():
        row = held(guide)
        if row.base or not row.retired:
            raise Refused("Only a guide that was made and retired here can be brought back here.")
        found = problems_of(row.tool, row.slug, row.text)
        if found:
            raise NotReady(found)
        row.retired, row.updated = None, timezone.now()
        recorded(row, by, "Brought back into the lists")


def recorded(row: Guide, by: User, why: str) -> None:
    """Writes the guide, its page and its place in the index, and adds it to the history."""
    row.save(update_fields=["retired", "updated", "meaning_html", "why_html"])
    row.revisions.create(text=row.text, by=by, why=why)
    row.compose()
    row.compose_neighbours()
    index(row)
    record("guide.retired" if row.retired else "guide.revived", by, row.title, row.get_absolute_url())
