"""The proxy's own budget is spent: `litellm.max_budget`, litellm/proxy/auth/auth_checks.py, 1.84.0 and
1.108.7.
"""

from kb.diagnosis.rules._budget import rule

RULE = rule("global", "budget-exceeded-global")
