"""The judge sits here: replies become facts, every rule speaks, and one verdict is drawn from it."""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from kb.diagnosis.facts import Facts, read
from kb.diagnosis.finding import HOPS, Asked, Diagnosis, Finding, Fix, Recognised, Reply
from kb.diagnosis.rules import Rule, listed
from kb.diagnosis.table import budgets
from kb.diagnosis.verdict import drawn

__all__ = ["ALGORITHM", "RULES", "Recognised", "as_object", "diagnose", "ruleset"]

ALGORITHM = "1"
RULES: tuple[Rule, ...] = listed()
_STATES = ("supported", "undecided", "refuted")


def diagnose(
    replies: Sequence[Reply],
    asked: Asked,
    recognise: Callable[[str], Recognised | None] | None = None,
    rules: Iterable[Rule] | None = None,
) -> Diagnosis:
    """Judge what a proxy answered. Never raises on any answer; a rule that raises is named as undecided."""
    facts = read(replies, asked, recognise)
    findings = tuple(sorted(_findings(facts, RULES if rules is None else rules), key=_rank))
    verdict, deciding = drawn(facts, findings)
    return Diagnosis(
        ruleset=ruleset(RULES if rules is None else rules), target=asked.target,
        version=facts.version.number, database=facts.database, cache=facts.cache, verdict=verdict,
        budgets=budgets(facts, deciding), findings=findings, replies=tuple(replies),
        fixes=_fixes(findings, deciding),
    )  # fmt: skip


def ruleset(rules: Iterable[Rule]) -> str:
    """A short hash of the rules' ids and of the way in which they are weighed."""
    ids = "\n".join(sorted(rule.id for rule in rules))
    return hashlib.sha256(f"{ALGORITHM}\n{ids}".encode()).hexdigest()[:12]


def _findings(facts: Facts, rules: Iterable[Rule]) -> list[Finding]:
    found: list[Finding] = []
    for rule in rules:
        try:
            found += rule.judge(facts)
        except Exception as broke:
            found.append(Finding(
                cause=rule.id, state="undecided", hop=rule.hop, category="", confidence="undecided",
                because=f"The rule {rule.id} broke ({type(broke).__name__}), so this cause wasn't judged.",
                would_settle=f"Report that the rule {rule.id} broke, with this run.", notice=True,
            ))  # fmt: skip
    return found


def _rank(finding: Finding) -> tuple[int, int, int, str]:
    hop = HOPS.index(finding.hop) if finding.hop in HOPS else len(HOPS)
    return (hop, _STATES.index(finding.state), -finding.specificity, finding.cause)


def _fixes(findings: Sequence[Finding], deciding: Finding | None) -> tuple[Fix, ...]:
    """What to do about the verdict; where there is none to act on, about what is worth knowing."""
    if deciding is not None:
        return deciding.fixes
    return tuple(fix for one in findings if one.notice and one.state == "supported" for fix in one.fixes)


def as_object(diagnosis: Diagnosis) -> dict[str, Any]:
    """The Diagnosis object that web, JSON, command and MCP give; JSON has no NaN, so it is null."""
    plain: dict[str, Any] = _plain({
        "ruleset": diagnosis.ruleset, "target": diagnosis.target,
        "proxy": {"version": diagnosis.version, "database": diagnosis.database, "cache": diagnosis.cache},
        "verdict": diagnosis.verdict,
        "budgets": diagnosis.budgets,
        "findings": [_finding(finding) for finding in diagnosis.findings],
        "probes": [_probe(reply) for reply in diagnosis.replies],
        "fixes": diagnosis.fixes,
    })  # fmt: skip
    return plain


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "cause": finding.cause, "state": finding.state, "because": finding.because,
        "would_settle": finding.would_settle, "slug": finding.slug, "hop": finding.hop,
        "confidence": finding.confidence,
    }  # fmt: skip


def _probe(reply: Reply) -> dict[str, Any]:
    return {
        "name": reply.probe, "request": reply.request, "status": reply.status, "outcome": reply.outcome,
        "why": reply.why, "ms": reply.ms, "paid": reply.paid, "trouble": reply.trouble,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value
