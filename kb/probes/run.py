"""Puts the questions of a plan to a target: those that can, at once, in rounds. It judges no answer.

The first rounds go without a key: whoever answers and isn't LiteLLM gets to see none, and no paid call.
"""

import asyncio
from collections.abc import Awaitable, Iterable
from dataclasses import replace

from kb.diagnosis.finding import Asked, Reply, Trouble
from kb.diagnosis.marks import from_litellm
from kb.probes.call import call
from kb.probes.call import lacks as call_lacks
from kb.probes.credential import Credential, Scrubber
from kb.probes.dial import RUN_SECONDS, Dialler
from kb.probes.key import key_info
from kb.probes.loop import OnReply
from kb.probes.plan import KEYLESS, ORDER, PROBES, REACH, ROUNDS
from kb.probes.probe import Known, Probe, Setting
from kb.probes.question import Exchange, Question
from kb.probes.target import Refused, Target
from kb.probes.trouble import Broken, of

MOST_PAUSE = 300.0

_CANCELLED = "The check was cancelled."
_SILENT = "Nothing answered before it."
_UNMARKED = "Nothing at this address answered as LiteLLM does, so no key was sent."
_UNSENDABLE = "The key has a character that no HTTP header can carry: was more than the key pasted?"
_LINES = {"name": "look up the host's name", "connection": "open a connection", "tls": "TLS handshake"}
_LINES |= {probe.name: probe.shown for probe in PROBES}


class _Replies:
    """The replies of a run as they come, each told once."""

    def __init__(self, on_reply: OnReply | None) -> None:
        self._tell = on_reply or (lambda reply: None)
        self._by_name: dict[str, Reply] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def add(self, reply: Reply) -> None:
        self._by_name[reply.probe] = reply
        self._tell(reply)

    def left_out(self, name: str, why: str) -> None:
        if name not in self:
            self.add(Reply(probe=name, request=_LINES.get(name, ""), outcome="not_run", why=why))

    def in_order(self, names: Iterable[str]) -> tuple[Reply, ...]:
        return tuple(self._by_name[name] for name in names)

    def silent(self) -> bool:
        """Whether questions were put, and none was answered."""
        tried = [one for one in self._by_name.values() if one.probe not in REACH and one.outcome != "not_run"]
        return bool(tried) and all(one.outcome == "failed" for one in tried)


async def run(
    target: Target,
    credential: Credential | None,
    admin: Credential | None,
    asked: Asked,
    paid: bool,
    on_reply: OnReply | None = None,
    cancelled: asyncio.Event | None = None,
    *,
    seconds: float = RUN_SECONDS,
) -> tuple[Reply, ...]:
    """One check of a vetted target: a reply to every probe of ORDER, `not_run` with a reason where none ran.

    `on_reply` is told each reply as it comes. Setting `cancelled` ends the run at once; so do `seconds`.
    Raises nothing but what `on_reply` raises.
    """
    credential, admin = credential or None, admin or None
    setting = Setting(asked=asked, has_key=bool(credential), has_admin=bool(admin), paid=paid)
    known = Known(setting=setting, credential=credential, admin=admin)
    replies = _Replies(on_reply)
    scrubber = Scrubber((credential, admin))
    replies.add(_name(target, scrubber))
    async with Dialler(target, scrubber, seconds) as dialler:
        stopped = await _until(cancelled, _check(dialler, known, replies))
    for name in ORDER:
        replies.left_out(name, _CANCELLED if stopped else _SILENT)
    return replies.in_order(ORDER)


async def second_look(
    target: Target,
    credential: Credential,
    asked: Asked,
    paid: bool,
    pause: float,
    on_reply: OnReply | None = None,
    cancelled: asyncio.Event | None = None,
    *,
    admin: Credential | None = None,
    seconds: float = RUN_SECONDS,
) -> tuple[Reply, ...]:
    """After `pause` seconds ask the key's record and the call again: `key_info_again`, `call_again`.

    `seconds` limits what follows the pause, which is MOST_PAUSE at most. `admin` isn't sent: give it where
    the first look had it, so that it is taken out of these answers too.
    """
    names = ("key_info_again", "call_again")
    setting = Setting(asked=asked, has_key=bool(credential), has_admin=False, paid=paid)
    known = Known(setting=setting, credential=credential)
    replies = _Replies(on_reply)
    stopped = await _until(cancelled, asyncio.sleep(max(0.0, min(pause, MOST_PAUSE))))
    if not stopped:
        async with Dialler(target, Scrubber((credential, admin)), seconds) as dialler:
            stopped = await _until(cancelled, _again(dialler, known, replies))
    for name in names:
        replies.left_out(name, _CANCELLED if stopped else _SILENT)
    return replies.in_order(names)


