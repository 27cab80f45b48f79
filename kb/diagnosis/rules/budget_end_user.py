"""The end user's budget is spent: litellm/proxy/auth/auth_checks.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("end_user", "budget-exceeded-end-user")
