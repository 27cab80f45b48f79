"""One request to a proxy and what it brought, as values. They are sent by nobody here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from kb.diagnosis.finding import Reply
from kb.probes.body import MOST_BYTES
from kb.probes.credential import Credential

PROBE_SECONDS = 10.0
CALL_SECONDS = 60.0


def _whole(body: Any) -> Any:
    return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request to a target: `path` is below its base path, `seconds` the time it may take in all.

    `most_bytes` is how large its answer may be; `trim` leaves out of it what a check has no need of.
    """

    probe: str
    method: str = "GET"
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    credential: Credential | None = None
    seconds: float = PROBE_SECONDS
    paid: bool = False
    most_bytes: int = MOST_BYTES
    trim: Callable[[Any], Any] = _whole

    @property
    def address(self) -> str:
        """Path and query as they are sent: `/team/info?team_id=a%20b`."""
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")

    @property
    def line(self) -> str:
        """The request line for people, not yet redacted: `GET /team/info?team_id=a b`."""
        pairs = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"{self.method} {self.path}" + (f"?{pairs}" if pairs else "")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A reply, and the body before it was redacted: `raw` serves to ask on, and never leaves the run."""

    reply: Reply
    raw: Any = field(default=None, repr=False)
