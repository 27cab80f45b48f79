"""The organization's budget is spent: litellm/proxy/auth/auth_checks.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("org", "budget-exceeded-org")
