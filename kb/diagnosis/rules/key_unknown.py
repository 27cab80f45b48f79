"""The proxy's database holds no such key: deleted, never made here, or its team was deleted.

`token_not_found_in_db` (litellm/proxy/_types.py; 401 in 1.84.0 and 1.108.7).
"""

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import post
from kb.diagnosis.rules._said import Said


def _seen(facts: Facts) -> str:
    return "The admin's /key/info finds no such key either." if facts.key_missing else ""


RULE = Said(
    id="auth-invalid-virtual-key",
    hop="key",
    category="account_auth",
    slug="auth-invalid-virtual-key",
    phrases=(
        "Invalid proxy server token passed",
        "Unable to find token in cache or",
        "Invalid API key provided.",
    ),
    types=("token_not_found_in_db",),
    proof=_seen,
    sentence="This proxy's database holds no such key: it was deleted (with its team, perhaps), or belongs to"
    " another proxy.",
    fixes=(
        Fix(
            who="proxy_admin",
            title="Make a new key, for the same team and user",
            command=post("/key/generate", '{"models": ["{model}"]}'),
            retry="now with the new key",
        ),
    ),
).rule()
