"""Report forms as a browser sends them."""

import secrets
import time
from typing import Any

from django.test import Client

from kb.evidence.models import EvidenceReport
from kb.evidence.stamp import Stamp

COIN = "/errors/gate/coin/report/"
UNKNOWN = "/report/"
ERROR = "Traceback:\n  gatelib: The coin is spent: 3 of 2"
SECRET = "sk-proj-" + "Zq8" * 12


def signed(age: float = 10.0, name: str = "") -> str:
    """The stamp of a form that was shown `age` seconds ago."""
    return Stamp(name or secrets.token_urlsafe(18), time.time() - age).signed()


def send(client: Client, url: str = COIN, **fields: Any) -> Any:
    """Sends a form that was open for ten seconds; `fields` replace what a plain one holds."""
    return client.post(url, {"stamp": signed(), "text": ERROR, "do": "send", **fields})


def reported(client: Client, url: str = COIN, **fields: Any) -> EvidenceReport:
    """The report that a form made."""
    answer = send(client, url, **fields)
    assert answer.status_code == 303, answer.content.decode()[:3000]
    return EvidenceReport.objects.get(pk=answer["Location"].split("/")[2])
