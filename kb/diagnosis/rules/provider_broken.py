"""The provider broke: 5xx or no JSON (`litellm.InternalServerError`, `BadGatewayError`,
`ServiceUnavailableError`).
"""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import CONNECTION, Far, only, threw

RULE = Far(
    id="provider-error",
    category="model_provider",
    slug="",
    specificity=1,
    what="{provider} broke",
    holds=only(
        threw(
            "InternalServerError",
            "BadGatewayError",
            "ServiceUnavailableError",
            "APIError",
            "APIConnectionError",
        ),
        CONNECTION,
        lambda heard: heard.status == 403,
    ),
    fixes=(
        Fix(who="caller", title="Try again, with a back-off", retry="after some seconds"),
        Fix(
            who="proxy_admin",
            title="Or set num_retries and fallbacks for this model",
            retry="after the proxy has restarted",
        ),
    ),
).rule()
