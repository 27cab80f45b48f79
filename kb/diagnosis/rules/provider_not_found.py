"""The provider knows no such model: `litellm.NotFoundError`, 404."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import Far, threw

RULE = Far(
    id="provider-model-not-found",
    category="model_provider",
    slug="",
    specificity=2,
    what="{provider} knows no such model for this account",
    holds=threw("NotFoundError"),
    fixes=(
        Fix(
            who="proxy_admin",
            title="Correct the model in litellm_params of this deployment",
            retry="after the proxy has restarted",
        ),
    ),
).rule()
