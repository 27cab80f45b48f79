"""A window of the key's budget is spent: `budget_limits`, litellm/proxy/auth/auth_checks.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("key_window", "budget-exceeded-key-window")
