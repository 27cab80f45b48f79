"""The vocabulary of a check lives here: what was asked, what came back, what follows. It decides nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["ok", "failed", "not_run"]
# How an exchange broke before there was an answer; the hop is where it broke.
Trouble = Literal[
    "", "target_refused", "name_not_resolved", "connection_refused", "unreachable", "timed_out",
    "tls_untrusted", "tls_expired", "tls_wrong_name", "tls_not_spoken", "closed_early", "too_large",
    "not_http", "cancelled", "broken",
]  # fmt: skip
State = Literal["supported", "refuted", "undecided"]
Status = Literal["healthy", "fault", "unrecognised", "not_reached"]
Confidence = Literal["proved", "known_shape", "consistent", "undecided"]
Scope = Literal[
    "key", "key_window", "key_model", "team", "team_window", "team_member", "user", "end_user", "org",
    "project", "tag", "provider", "deployment", "global",
]  # fmt: skip
HOPS = (
    "target", "name", "connection", "tls", "proxy", "key", "budget", "limit", "model", "provider", "answer",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one question to a proxy brought: redacted, bounded, and judged by nobody yet.

    `probe` names the question (`key_info`, `team_info`, `call`, …; with `_admin` where the admin key asked);
    `request` is "GET /key/info". `status`, `headers` (names in lower case) and `body` (parsed JSON, else
    text) are None and empty where nothing came back; then `trouble` says how it broke and `why` in words.
    `ms` is its duration in milliseconds, `at` the time of the answer in seconds since the epoch, `paid`
    whether it cost money.
    """

    probe: str
    request: str
    outcome: Outcome
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    trouble: Trouble = ""
    why: str = ""
    ms: int = 0
    at: float = 0.0
    paid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the reader gave besides addresses and keys. `error` is the pasted text, redacted."""

    target: str = ""
    model: str = ""
    end_user: str = ""
    tags: tuple[str, ...] = ()
    error: str = ""
    admin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget on the key's way: dollars, as far as they could be read.

    `spend` is what the proxy recorded, `enforced_spend` what it held against the limit (from the error).
    `blocks` is true on the scope that refused the call and on no other; `readable` is false where nobody
    told.
    """

    scope: Scope
    id: str = ""
    spend: float | None = None
    enforced_spend: float | None = None
    max_budget: float | None = None
    reset_at: str | None = None
    source: str = ""
    blocks: bool = False
    readable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What to do: who, in one line, the command with the reader's ids in it, and whether to try again.

    `retry` has the words of the guides: never, now, after <time>, heals <when>; a few more may follow.
    """

    who: str
    title: str
    command: str = ""
    retry: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule concluded about one cause, the observation that did it, and what would settle it.

    A `notice` is worth knowing and broke nothing: it never becomes the verdict.
    """

    cause: str
    state: State
    because: str
    hop: str
    category: str
    slug: str = ""
    would_settle: str = ""
    confidence: Confidence = "consistent"
    stale: bool | None = None
    scope: Scope | None = None
    sentence: str = ""
    fixes: tuple[Fix, ...] = ()
    specificity: int = 0
    notice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What the guides' signatures see in a text: used for providers' errors, and where no rule knows more."""

    slug: str
    category: str
    hop: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer in one sentence with the reader's numbers."""

    status: Status
    cause: str = ""
    slug: str = ""
    category: str = ""
    hop: str = ""
    stale: bool | None = None
    confidence: Confidence = "undecided"
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All that follows from a check; `as_object` in kb.diagnosis.diagnose gives its JSON form."""

    ruleset: str
    target: str
    version: str
    database: str
    cache: str
    verdict: Verdict
    budgets: tuple[Budget, ...]
    findings: tuple[Finding, ...]
    replies: tuple[Reply, ...]
    fixes: tuple[Fix, ...]
