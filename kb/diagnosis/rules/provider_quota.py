"""The account at the provider has no money or quota left: 429 `You exceeded your current quota`."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import QUOTA, Far

RULE = Far(
    id="provider-quota", category="quota_rate", slug="provider-quota-{provider}", specificity=3,
    what="the proxy's account at {provider} has no quota left; no budget of the proxy is involved",
    holds=QUOTA,
    fixes=(
        Fix(who="proxy_admin", title="Add credit at the provider, or route to another account",
            retry="after the balance is above zero"),
    ),
).rule()  # fmt: skip
