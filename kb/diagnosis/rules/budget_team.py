"""The team's budget is spent: `_team_max_budget_check`, litellm/proxy/auth/auth_checks.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("team", "budget-exceeded-team")
