"""The provider's filter refused the content: `litellm.ContentPolicyViolationError`, 400."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import CONTENT, Far

RULE = Far(
    id="content-policy-violation", category="model_provider", slug="content-policy-violation", specificity=3,
    what="{provider} refused the content by its policy",
    holds=CONTENT,
    fixes=(
        Fix(who="caller", title="Change the content", retry="now with the changed content"),
        Fix(who="proxy_admin", title="Or set content_policy_fallbacks for this model",
            retry="after the proxy has restarted"),
    ),
).rule()  # fmt: skip
