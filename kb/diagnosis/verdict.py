"""One verdict is drawn here from all findings: the most specific supported one at the first broken hop."""

from collections.abc import Sequence

from kb.diagnosis.facts import Facts, answered, passes
from kb.diagnosis.finding import HOPS, Finding, Reply, Verdict

_BEFORE_PROXY = HOPS[: HOPS.index("proxy")]


def drawn(facts: Facts, findings: Sequence[Finding]) -> tuple[Verdict, Finding | None]:
    """The verdict, and the finding that decided it; `findings` are in order of hop."""
    if facts.passed:
        return _healthy(facts, findings), None
    broken = [one for one in findings if not one.notice]
    supported = [one for one in broken if one.state == "supported"]
    if supported:
        return _fault(_first(supported)), _first(supported)
    open_ = [one for one in broken if one.state == "undecided" and one.sentence]
    if open_:
        return _fault(_first(open_)), _first(open_)
    if _unpaid(facts):
        return _healthy_so_far(), None
    return _unrecognised(facts), None


def _first(findings: Sequence[Finding]) -> Finding:
    """The most specific at the first hop; findings of one hop stand together."""
    hop = findings[0].hop
    return max((one for one in findings if one.hop == hop), key=lambda one: one.specificity)


def _fault(finding: Finding) -> Verdict:
    return Verdict(
        status="not_reached" if finding.hop in _BEFORE_PROXY else "fault", cause=finding.cause,
        slug=_guide(finding), category=finding.category, hop=finding.hop, stale=finding.stale,
        confidence=finding.confidence if finding.state == "supported" else "undecided",
        sentence=finding.sentence or finding.because,
    )  # fmt: skip


def _guide(finding: Finding) -> str:
    """The guide of the cause; a key's budget that may be spent or stale has two, which the findings name."""
    return "" if finding.scope == "key" and finding.stale is None else finding.slug


def _healthy(facts: Facts, findings: Sequence[Finding]) -> Verdict:
    """A completion came back. What was pasted may have healed, or needs another model, user or tag."""
    said = "The test call went through: address, key, budgets and limits are in order, and a model answered."
    first = facts.replies.get("call")
    if first is not None and first is not facts.call and not passes(first):
        said = (
            f"The call was refused{_status(first)} and goes through at the second look: it healed by itself."
        )
    elif facts.pasted:
        said = "The test call went through, so the pasted error doesn't hold for this call now."
    notices = [one.sentence for one in findings if one.notice and one.state == "supported" and one.sentence]
    return Verdict(status="healthy", hop="answer", confidence="proved", sentence=" ".join([said, *notices]))


def _status(reply: Reply) -> str:
    return f" with {reply.status}" if reply.status else ""


def _unpaid(facts: Facts) -> bool:
    """Tell whether all that was asked went well, and no completion was asked for."""
    own, models = facts.replies.get("key_info"), facts.replies.get("models")
    broken = [one for one in facts.replies.values() if one.outcome == "failed"]
    return facts.call is None and facts.refusal is None and not broken and answered(own) and answered(models)


def _healthy_so_far() -> Verdict:
    return Verdict(
        status="healthy", hop="answer", confidence="consistent",
        sentence="The proxy and the key answer and nothing refuses them; no completion was tried, so limits,"
        " provider and answer are untested.",
    )  # fmt: skip


def _unrecognised(facts: Facts) -> Verdict:
    """Nothing that is known fits: say what came back, and claim no more."""
    call = facts.call
    if facts.refusal:
        status = f" with {facts.refusal.status}" if facts.refusal.status else ""
        words = facts.refusal.message[:200] or f"the type {facts.refusal.type}"
        said = f"The call was refused{status} in words that no rule and no guide knows: {words}"
    elif call is not None and call.status is not None:
        said = f"The test call was answered with {call.status} and nothing that could be read as a reason."
    elif call is not None:
        why = call.why or call.trouble or "it broke"
        said = f"The test call brought no answer ({why}), so nothing is proved."
    else:
        said = "No test call was made and not every question was answered, so nothing is proved either way."
    return Verdict(status="unrecognised", hop="answer", sentence=said)
