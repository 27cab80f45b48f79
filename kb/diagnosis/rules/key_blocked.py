"""An administrator blocked the key: `Key is blocked.`, 401 (litellm/proxy/auth/user_api_key_auth.py,
1.84.0).
"""

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import post
from kb.diagnosis.rules._said import Said


def _seen(facts: Facts) -> str:
    return f"{facts.key.source} shows blocked: true." if facts.key and facts.key.blocked else ""


RULE = Said(
    id="auth-key-blocked",
    hop="key",
    category="account_auth",
    slug="auth-key-blocked",
    phrases=("Key is blocked. Update via",),
    proof=_seen,
    sentence="{shown} was blocked by an administrator of the proxy.",
    fixes=(
        Fix(
            who="proxy_admin",
            title="Ask why it was blocked; then unblock it",
            command=post("/key/unblock", '{"key": "{key}"}'),
            retry="now",
        ),
    ),
).rule()
