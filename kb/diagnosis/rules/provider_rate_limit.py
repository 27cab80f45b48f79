"""The provider limits the rate: `litellm.RateLimitError`, 429 (litellm/exceptions.py)."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import OWN_LIMIT, QUOTA, UPSTREAM_BUDGET, Far, only, threw

RULE = Far(
    id="provider-rate-limit",
    category="quota_rate",
    slug="provider-rate-limit-{provider}",
    specificity=2,
    what="{provider} limited the rate of the proxy's account",
    holds=only(threw("RateLimitError"), QUOTA, OWN_LIMIT, UPSTREAM_BUDGET),
    fixes=(
        Fix(
            who="caller",
            title="Wait and try again, with a back-off",
            retry="after the time that the provider names",
        ),
        Fix(
            who="proxy_admin",
            title="Add a deployment or a fallback for this model",
            retry="after the proxy has restarted",
        ),
    ),
).rule()
