"""A tag's budget is spent: litellm/proxy/auth/auth_checks.py, or the router's,
litellm/router_strategy/budget_limiter.py, 1.84.0.
"""

from kb.diagnosis.rules._budget import rule

RULE = rule("tag", "budget-exceeded-tag")
