"""Whether a diagnosis says what it must: right, undecided or wrong.

What is missing in an answer weakens it; what differs makes it wrong. An answer that leaves something open
must name what would settle it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Word = Literal["right", "undecided", "wrong"]
EXIT = {"healthy": 0, "fault": 1, "unrecognised": 1, "not_reached": 2}
FIELDS = ("category", "hop", "slug", "stale")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One word, and why it isn't `right`."""

    word: Word
    why: str = ""


def judge(expected: dict[str, Any], answer: dict[str, Any], exit_status: int) -> Judgement:
    """Compares a Diagnosis object and the command's exit status with a scenario's entry in expected.json."""
    verdict = answer["verdict"]
    wrong = [*differences(expected, answer), *contradictions(answer, exit_status)]
    wrong += [f"accuses {cause} as well" for cause in sorted(accused(expected, answer))]
    if wrong:
        return Judgement("wrong", "; ".join(wrong))
    open_ends = list(gaps(expected, answer))
    if not open_ends:
        return Judgement("right")
    if not any(finding.get("would_settle") for finding in answer["findings"]):
        return Judgement("wrong", f"{'; '.join(open_ends)}; and nothing says what would settle it")
    return Judgement("undecided", f"{'; '.join(open_ends)}: {verdict['sentence']}")


def open_verdict(answer: dict[str, Any]) -> bool:
    """Whether the verdict itself says that it can't tell."""
    verdict = answer["verdict"]
    return verdict["status"] == "unrecognised" or (
        verdict["status"] == "fault" and verdict["confidence"] == "undecided"
    )


def blocking(answer: dict[str, Any]) -> list[str]:
    """The scopes that the answer says refused the call."""
    return [budget["scope"] for budget in answer["budgets"] if budget["blocks"]]


def differences(expected: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    """What is said and is something else than expected."""
    verdict = answer["verdict"]
    if verdict["status"] not in (expected["status"], "unrecognised"):
        yield f"status {verdict['status']}, not {expected['status']}"
        return
    if expected["status"] == "healthy":
        return
    for name in FIELDS:
        said, wanted = verdict.get(name), expected.get(name)
        if name not in expected or said in (None, "", wanted):
            continue
        # (an open verdict may lead to the guide of the budget that the text names, which leads on)
        if name == "slug" and open_verdict(answer) and wanted.startswith(said):
            continue
        yield f"{name} {said}, not {wanted}"
    others = [scope for scope in blocking(answer) if scope != expected.get("blocks")]
    if others:
        yield f"blocked by {', '.join(others)}, not {expected.get('blocks', 'a budget')}"


def accused(expected: dict[str, Any], answer: dict[str, Any]) -> set[str]:
    """Causes that findings support beside the verdict's own, and that aren't there."""
    supported = {finding["cause"] for finding in answer["findings"] if finding["state"] == "supported"}
    return supported - {answer["verdict"]["cause"], *expected.get("also", ())}


def gaps(expected: dict[str, Any], answer: dict[str, Any]) -> Iterator[str]:
    """What is expected and isn't said."""
    verdict = answer["verdict"]
    if verdict["status"] != expected["status"]:
        yield f"status {verdict['status']}"
        return
    if open_verdict(answer):
        yield "the verdict is open"
    if expected["status"] == "healthy":
        return
    for name in FIELDS:
        if name in expected and verdict.get(name) != expected[name]:
            yield f"no {name}" if verdict.get(name) in (None, "") else f"{name} only {verdict[name]}"
    if "blocks" in expected and not blocking(answer):
        yield "no budget is marked"


def contradictions(answer: dict[str, Any], exit_status: int) -> Iterator[str]:
    """What no answer may do, whatever happened."""
    verdict = answer["verdict"]
    if exit_status != EXIT[verdict["status"]]:
        yield f"{verdict['status']} with exit status {exit_status}"
    if len(blocking(answer)) > 1:
        yield "more than one budget is marked"
    if verdict["status"] == "fault" and not open_verdict(answer):
        if not verdict["cause"]:
            yield "a fault without a cause"
        if not answer["fixes"]:
            yield "a fault without a fix"
