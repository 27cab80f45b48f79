"""The key may not call this route: 403 with `detail` (litellm/proxy/auth/route_checks.py, 1.84.0 and
1.108.7).
"""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import post
from kb.diagnosis.rules._said import Said

RULE = Said(
    id="route-not-allowed-virtual-key",
    hop="key",
    category="account_auth",
    slug="route-not-allowed-virtual-key",
    phrases=("Virtual key is not allowed to call this route",),
    sentence="{shown} may not call this route: its allowed_routes don't include it.",
    fixes=(
        Fix(
            who="proxy_admin",
            title="Allow the route on the key",
            command=post("/key/update", '{"key": "{key}", "allowed_routes": ["llm_api_routes"]}'),
            retry="now",
        ),
    ),
).rule()
