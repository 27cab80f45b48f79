"""The input is longer than the model takes: `litellm.ContextWindowExceededError`, 400."""

from kb.diagnosis.finding import Fix
from kb.diagnosis.rules._provider import CONTEXT, Far

RULE = Far(
    id="context-window-exceeded", category="model_provider", slug="context-window-exceeded", specificity=3,
    what="the input is longer than the model takes",
    holds=CONTEXT,
    fixes=(
        Fix(who="caller", title="Shorten the input, or use a model with a larger window",
            retry="now with less"),
        Fix(who="proxy_admin", title="Or set context_window_fallbacks for this model",
            retry="after the proxy has restarted"),
    ),
).rule()  # fmt: skip
