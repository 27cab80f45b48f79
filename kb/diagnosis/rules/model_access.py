"""The key, its team, user, organization or project may not use this model.

`{key,team,user,…}_model_access_denied` (litellm/proxy/auth/auth_checks.py): 401 in 1.84.0, 403 in 1.108.7.
"""

from collections.abc import Iterator

from kb.diagnosis.facts import Facts
from kb.diagnosis.finding import Finding, Fix
from kb.diagnosis.rules import Rule
from kb.diagnosis.rules._curl import get, post
from kb.diagnosis.rules._said import Said

_WHO = {"key": "key", "team": "team", "user": "user", "org": "organization", "project": "project",
        "customer": "end user", "agent": "agent"}  # fmt: skip
_FIXES = {
    "key": ("/key/update", '{"key": "{key}", "models": ["{model}"]}'),
    "team": ("/team/update", '{"team_id": "{team}", "models": ["{model}"]}'),
    "user": ("/user/update", '{"user_id": "{user}", "models": ["{model}"]}'),
}
_TAIL = "_model_access_denied"


def judge(facts: Facts) -> Iterator[Finding]:
    """Say whose list of models lacks the model."""
    heard = facts.refusal
    if heard is None:
        return
    kind = heard.type.removesuffix(_TAIL) if heard.type.endswith(_TAIL) else _by_words(facts)
    if kind not in _WHO:
        return
    yield from _said(kind).judge(facts)


def _by_words(facts: Facts) -> str:
    heard = facts.refusal
    for kind in _WHO:
        if heard and heard.says(f"{kind} not allowed to access model. This {kind} can only access"):
            return kind
    return ""


def _lacks(facts: Facts) -> str:
    model = facts.asked.model
    return (
        f"/v1/models doesn't list {model} for this key."
        if facts.models and model and model not in facts.models
        else ""
    )


def _said(kind: str) -> Said:
    path, body = _FIXES.get(kind, ("", ""))
    command = post(path, body) if path else ""
    guide = f"{kind}-model-access-denied"
    return Said(
        id=guide, hop="model", category="account_auth", slug=guide, types=(f"{kind}{_TAIL}",), proof=_lacks,
        phrases=(f"{kind} not allowed to access model",),
        sentence=f"The {_WHO[kind]} may not use the model {{model}}: its list of models doesn't include it.",
        fixes=(
            Fix(who="team_admin" if kind == "team" else "proxy_admin", command=command,
                title=f"Add the model to those of the {_WHO[kind]} (the list replaces the old one)",
                retry="after 60 seconds at most"),
            Fix(who="caller", title="Or use a model that the key may use", retry="now",
                command=get("/v1/models")),
        ),
    )  # fmt: skip


RULE = Rule("model-access-denied", "model", judge)
