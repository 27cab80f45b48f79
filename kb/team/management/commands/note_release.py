"""`manage.py note_release litellm==VERSION | FILE.whl`: which guides cite words that a release changed."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from kb.guides.models import Guide, Tool
from kb.notices.outbox import Event, announce
from kb.team import releases
from kb.team.due import Change, by_release, gaps


class Command(BaseCommand):
    help = "Notes what a release has of the words that guides cite, and says which guides are due."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "release", help="PACKAGE==VERSION, which pip fetches, or a .whl file; none is run"
        )
        parser.add_argument("--tool", help="the tool's slug, where it isn't the package's name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tool, version = note(options["release"], options["tool"])
        except releases.CannotNote as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Noted: {tool} {version}.")
        due = by_release(tool)
        titles = Guide.objects.in_bulk(list(due))
        for key, changed in sorted(due.items(), key=lambda pair: titles[pair[0]].slug):
            self.stdout.write(f"due: {titles[key].slug}")
            for change in changed:
                self.stdout.write(f"  {change.path}: {said(change)}")
        for missing, count in gaps(tool).items():
            guides = "1 guide cites" if count == 1 else f"{count} guides cite"
            again = f"Note {missing} again."
            self.stdout.write(f"not compared: {guides} words that weren't looked for in {missing}. {again}")
        if due:
            tell(tool, version, len(due))
        self.stdout.write("1 guide is due." if len(due) == 1 else f"{len(due)} guides are due.")


def said(change: Change) -> str:
    """What became of a cited file."""
    if change.gone:
        return f"gone from {change.newest} since {change.cited}"
    words = "; ".join(change.words)
    return f"{change.newest} lacks what {change.cited} had: {words}"


def tell(tool: Tool, version: str, count: int) -> None:
    """One notice for all guides that a release made due."""
    guides = "1 guide cites words" if count == 1 else f"{count} guides cite words"
    facts = {"Tool": tool.name, "Release": version, "Guides": str(count)}
    announce(Event.GUIDE_DUE, f"{guides} that {tool} {version} changed", reverse("due"), facts)


def note(release: str, slug: str | None) -> tuple[Tool, str]:
    """Notes what the command was given. Raises CannotNote."""
    if release.endswith(".whl"):
        package = Path(release).name.split("-", 1)[0]
        tool = tool_of(slug or releases.normal(package))
        return tool, releases.note_wheel(Path(release), tool, package)
    asked = releases.ASKED.fullmatch(release)
    if asked is None:
        raise releases.CannotNote(f"{release!r} is no release: give PACKAGE==VERSION or a .whl file.")
    package, version = asked.groups()
    releases.refuse_compromised(package, version)
    tool = tool_of(slug or releases.normal(package))
    releases.known_release(tool, version)
    with releases.downloaded(package, version) as wheel:
        return tool, releases.note_wheel(wheel, tool, package, version)


def tool_of(slug: str) -> Tool:
    """The tool of that slug. Raises CannotNote."""
    tool = Tool.objects.filter(slug=slug).first()
    if tool is None:
        known = ", ".join(Tool.objects.values_list("slug", flat=True)) or "none yet"
        raise releases.CannotNote(f"There is no tool {slug!r}. Give one with --tool: {known}.")
    return tool
