"""A window of the team's budget is spent: litellm/proxy/auth/auth_checks.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("team_window", "budget-exceeded-team-window")
