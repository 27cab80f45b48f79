"""What the rules on providers' errors share lives here: LiteLLM passed the call on, and its far side
failed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import re2

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix
from kb.diagnosis.refusal import Refusal, first_failure
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._said import from_provider

_SPEAKER = r"\b(\w+)Exception - (.{0,200})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Far:
    """One kind of failure behind the proxy; `slug` may hold {provider}."""

    id: str
    category: str
    what: str
    fixes: tuple[Fix, ...]
    holds: Callable[[Refusal], bool]
    slug: str = ""
    specificity: int = 2

    def rule(self) -> Rule:
        """The rule of this failure."""
        return Rule(self.id, "provider", self.judge)

    def judge(self, facts: Facts) -> Iterator[Finding]:
        """Supported where the refusal came through LiteLLM's own exception and is of this kind."""
        whole = facts.refusal
        if whole is None or not from_provider(whole):
            return
        heard = replace(whole, message=first_failure(whole.message))
        if not self.holds(heard):
            return
        provider, words = speaker(heard)
        what = self.what.format(provider=provider or "the provider")
        known = facts.recognised
        fits = known is not None and known.category == self.category and known.hop == "provider"
        slug = known.slug if known and fits else self.slug.replace("{provider}", provider.lower())
        yield Finding(
            cause=self.id,
            state="supported",
            because=f"LiteLLM passed on: {whole.message[:240]}",
            hop="provider",
            category=self.category,
            slug="" if slug.endswith("-") else slug,
            confidence="known_shape",
            sentence=f"LiteLLM let the call through, and {what}{': ' + words if words else ''}."
            f"{_fallback(whole)}",
            fixes=self.fixes,
            specificity=self.specificity,
        )


def _fallback(whole: Refusal) -> str:
    """Whether another model was tried, and failed too."""
    tried = whole.says("Available Model Group Fallbacks=[", " also failed: ")
    return " Its fallback failed too." if tried else ""


def speaker(heard: Refusal) -> tuple[str, str]:
    """The provider as LiteLLM names it, and what it said."""
    found = re2.search(_SPEAKER, heard.message)
    if not found:
        return "", ""
    return found.group(1), found.group(2).strip().rstrip(".")


def threw(*names: str) -> Callable[[Refusal], bool]:
    """Tell whether LiteLLM raised one of these exceptions (litellm/exceptions.py)."""
    return lambda heard: any(f"litellm.{name}:" in heard.message for name in names)


def said(*phrases: str) -> Callable[[Refusal], bool]:
    """Tell whether one of these phrases stands in the message."""
    return lambda heard: heard.says(*phrases)


def either(*tests: Callable[[Refusal], bool]) -> Callable[[Refusal], bool]:
    """Tell whether one of these holds."""
    return lambda heard: any(test(heard) for test in tests)


def only(test: Callable[[Refusal], bool], *unless: Callable[[Refusal], bool]) -> Callable[[Refusal], bool]:
    """Tell whether the first holds and none of the others, which are more exact."""
    return lambda heard: test(heard) and not any(other(heard) for other in unless)


CONTEXT = either(
    threw("ContextWindowExceededError"), said("maximum context length", "context_length_exceeded")
)
CONTENT = either(
    threw("ContentPolicyViolationError"),
    said("content_policy_violation", "content management policy", "safety system"),
)
QUOTA = said(
    "exceeded your current quota", "insufficient_quota", "credit balance is too low", "billing details"
)
CONNECTION = said("Connection error.", "Cannot connect to host", "Connection refused", "Server disconnected")
UPSTREAM_BUDGET = said("Exception - Budget has been exceeded", "Exception - ExceededBudget")
OWN_LIMIT = said("Model rate limit exceeded")
