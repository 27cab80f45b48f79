"""The key's team is blocked: `Team=… is blocked.`, 401, up to 60 s late (litellm/proxy/auth/auth_checks.py,
1.84.0).
"""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import post
from kb.diagnosis.rules._said import Said

RULE = Said(
    id="auth-team-blocked",
    hop="key",
    category="account_auth",
    slug="auth-team-blocked",
    phrases=("is blocked. Update via `/team/unblock`",),
    sentence="The team of this key was blocked by an administrator, and with it all of its keys.",
    fixes=(
        Fix(
            who="proxy_admin",
            title="Ask why the team was blocked; then unblock it",
            command=post("/team/unblock", '{"team_id": "{team}"}'),
            retry="after 60 seconds at most",
        ),
    ),
).rule()
