"""A deployment's budget is spent: litellm/router_strategy/budget_limiter.py, 1.84.0 and 1.108.7."""

from kb.diagnosis.rules._budget import rule

RULE = rule("deployment", "budget-exceeded-deployment")
