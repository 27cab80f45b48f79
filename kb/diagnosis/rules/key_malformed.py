"""What arrived is no virtual key: it doesn't begin with sk- (litellm/proxy/auth/user_api_key_auth.py,
1.84.0).
"""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import get
from kb.diagnosis.rules._said import Said

RULE = Said(
    id="auth-malformed-key",
    hop="key",
    category="account_auth",
    slug="auth-malformed-key",
    phrases=("LiteLLM Virtual Key expected",),
    sentence="What was sent as the key is no LiteLLM virtual key: it doesn't begin with sk-.",
    fixes=(
        Fix(
            who="caller",
            title="Send the key itself, which begins with sk-: not its hash, nor a provider's key",
            command=get("/v1/models"),
            retry="now with the key",
        ),
    ),
).rule()
