"""No key arrived: `No api key passed in.`, or an empty bearer (litellm/proxy/auth/user_api_key_auth.py,
1.84.0).
"""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import get
from kb.diagnosis.rules._said import Said

RULE = Said(
    id="auth-no-key-passed",
    hop="key",
    category="account_auth",
    slug="auth-no-key-passed",
    phrases=("No api key passed in", "Malformed API Key passed in"),
    sentence="LiteLLM got no key: the Authorization header is missing, or holds nothing after Bearer.",
    fixes=(
        Fix(
            who="caller",
            title="Send the key in the header",
            command=get("/v1/models"),
            retry="now with the key",
        ),
    ),
).rule()
