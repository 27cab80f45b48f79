"""The key's budget for one model is spent: litellm/proxy/hooks/model_max_budget_limiter.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("key_model", "budget-exceeded-model")
