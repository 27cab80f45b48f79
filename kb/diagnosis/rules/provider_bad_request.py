"""The provider refuses the request itself: `litellm.BadRequestError`, 400."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import CONTENT, CONTEXT, UPSTREAM_BUDGET, Far, either, only, threw

RULE = Far(
    id="provider-bad-request",
    category="model_provider",
    slug="",
    specificity=1,
    what="{provider} refused the request as it stands",
    holds=only(
        either(threw("BadRequestError", "UnsupportedParamsError", "UnprocessableEntityError")),
        CONTEXT,
        CONTENT,
        UPSTREAM_BUDGET,
    ),
    fixes=(
        Fix(
            who="caller",
            title="Correct the request as the provider says",
            retry="now with the corrected request",
        ),
        Fix(
            who="proxy_admin",
            title="Or set drop_params for parameters that this model does not take",
            retry="after the proxy has restarted",
        ),
    ),
).rule()
