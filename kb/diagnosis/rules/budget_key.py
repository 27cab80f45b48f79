"""The key's own budget is spent: `_virtual_key_max_budget_check`, litellm/proxy/auth/auth_checks.py,
1.84.0.
"""

from kb.diagnosis.rules._budget import rule

RULE = rule("key", "budget-exceeded-key")