def not_reached(refused: Refused) -> tuple[Reply, ...]:
    """The replies of a run that never began, since `vet` refused its target."""
    replies = _Replies(None)
    trouble: Trouble = "name_not_resolved" if refused.hop == "name" else "target_refused"
    line = _LINES["name"]
    replies.add(Reply(probe="name", request=line, outcome="failed", trouble=trouble, why=refused.why))
    for name in ORDER:
        replies.left_out(name, "The address wasn't called.")
    return replies.in_order(ORDER)


def _name(target: Target, scrubber: Scrubber) -> Reply:
    facts = {
        "host": target.host,
        "addresses": list(target.addresses),
        "base_path": target.base_path,
        "note": target.note,
    }
    line = f"look up {target.host}"
    return Reply(
        probe="name", request=scrubber.text(line), outcome="ok", body=scrubber.body(facts)[0], why=target.note
    )


async def _check(dialler: Dialler, known: Known, replies: _Replies) -> None:
    for probe in PROBES:
        if why := probe.missing(known.setting):
            replies.left_out(probe.name, why)
    for reply in await dialler.reach():
        replies.add(reply)
    if dialler.address is None:
        return
    replies.left_out("tls", "The address begins with http://, so there is no TLS to look at.")
    for number in ROUNDS:
        await _round(number, dialler, known, replies)
        if replies.silent():
            return
        if number == KEYLESS[-1] and not known.litellm:
            for probe in PROBES:
                replies.left_out(probe.name, _UNMARKED)
            return


async def _round(number: int, dialler: Dialler, known: Known, replies: _Replies) -> None:
    async with asyncio.TaskGroup() as group:
        for probe in PROBES:
            if number in probe.rounds and probe.name not in replies:
                question = _question(probe, number, known)
                if isinstance(question, Question):
                    group.create_task(_put(question, dialler, known, replies))
                elif question:
                    replies.left_out(probe.name, question)


def _question(probe: Probe, number: int, known: Known) -> Question | str:
    """The question, or why there is none; "" where a later round may know more."""
    question = probe.ask(known)
    if isinstance(question, str):
        return question if number == probe.rounds[-1] else ""
    if question.credential and not question.credential.sendable:
        return _UNSENDABLE
    return question


async def _put(question: Question, dialler: Dialler, known: Known, replies: _Replies) -> None:
    try:
        exchange = await dialler.ask(question)
    except asyncio.CancelledError:
        replies.add(_broken(question, Broken("cancelled", _CANCELLED)))
        raise
    except Exception as problem:  # a bug in here becomes a reply too: the other questions still get theirs
        exchange = Exchange(_broken(question, of(problem)))
    if exchange.reply.status == 200:
        known.bodies[question.probe] = exchange.raw
    known.litellm = known.litellm or from_litellm(exchange.reply)
    replies.add(exchange.reply)


def _broken(question: Question, broken: Broken) -> Reply:
    return Reply(
        probe=question.probe,
        request=f"{question.method} {question.path}",
        outcome="failed",
        trouble=broken.trouble,
        why=broken.why,
        paid=question.paid,
    )


async def _again(dialler: Dialler, known: Known, replies: _Replies) -> None:
    reached = await dialler.reach()
    if dialler.address is None:
        replies.add(replace(reached[-1], probe="key_info_again", request=_LINES["key_info"]))
        return
    if known.credential and not known.credential.sendable:
        for name in ("key_info_again", "call_again"):
            replies.left_out(name, _UNSENDABLE)
        return
    if why := call_lacks(known.setting):
        replies.left_out("call_again", why)
    # One after the other: see why the key's questions wait for the first in kb.probes.key.
    await _put(replace(key_info(known), probe="key_info_again"), dialler, known, replies)
    if "call_again" not in replies:
        await _put(replace(call(known), probe="call_again"), dialler, known, replies)


async def _until(cancelled: asyncio.Event | None, work: Awaitable[None]) -> bool:
    """Do `work`; True where `cancelled` was set before it was done."""
    task = asyncio.ensure_future(work)
    stop = asyncio.ensure_future((cancelled or asyncio.Event()).wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        stopped = not task.done()
    finally:
        unfinished = [one for one in (task, stop) if not one.done()]
        for one in unfinished:
            one.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
    if not stopped:
        _raise(task.exception())
    return stopped


def _raise(problem: BaseException | None) -> None:
    """Raise what `on_reply` raised, not the group that its task was in."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    if problem:
        raise problem
