"""The proxy can't reach its database; 1.84.0 says so with a 401, as for a bad key.

litellm/proxy/auth/auth_exception_handler.py: 401 auth_error in 1.84.0, 503 no_db_connection in 1.108.7.
"""

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._said import Said


def _seen(facts: Facts) -> str:
    return (
        "/health/readiness says that the database is disconnected."
        if facts.database == "disconnected"
        else ""
    )


def _never_had(facts: Facts) -> bool:
    """A proxy without any database answers of the type no_db_connection too."""
    heard = facts.refusal
    return facts.database == "not_connected" or (heard is not None and heard.says("No connected db"))


RULE = Said(
    id="db-connection-failed", hop="proxy", category="deployment_config", slug="db-connection-failed",
    phrases=("Can't reach database server", "All connection attempts failed",
             "authentication database is temporarily unreachable"),
    types=("no_db_connection",), proof=_seen, unless=_never_had, specificity=3,
    sentence="The proxy can't reach its database, so it can't check any key that it hasn't cached:"
    " the key itself is not to blame.",
    fixes=(Fix(
        who="proxy_admin", title="Start or reach the database of DATABASE_URL again; then ask the proxy",
        command='curl "$LITELLM_URL/health/readiness"', retry='after readiness says "db": "connected"',
    ),),
).rule()  # fmt: skip
