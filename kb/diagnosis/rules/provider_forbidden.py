"""The provider forbids it: 403, as `litellm.APIError` or `PermissionDeniedError` (litellm/exceptions.py)."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import CONTENT, Far, either, only, said, threw

RULE = Far(
    id="provider-permission-denied", category="account_auth", slug="", specificity=1,
    what="{provider} forbids it to the account that the proxy uses there",
    holds=only(
        either(threw("PermissionDeniedError"), lambda heard: heard.status == 403,
               said("You are not allowed to access this model")), CONTENT, threw("AuthenticationError"),
    ),
    fixes=(
        Fix(who="proxy_admin", title="Get the account access to this model, or use another account",
            retry="now"),
    ),
).rule()  # fmt: skip
