"""Runs a check: vets the target, asks, judges, keeps the run. Keys pass through and stay nowhere."""

import queue
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from kb.checker.models import CheckRun, Target
from kb.diagnosis.diagnose import Recognised, as_object, diagnose
from kb.diagnosis.finding import Asked, Diagnosis, Reply
from kb.diagnosis.stale import LOOK_AGAIN
from kb.diagnosis.text import readable, redact
from kb.guides.matching import judge
from kb.probes.credential import Credential
from kb.probes.dial import look_up
from kb.probes.run import not_reached, run_sync, second_look_sync
from kb.probes.target import Policy, Refused, vet
from kb.probes.target import Target as Vetted

AT_ONCE = 4  # checks per process, far fewer than it has threads; the next one waits, visibly
WRITE_LAG = 15.0  # seconds; LiteLLM writes spend in batches every 10 (constants.py, PROXY_BATCH_WRITE_AT)
WAITING = "waiting"  # names the reply that is no answer: other checks are running
AGAIN = "_again"  # ends the names of the second look's replies
places = threading.BoundedSemaphore(AT_ONCE)


@dataclass(slots=True, repr=False)
class Order:
    """A check to be made. Its keys are wrapped and have no printed form."""

    asked: Asked
    key: Credential | None
    admin: Credential | None
    paid: bool
    pause: float = 0
    answers: tuple[Reply, ...] = ()
    previous: str = ""
    cancelled: threading.Event = field(default_factory=threading.Event)


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
    return Recognised(slug=guide.slug, category=guide.category, hop=guide.hop, values=best.values)


def conclude(replies: tuple[Reply, ...], asked: Asked) -> Diagnosis:
    """What follows from the replies."""
    return diagnose(replies, asked, recognise)


def checked(order: Order) -> Iterator[Reply]:
    """Every reply as it comes; the run ends early when `order.cancelled` is set."""
    vetted = vet(order.asked.target, policy(), look_up)
    if isinstance(vetted, Refused):
        yield from not_reached(vetted)
        return
    if not places.acquire(blocking=False):
        yield Reply(probe=WAITING, request="", outcome="not_run", why="Other checks run; this one waits.")
        places.acquire()
    try:
        yield from streamed(order, vetted)
    finally:
        places.release()


def streamed(order: Order, vetted: Vetted) -> Iterator[Reply]:
    """The probes run in a thread of their own; replies come through a queue."""
    replies: queue.Queue[Reply | None] = queue.Queue()
    close_old_connections()  # the database isn't needed before the last reply: others may have its connection
    worker = threading.Thread(target=ask, args=(order, vetted, replies), daemon=True)
    worker.start()
    try:
        while (reply := replies.get()) is not None:
            yield reply
    finally:
        order.cancelled.set()
        worker.join(timeout=5)


def ask(order: Order, vetted: Vetted, replies: "queue.Queue[Reply | None]") -> None:
    """All rounds of probes, then another look: the one that was ordered, or the one that the answer needs.

    A check that breaks is told by the kind of its error alone: its words might hold a secret.
    """
    try:
        first = run_sync(
            vetted, order.key, order.admin, order.asked, order.paid, replies.put, order.cancelled
        )
        pause = order.pause or (WRITE_LAG if unsettled(first, order.asked) else 0)
        if pause and order.key and not order.cancelled.is_set():
            paid = bool(order.pause) and order.paid
            second_look_sync(
                vetted, order.key, order.asked, paid, pause, replies.put, order.cancelled, admin=order.admin
            )
    except Exception as error:
        why = f"The check itself broke ({type(error).__name__})."
        replies.put(Reply(probe="check", request="", outcome="failed", trouble="broken", why=why))
    finally:
        replies.put(None)


def unsettled(replies: tuple[Reply, ...], asked: Asked) -> bool:
    """Is it open only because LiteLLM writes spend late? Then the key's record is worth a second reading."""
    return any(finding.would_settle == LOOK_AGAIN for finding in diagnose(replies, asked).findings)


def keep(order: Order, replies: tuple[Reply, ...]) -> CheckRun:
    """Judges and keeps the run; runs whose time is over are forgotten on the way.

    A second look that was ordered is judged beside the first; one that the answer needed is part of it.
    """
    CheckRun.objects.filter(expires__lt=timezone.now()).delete()
    everything = (*order.answers, *(reply for reply in replies if reply.probe != WAITING))
    first = tuple(reply for reply in everything if not (order.pause and reply.probe.endswith(AGAIN)))
    looked_again = len(first) < len(everything)
    second = as_object(conclude(everything, order.asked)) if looked_again else None
    return CheckRun.objects.create(
        asked=asdict(order.asked),
        diagnosis=as_object(conclude(first, order.asked)),
        second={"pause": order.pause, "diagnosis": second} if second else None,
        previous=CheckRun.objects.filter(pk=order.previous).first(),
    )
