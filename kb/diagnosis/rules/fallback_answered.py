"""The call passed, and a fallback answered it: the model that was asked for had failed.

`x-litellm-attempted-fallbacks` counts them, and `x-litellm-model-group` names who answered
(litellm/router_utils/add_retry_fallback_headers.py, 1.84.0 and 1.108.7).
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix
from kb.diagnosis.loose import number, text
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._curl import chat, plain


def judge(facts: Facts) -> Iterator[Finding]:
    """A notice: callers get their answers, from another model."""
    headers = facts.call.headers if facts.call else {}
    tried = number(headers.get("x-litellm-attempted-fallbacks"))
    if not facts.passed or not tried:
        return
    model, other = facts.asked.model, text(headers.get("x-litellm-model-group"))
    yield Finding(
        cause="fallback-answered",
        state="supported",
        hop="model",
        category="model_provider",
        because=f"x-litellm-attempted-fallbacks of the test call is {tried:.0f}.",
        notice=True,
        confidence="proved",
        sentence=f"Yet {model or 'the model that was asked for'} failed: its fallback"
        f"{' ' + other if other and other != model else ''} answered in its place.",
        fixes=(
            Fix(
                who="caller",
                title="Call it without its fallbacks: the answer is the error that they hide",
                command=chat(plain(model, "<model>"), 1, alone=True),
                retry="never for this: calls go through",
            ),
        ),
    )


RULE = Rule("fallback-answered", "model", judge)
