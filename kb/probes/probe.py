"""What a probe is, and what a run knows so far. It asks nothing itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from kb.diagnosis.finding import Asked
from kb.probes.credential import Credential
from kb.probes.question import Question

Privilege = Literal["none", "key", "admin"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a reader gave and allowed, as far as it decides which probes run."""

    asked: Asked
    has_key: bool
    has_admin: bool
    paid: bool


@dataclass(slots=True, kw_only=True)
class Known:
    """A run's memory: keys, and by probe the bodies of its 200 answers before they were redacted.

    `litellm` tells whether any answer had a mark of LiteLLM: before that no key is sent.
    """

    setting: Setting
    credential: Credential | None = None
    admin: Credential | None = None
    bodies: dict[str, Any] = field(default_factory=dict)
    litellm: bool = False
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def asked(self) -> Asked:
        return self.setting.asked

    @property
    def key_hash(self) -> str:
        """SHA-256 of the reader's key; "" without one."""
        return self.credential.hash if self.credential else ""

    def of_key(self, name: str) -> str:
        """A fact from the key's own record ("team_id"), by whichever key could read it; else ""."""
        return self.found(("key_info", "info", name), ("key_info_admin", "info", name))

    def found(self, *paths: tuple[str, ...]) -> str:
        """The first text that isn't empty at one of `paths` (probe, then names); else ""."""
        for path in paths:
            value: Any = self.bodies
            for name in path:
                value = value.get(name) if isinstance(value, Mapping) else None
            # What goes into the next request is an id, whatever a server may have put in its place.
            if isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable() and value != "None":
                return value
        return ""


def _nothing(setting: Setting) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question to a proxy.

    `shown` is its request line for the plan, `why` what its answer tells, `cost` what it costs. `rounds`
    are those in which it may run: the first where `ask` knows enough. `ask` gives the question, or in
    words why there is none; `lacks` says before the run what is missing, "" if nothing is.
    """

    name: str
    shown: str
    why: str
    ask: Callable[[Known], Question | str]
    rounds: tuple[int, ...]
    privilege: Privilege = "none"
    cost: str = "nothing"
    paid: bool = False
    lacks: Callable[[Setting], str] = _nothing

    def missing(self, setting: Setting) -> str:
        """What the reader would have to give or allow for it to run; "" where nothing is missing."""
        if self.privilege == "key" and not setting.has_key:
            return "Needs a virtual key."
        if self.privilege == "admin" and not setting.has_admin:
            return "Needs an admin key."
        return self.lacks(setting)


def needs_key(setting: Setting) -> str:
    """For probes that the admin key asks about the reader's key."""
    return "" if setting.has_key else "Needs a virtual key to ask about."


def plain(name: str, path: str, **query: str) -> Callable[[Known], Question]:
    """A GET that needs no key."""
    return lambda known: Question(probe=name, path=path, query=query)


def with_admin(name: str, path: str) -> Callable[[Known], Question]:
    """A GET with the admin key, which is about nobody in particular."""
    return lambda known: Question(probe=name, path=path, credential=known.admin)
