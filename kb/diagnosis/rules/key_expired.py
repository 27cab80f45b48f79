"""The key's time is over: `expired_key`, 400 in 1.84.0 and 401 in 1.108.7
(litellm/proxy/auth/user_api_key_auth.py).
"""

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import post
from kb.diagnosis.rules._said import Said


def _seen(facts: Facts) -> str:
    return (
        f"{facts.key.source} shows that it expired at {facts.key.expires}."
        if facts.key and facts.key.expires
        else ""
    )


RULE = Said(
    id="auth-key-expired",
    hop="key",
    category="account_auth",
    slug="auth-key-expired",
    phrases=("Expired Key. Key Expiry time",),
    types=("expired_key",),
    proof=_seen,
    sentence="{shown} has expired, at {expires}: no budget and no limit is involved.",
    fixes=(
        Fix(
            who="proxy_admin",
            title="Give the key more time",
            command=post("/key/update", '{"key": "{key}", "duration": "30d"}'),
            retry="now",
        ),
        Fix(who="caller", title="Or ask for a new key", retry="now with the new key"),
    ),
).rule()
