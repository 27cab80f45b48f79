"""The provider refuses the proxy's own credentials: `litellm.AuthenticationError` (litellm/exceptions.py),
401.
"""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import Far, threw

RULE = Far(
    id="provider-auth-error", category="account_auth", slug="provider-auth-error-{provider}", specificity=2,
    what="{provider} refused the credentials that the proxy uses there; the virtual key is in order",
    holds=threw("AuthenticationError"),
    fixes=(
        Fix(who="proxy_admin", title="Set a valid api_key for this model in model_list, and restart",
            retry="now"),
    ),
).rule()  # fmt: skip
