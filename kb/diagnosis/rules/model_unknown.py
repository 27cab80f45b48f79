"""No deployment has this model's name: `Invalid model name passed in` (litellm/proxy/route_llm_request.py,
1.84.0).
"""

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import get
from kb.diagnosis.rules._said import Said


def _lacks(facts: Facts) -> str:
    model = facts.asked.model
    return f"/v1/models doesn't list {model}." if facts.models and model and model not in facts.models else ""


RULE = Said(
    id="model-not-found-in-router",
    hop="model",
    category="model_provider",
    slug="model-not-found-in-router",
    phrases=("Invalid model name passed in model=",),
    proof=_lacks,
    sentence="The proxy knows no model named {model}.",
    fixes=(
        Fix(
            who="caller",
            title="Use a name from the proxy's list, letter for letter",
            retry="now",
            command=get("/v1/models"),
        ),
        Fix(
            who="proxy_admin",
            title="Or add the model to model_list in the configuration",
            retry="after the proxy has restarted",
        ),
    ),
).rule()
