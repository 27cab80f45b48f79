"""`manage.py check_proxy`: the checker without the web."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from kb.checker.running import Order, checked, conclude, together
from kb.diagnosis.diagnose import as_object
from kb.diagnosis.finding import Asked
from kb.diagnosis.text import harmless, redact
from kb.probes.credential import Credential

EXIT = {"healthy": 0, "fault": 1, "unrecognised": 1, "not_reached": 2}


class Command(BaseCommand):
    help = "Checks a live proxy. Exit status: 0 healthy, 1 fault, 2 not reached or used wrongly."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("base_url")
        parser.add_argument("--key-env", metavar="NAME", help="variable that holds the virtual key")
        parser.add_argument("--admin-key-env", metavar="NAME", help="variable that holds an admin key")
        parser.add_argument("--model", default="")
        parser.add_argument("--end-user", default="")
        parser.add_argument("--tags", default="", metavar="A,B")
        parser.add_argument("--error-file", type=Path, help="the error that the call got")
        parser.add_argument("--no-paid-calls", action="store_true", help="don't make the test call")
        parser.add_argument(
            "--second-look", type=int, default=0, metavar="SECONDS", help="ask again after a pause"
        )
        parser.add_argument("--json", action="store_true", help="print the diagnosis object")

    def handle(self, *args: Any, **options: Any) -> None:
        order = self.order(options)
        replies = together(checked(order))
        diagnosis = as_object(conclude(replies, order.asked))
        if options["json"]:
            self.stdout.write(json.dumps(diagnosis, indent=2))
        else:
            self.stdout.write(readable(diagnosis))
        raise SystemExit(EXIT[diagnosis["verdict"]["status"]])

    def order(self, options: dict[str, Any]) -> Order:
        """The check that the options ask for; exits with 2 if they make no sense."""
        key, admin = self.secret(options["key_env"]), self.secret(options["admin_key_env"])
        return Order(
            asked=Asked(
                target=redact(harmless(options["base_url"])).text,
                model=options["model"],
                end_user=options["end_user"],
                tags=tuple(tag.strip() for tag in options["tags"].split(",") if tag.strip()),
                error=self.error(options["error_file"]),
                admin=admin is not None,
            ),
            key=key,
            admin=admin,
            paid=bool(options["model"]) and key is not None and not options["no_paid_calls"],
            pause=options["second_look"],
        )

    def secret(self, name: str | None) -> Credential | None:
        """A key from the environment: it never stands in an argument, where others could read it."""
        if name is None:
            return None
        value = os.environ.get(name, "").strip()
        if not value:
            self.stop(f"The variable {name} is empty: put the key into it.")
        return Credential(value)

    def error(self, file: Path | None) -> str:
        """The pasted error, redacted."""
        try:
            raw = file.read_bytes() if file else b""
        except OSError as error:
            self.stop(f"{file}: {error.strerror}")
        return redact(harmless(raw.decode("utf-8", "replace"))).text

    def stop(self, why: str) -> None:
        """Used wrongly."""
        self.stderr.write(why)
        raise SystemExit(2)


def readable(diagnosis: dict[str, Any]) -> str:
    """The diagnosis for somebody at a terminal."""
    verdict = diagnosis["verdict"]
    rows = [f"{verdict['status']}: {verdict['sentence']} ({verdict['confidence']})"]
    for budget in diagnosis["budgets"]:
        mark = "BLOCKS " if budget["blocks"] else "       "
        spend, limit = budget["spend"], budget["max_budget"]
        told = f"spend {spend}, enforced {budget['enforced_spend']}, limit {limit}"
        rows.append(f"{mark}{budget['scope']} {budget['id']}: {told if budget['readable'] else 'unreadable'}")
    for fix in diagnosis["fixes"]:
        rows.append(f"- {fix['title']} ({fix['who']}; retry: {fix['retry']})\n    {fix['command']}")
    for probe in diagnosis["probes"]:
        rows.append(f"  {probe['name']}: {probe['status'] or probe['outcome']} {probe['why']}")
    return "\n".join(rows)
