"""No deployment has this model's name: `Invalid model name passed in` (litellm/proxy/route_llm_request.py,
1.84.0), or `You passed in model=` where the proxy leaves it to its router (litellm/router.py, 1.84.0 and
1.108.7). Both print the name, and `None` where the call had none.
"""

import re2

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._curl import get
from kb.diagnosis.rules._said import Said

_NAME = re2.compile(r"(?:Invalid model name|You) passed in model=(\S{1,200}?)\.? (?:Call|There) ")


def _model(facts: Facts) -> str:
    """The name that the proxy was asked for, else the one that the reader gave."""
    found = _NAME.search(facts.refusal.message) if facts.refusal else None
    if found is None:
        return facts.asked.model
    return "" if found[1] == "None" else str(found[1])


def _lacks(facts: Facts) -> str:
    model = _model(facts)
    return f"/v1/models doesn't list {model}." if facts.models and model and model not in facts.models else ""


RULE = Said(
    id="model-not-found-in-router",
    hop="model",
    category="model_provider",
    slug="model-not-found-in-router",
    phrases=(
        "Invalid model name passed in model=",
        "There are no healthy deployments for this model",
        "There is no 'model_name' with this string",
    ),
    proof=_lacks,
    model=_model,
    sentence="The proxy knows no model {named}.",
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
