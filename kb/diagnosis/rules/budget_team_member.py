"""The member's budget in the team is spent: litellm/proxy/auth/user_api_key_auth.py, 1.84.0."""

from kb.diagnosis.rules._budget import rule

RULE = rule("team_member", "budget-exceeded-team-member")
