"""The project's budget is spent: `_project_max_budget_check`, litellm/proxy/auth/auth_checks.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("project", "budget-exceeded-project")
