"""The provider took too long: `litellm.Timeout`, 408 (litellm/exceptions.py)."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import Far, threw

RULE = Far(
    id="llm-timeout", category="model_provider", slug="llm-timeout", specificity=3,
    what="the provider took longer than the time-out allows",
    holds=threw("Timeout"),
    fixes=(
        Fix(who="caller", title="Try again, with fewer max_tokens or streaming", retry="now"),
        Fix(who="proxy_admin", title="Or raise timeout of this model in litellm_params",
            retry="after the proxy has restarted"),
    ),
).rule()  # fmt: skip
