"""LiteLLM's own limits refused: requests, tokens or parallel calls, of the key, team, user, end user or
deployment.

litellm/proxy/hooks/parallel_request_limiter_v3.py and litellm/router_utils (1.84.0 and 1.108.7): 429.
"""

from collections.abc import Iterator

import re2

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._said import own_words

_LIMIT = (
    r"(?i)rate limit exceeded for (\w+): ?([^ ]*?)\.? limit type: (\w+)\. current limit: (\d+)"
    r"(?:, remaining: -?\d+)?(?:\. limit resets at: ([0-9: -]+ utc))?"
)
_KINDS = {
    "requests": ("rate-limit-key-rpm", "requests a minute", "rpm_limit"),
    "tokens": ("rate-limit-key-tpm", "tokens a minute", "tpm_limit"),
    "max_parallel_requests": ("max-parallel-requests", "parallel requests", "max_parallel_requests"),
}
_WHO = {"api_key": "key", "model_per_key": "key for this model", "end_user": "end user"}


def judge(facts: Facts) -> Iterator[Finding]:
    """Say whose limit, of what, and when it ends."""
    heard = facts.refusal
    if heard is None:
        return
    words = own_words(heard)
    if "model rate limit exceeded" in words:
        yield _finding(
            "rate-limit-deployment",
            "",
            "The deployment's own rate limit refused this call: LiteLLM keeps it from its provider.",
            heard.message,
            _wait("within a minute"),
        )
    found = re2.search(_LIMIT, words)
    if not found or found.group(3) not in _KINDS:
        return
    slug, unit, setting = _KINDS[found.group(3)]
    who = _WHO.get(found.group(1), found.group(1).replace("_", " "))
    ends = f"after {found.group(5).upper()}" if found.group(5) else "within a minute"
    if slug == "max-parallel-requests":
        ends = "as soon as another request of it ends"
    sentence = (
        f"The {who}'s limit of {found.group(4)} {unit} refused this call; no budget is involved."
        f" Calls pass again {ends}."
    )
    yield _finding(slug, slug, sentence, heard.message, _fixes(who, setting, ends))


def _wait(when: str) -> tuple[Fix, ...]:
    return (Fix(who="caller", title="Wait and try again, with a back-off", retry=f"heals {when}"),)


def _fixes(who: str, setting: str, ends: str) -> tuple[Fix, ...]:
    raise_it = Fix(who="proxy_admin", title=f"Raise {setting} of the {who}", retry="now")
    return (Fix(who="caller", title="Wait and try again, with a back-off", retry=f"heals {ends}"), raise_it)


def _finding(cause: str, slug: str, sentence: str, message: str, fixes: tuple[Fix, ...]) -> Finding:
    return Finding(
        cause=cause,
        state="supported",
        because=f"LiteLLM says: {message[:200]}",
        hop="limit",
        category="quota_rate",
        slug=slug,
        confidence="known_shape",
        sentence=sentence,
        fixes=fixes,
        specificity=2,
    )


RULE = Rule("rate-limit", "limit", judge)
