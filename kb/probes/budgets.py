"""Probes of the budgets that belong to nobody in particular: providers, shared budgets, the whole proxy."""

from kb.probes.probe import Probe, with_admin

PROBES = (
    Probe(
        name="provider_budgets",
        shown="GET /provider/budgets",
        why="What each provider may cost, and has cost.",
        ask=with_admin("provider_budgets", "/provider/budgets"),
        rounds=(3,),
        privilege="admin",
    ),
    Probe(
        name="budget_list",
        shown="GET /budget/list",
        why="The limits that keys, members and end users share.",
        ask=with_admin("budget_list", "/budget/list"),
        rounds=(3,),
        privilege="admin",
    ),
    Probe(
        name="global_spend",
        shown="GET /global/spend",
        why="The whole proxy's spend and limit.",
        ask=with_admin("global_spend", "/global/spend"),
        rounds=(3,),
        privilege="admin",
    ),
)
