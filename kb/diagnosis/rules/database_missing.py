"""The proxy runs without a database, so it knows no virtual key: `No connected db.`, 400 (1.84.0 and
1.108.7).
"""

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._said import Said


def _seen(facts: Facts) -> str:
    return '/health/readiness says "Not connected".' if facts.database == "not_connected" else ""


def _another(facts: Facts) -> bool:
    """The type alone tells only together with /health/readiness."""
    heard = facts.refusal
    return not (heard and heard.says("No connected db")) and facts.database != "not_connected"


RULE = Said(
    id="db-not-connected", hop="proxy", category="deployment_config", slug="db-not-connected",
    phrases=("No connected db.",), types=("no_db_connection",), proof=_seen, unless=_another, specificity=3,
    sentence="This proxy runs without a database, so it knows no virtual keys: only its master key works.",
    fixes=(Fix(
        who="proxy_admin", title="Set DATABASE_URL (PostgreSQL) and restart the proxy; then make keys",
        command='curl "$LITELLM_URL/health/readiness"', retry='after readiness says "db": "connected"',
    ),),
).rule()  # fmt: skip
