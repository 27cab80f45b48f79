"""The proxy can't reach the model's server: `Connection error.` (litellm/exceptions.py, 1.84.0 and
1.108.7).
"""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import CONNECTION, Far

RULE = Far(
    id="api-connection-error", category="deployment_config", slug="api-connection-error", specificity=3,
    what="the proxy got no answer from the model's server: it is down, unreachable or hung up",
    holds=CONNECTION,
    fixes=(
        Fix(who="proxy_admin", title="Check api_base of this model, and reach it from where the proxy runs",
            command="curl -v <api_base>/models", retry="after that address answers"),
    ),
).rule()  # fmt: skip
