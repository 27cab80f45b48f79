"""Runs a check: vets the target, asks, judges, keeps the run. Keys pass through and stay nowhere."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from kb.checker.models import CheckRun, Target
from kb.diagnosis.diagnose import Recognised, as_object, diagnose
from kb.diagnosis.finding import Asked, Diagnosis, Reply
from kb.diagnosis.marks import from_litellm
from kb.diagnosis.stale import LOOK_AGAIN
from kb.diagnosis.text import readable, redact
from kb.guides.matching import judge
from kb.probes.credential import Credential
from kb.probes.dial import look_up
from kb.probes.loop import told
from kb.probes.run import not_reached, run, second_look
from kb.probes.target import Policy, Refused, vet
from kb.probes.target import Target as Vetted

TOOL = "litellm"  # the gateway that the checker knows how to ask, and whose guides it leads to
# Per process. Each holds one of the server's threads (THREADS in `serve`), of which readers keep the others.
AT_ONCE = 32  # that run; the next one waits, visibly
WAIT_AT_ONCE = 16  # that wait; the next one is sent away
WRITE_LAG = 15.0  # seconds; LiteLLM writes spend in batches every 10 (constants.py, PROXY_BATCH_WRITE_AT)
WAITING = "waiting"  # names the reply that is no answer: other checks are running
AGAIN = "_again"  # ends the names of the second look's replies
places = threading.BoundedSemaphore(AT_ONCE)
seats = threading.BoundedSemaphore(AT_ONCE + WAIT_AT_ONCE)


class Busy(Exception):
    """Too many checks run and wait in this process."""


@dataclass(slots=True, repr=False)
class Order:
    """A check to be made. Its keys are wrapped and have no printed form.

    `first` is what follows from its first look, once that is over.
    """

    asked: Asked
    key: Credential | None
    admin: Credential | None
    paid: bool
    pause: float = 0
    answers: tuple[Reply, ...] = ()
    previous: str = ""
    first: Diagnosis | None = None


def policy() -> Policy:
    """What this instance may call: CULPRIT_TARGETS, and the targets that administrators keep."""
    base: Policy = settings.CULPRIT_TARGETS
    kept = tuple(target.allowed() for target in Target.objects.all())
    return Policy(allowed=(*base.allowed, *kept), public=base.public)


def recognise(text: str) -> Recognised | None:
    """The guide that a text leads to, for errors that only their text explains."""
    judged = judge(redact(readable(text[-200_000:])))
    if judged.answer.verdict != "match":
        return None
    best = judged.answer.matches[0]
    guide = judged.guides[best.guide]
    if guide.tool.slug != TOOL:
        return None
    return Recognised(slug=guide.slug, category=guide.category, hop=guide.hop, values=best.values)


def conclude(replies: tuple[Reply, ...], asked: Asked) -> Diagnosis:
    """What follows from the replies."""
    return diagnose(replies, asked, recognise)


def checked(order: Order) -> Iterator[tuple[Reply, ...]]:
    """The replies of a check that has begun, as they come; it ends when nobody holds them. Raises Busy."""
    replies = seated(order)
    return chain([next(replies)], replies)


def together(groups: Iterable[tuple[Reply, ...]]) -> tuple[Reply, ...]:
    """All replies of a check, when it is over."""
    return tuple(chain.from_iterable(groups))


def seated(order: Order) -> Iterator[tuple[Reply, ...]]:
    """The check in one of the process' places, which it may have to wait for. Raises Busy at its start."""
    if not seats.acquire(blocking=False):
        raise Busy
    try:
        vetted = vet(order.asked.target, policy(), look_up)
        if isinstance(vetted, Refused):
            yield not_reached(vetted)
            return
        if not places.acquire(blocking=False):
            why = "Other checks run; this one waits."
            yield (Reply(probe=WAITING, request="", outcome="not_run", why=why),)
            places.acquire()
        try:
            yield from looked(order, vetted)
        finally:
            places.release()
    finally:
        seats.release()


def looked(order: Order, vetted: Vetted) -> Iterator[tuple[Reply, ...]]:
    """The replies of a first look, then of another: the one that was ordered, or the one that they need.

    A check that breaks is told by the kind of its error alone: its words might hold a secret.
    """
    close_old_connections()  # the database isn't needed before the last reply: others may have its connection
    first: tuple[Reply, ...] = ()
    try:
        for replies in told(partial(run, vetted, order.key, order.admin, order.asked, order.paid)):
            first += replies
            yield replies
        order.first = conclude(first, order.asked)
        pause = order.pause or (WRITE_LAG if unsettled(order.first) else 0)
        if pause and order.key and any(map(from_litellm, first)):
            close_old_connections()  # the judgement may have taken one
            paid = bool(order.pause) and order.paid
            yield from told(
                partial(second_look, vetted, order.key, order.asked, paid, pause, admin=order.admin)
            )
    except Exception as error:
        why = f"The check itself broke ({type(error).__name__})."
        yield (Reply(probe="check", request="", outcome="failed", trouble="broken", why=why),)


def unsettled(diagnosis: Diagnosis) -> bool:
    """Is it open only because LiteLLM writes spend late? Then the key's record is worth a second reading."""
    return any(finding.would_settle == LOOK_AGAIN for finding in diagnosis.findings)


def keep(order: Order, replies: tuple[Reply, ...]) -> CheckRun:
    """Judges and keeps the run; runs whose time is over are forgotten on the way.

    A second look that was ordered is judged beside the first; one that the answer needed is part of it.
    """
    CheckRun.objects.filter(expires__lt=timezone.now()).delete()
    everything = (*order.answers, *(reply for reply in replies if reply.probe != WAITING))
    first = tuple(reply for reply in everything if not (order.pause and reply.probe.endswith(AGAIN)))
    looked_again = len(first) < len(everything)
    second = as_object(conclude(everything, order.asked)) if looked_again else None
    known = order.first if order.first and order.first.replies == first else None
    previous = CheckRun.objects.filter(pk=order.previous).first() if order.previous else None
    return CheckRun.objects.create(
        asked=asdict(order.asked),
        diagnosis=as_object(known or conclude(first, order.asked)),
        second={"pause": order.pause, "diagnosis": second} if second else None,
        previous=previous,
    )
