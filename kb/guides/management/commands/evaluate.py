"""`manage.py evaluate FILE.jsonl`: how well labelled texts are matched."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.diagnosis.text import readable, redact
from kb.guides.matching import NotLoaded, as_object, judge, require_guides
from kb.guides.models import Guide


class Command(BaseCommand):
    help = 'Matches labelled texts ({"id","text","label"} a line) and prints top-1, top-3 and false matches.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_guides()
        except NotLoaded as error:
            raise CommandError(str(error)) from error
        try:
            rows = [json.loads(line) for line in options["file"].read_text().splitlines() if line.strip()]
            cases = [(row["id"], row["label"], found(row["text"])) for row in rows]
        except (OSError, ValueError, KeyError) as error:
            raise CommandError(f"{options['file']}: {type(error).__name__} {error}") from error
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
