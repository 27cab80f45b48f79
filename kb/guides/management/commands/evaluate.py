"""`manage.py evaluate`: how well labelled texts, or all that the releases can say, are matched."""

from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.diagnosis.text import readable, redact
from kb.guides.lines import read_bytes, rows
from kb.guides.matching import NotLoaded, as_object, judge, published, require_guides
from kb.guides.models import Guide, Tool
from kb.guides.releases import table
from kb.guides.rendered import measuring


class Command(BaseCommand):
    help = (
        'Matches labelled texts ({"id","text","label"} a line) and prints top-1, top-3 and false matches.'
        " With --rendered: every text of the scanned releases, with made-up values, in every transport."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--rendered", action="store_true", help="render and match what the releases say")
        parser.add_argument("--seed", type=int, default=1, help="of the made-up values (1)")
        parser.add_argument(
            "--each", type=int, default=1, help="times that a text is rendered for a transport (1)"
        )
        parser.add_argument("--report", type=Path, metavar="FILE", help="write the table there, as Markdown")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_guides()
        except NotLoaded as error:
            raise CommandError(str(error)) from error
        if options["rendered"] is (options["file"] is not None):
            raise CommandError("Name a file of labelled texts, or use --rendered.")
        if options["rendered"]:
            self.rendered(options["seed"], options["each"], options["report"])
        else:
            self.labelled(options["file"])

    def rendered(self, seed: int, each: int, report: Path | None) -> None:
        """All that the releases of all tools can say."""
        folders = [Path(settings.CONTENT_DIR) / slug for slug in Tool.objects.values_list("slug", flat=True)]
        rows = [row for folder in folders for row, _ in table.read(folder).entries]
        if not rows:
            raise CommandError("No release was scanned yet: run manage.py scan_release first.")
        shown = measuring.table(measuring.measure(rows, measuring.Judge.of(*published()), seed, each))
        if report is None:
            self.stdout.write(shown)
            return
        try:
            report.write_text(shown)
        except OSError as error:
            raise CommandError(f"{report}: {error.strerror}") from error
        self.stdout.write(shown.partition("\n\n")[0])

    def labelled(self, file: Path) -> None:
        """Texts with the guide that each should find."""
        lines = rows(read_bytes(file), "id", "text", "label")
        cases = [(str(key), str(label), found(str(text))) for key, text, label in lines]
        known = set(Guide.objects.published().values_list("slug", flat=True))
        self.by_label([case for case in cases if case[1] in known])
        self.without_guide([case for case in cases if case[1] not in known])

    def by_label(self, cases: list[tuple[str, str, list[str]]]) -> None:
        """Labels that have a guide: found first, found among three, and what was found instead."""
        total, top1, top3 = Counter[str](), Counter[str](), Counter[str]()
        for key, label, slugs in cases:
            total[label] += 1
            top1[label] += slugs[:1] == [label]
            top3[label] += label in slugs[:3]
            if slugs[:1] != [label]:
                self.stdout.write(f"missed {key}: {label}, found {slugs[0] if slugs else 'nothing'}")
        for label in sorted(total):
            self.stdout.write(
                f"{label:45} top-1 {top1[label]}/{total[label]} top-3 {top3[label]}/{total[label]}"
            )
        self.stdout.write(
            f"With a guide: top-1 {share(top1, total)}, top-3 {share(top3, total)}, {len(cases)} texts."
        )

    def without_guide(self, cases: list[tuple[str, str, list[str]]]) -> None:
        """Labels that have none, and `none`: everything that is matched is a false match."""
        wrong = [(key, label, slugs[0]) for key, label, slugs in cases if slugs]
        for key, label, slug in wrong:
            self.stdout.write(f"false match {key}: {label}, found {slug}")
        none = sum(label == "none" for _, label, _ in wrong)
        self.stdout.write(
            f"Without a guide: {len(wrong)} of {len(cases)} texts matched; of these {none} are labelled none."
        )


def found(text: str) -> list[str]:
    """Slugs of the guides that fit, best first."""
    return [match["slug"] for match in as_object(judge(redact(readable(text))))["matches"]]


def share(part: Counter[str], whole: Counter[str]) -> str:
    """Such as 97.5 %."""
    return f"{100 * part.total() / max(whole.total(), 1):.1f} %"
