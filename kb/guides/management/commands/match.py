"""`manage.py match`: which guide fits a text."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kb.diagnosis.text import TextTooLarge, readable, redact
from kb.guides.lines import read_bytes, rows
from kb.guides.matching import NotLoaded, as_object, judge, require_guides


class Command(BaseCommand):
    help = "Says which guide fits a text (FILE, or standard input)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path)
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="print the match object")
        how.add_argument(
            "--jsonl",
            action="store_true",
            help='read {"id","text"} a line, write {"id", ...} a line',
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_guides()
        except NotLoaded as error:
            raise CommandError(str(error)) from error
        raw = read_bytes(options["file"])
        if options["jsonl"]:
            self.lines(raw)
        elif options["json"]:
            self.stdout.write(json.dumps(self.answer(decoded(raw)), indent=2))
        else:
            self.stdout.write(readable_answer(self.answer(decoded(raw))))

    def answer(self, text: str) -> dict[str, Any]:
        """The match object of one text."""
        try:
            return as_object(judge(redact(readable(text))))
        except TextTooLarge as error:
            raise CommandError(str(error)) from error

    def lines(self, raw: bytes) -> None:
        """One match object a line; a line that can't be read stops the run and is named."""
        for key, text in rows(raw, "id", "text"):
            self.stdout.write(json.dumps({"id": key, **self.answer(str(text))}))


def decoded(raw: bytes) -> str:
    """Text of any bytes: what is not UTF-8 becomes a replacement character."""
    return raw.decode("utf-8", "replace")


def readable_answer(answer: dict[str, Any]) -> str:
    """The answer for somebody at a terminal."""
    if not answer["matches"]:
        return "\n".join((*conditional(answer), f"Fingerprint {answer['fingerprint']}."))
    rows = []
    for place, match in enumerate(answer["matches"]):
        rows.append(f"{match['title']}\n  {match['url']}  ({match['category']}, hop {match['hop']})")
        rows.append(f"  confidence: {match['confidence']}; said by: {match['spoken_by']}")
        rows += [f"  {name}: {value}" for name, value in match["values"].items()]
        if place:
            rows.append(f"  not first because: {match['lost_because']}")
    return "\n".join(rows)


def conditional(answer: dict[str, Any]) -> list[str]:
    """That nothing fits, or what would if the text were from the tool that it doesn't name."""
    rows = [f"If this comes from {one['tool']}: {one['title']}\n  {one['url']}" for one in answer["unsaid"]]
    return rows or ["Nothing we know fits."]
