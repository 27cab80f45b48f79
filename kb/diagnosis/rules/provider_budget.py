"""The budget of a LiteLLM behind this one is spent: https://github.com/BerriAI/litellm/issues/14144."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import UPSTREAM_BUDGET, Far

RULE = Far(
    id="budget-exceeded-upstream-proxy",
    category="quota_rate",
    slug="budget-exceeded-upstream-proxy",
    specificity=4,
    what="a LiteLLM behind this one refused it over a budget of its own",
    holds=UPSTREAM_BUDGET,
    fixes=(
        Fix(
            who="proxy_admin",
            title="Check the key that this proxy uses at the other one: its budget is the one",
            retry="after that budget is raised or reset",
        ),
    ),
).rule()
