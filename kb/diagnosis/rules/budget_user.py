"""The user's budget is spent: litellm/proxy/auth/auth_checks.py and hooks/max_budget_limiter.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("user", "budget-exceeded-user")
