"""Says before a run which questions it will put, with whose key, and at what cost. It puts none."""

from dataclasses import dataclass

from kb.diagnosis.finding import Asked
from kb.probes import budgets, call, health, key, owners
from kb.probes.probe import Privilege, Probe, Setting

PROBES: tuple[Probe, ...] = (
    *health.PROBES,
    *key.PROBES,
    *owners.PROBES,
    *budgets.PROBES,
    *call.PROBES,
)
REACH = ("name", "connection", "tls")
ORDER = (*REACH, *(probe.name for probe in PROBES))
KEYLESS = (1, 2)  # is it LiteLLM at all?
ROUNDS = (*KEYLESS, 3, 4, 5)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the plan: `request` is its request line, `cost` and `why` are words for a reader."""

    name: str
    request: str
    privilege: Privilege
    paid: bool
    cost: str
    why: str


_REACH = (
    Step("name", "look up the host's name", "none", False, "nothing", "Whether its name has an address."),
    Step("connection", "open a connection", "none", False, "nothing", "Whether anything listens there."),
    Step("tls", "TLS handshake, for https", "none", False, "nothing", "Whether its certificate is good."),
)


def plan(asked: Asked, has_key: bool, has_admin: bool, paid: bool) -> tuple[Step, ...]:
    """All that a run with these means will try, in the order of its answers.

    A step whose id turns out to be unknown (a key without a team) is then left out, with a reason.
    """
    setting = Setting(asked=asked, has_key=has_key, has_admin=has_admin, paid=paid)
    steps = (_step(probe) for probe in PROBES if not probe.missing(setting))
    return (*_REACH, *steps)


def _step(probe: Probe) -> Step:
    return Step(probe.name, probe.shown, probe.privilege, probe.paid, probe.cost, probe.why)
