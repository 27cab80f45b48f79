"""Probes of the proxy itself: is it there, what does it depend on, which version is it."""

from kb.probes.probe import Probe, plain, with_admin

PROBES = (
    Probe(
        name="liveliness",
        shown="GET /health/liveliness",
        why="Whether a LiteLLM proxy answers at this address at all.",
        ask=plain("liveliness", "/health/liveliness"),
        rounds=(1,),
    ),
    Probe(
        name="readiness",
        shown="GET /health/readiness",
        why="Whether the proxy reaches its database.",
        ask=plain("readiness", "/health/readiness"),
        rounds=(1,),
    ),
    Probe(
        name="readiness_details",
        shown="GET /health/readiness/details",
        why="The proxy's version, its cache and its callbacks.",
        ask=with_admin("readiness_details", "/health/readiness/details"),
        rounds=(1,),
        privilege="admin",
    ),
    Probe(
        name="cache_ping",
        shown="GET /cache/ping",
        why="Whether the proxy reaches its cache, where the spend counters are.",
        ask=with_admin("cache_ping", "/cache/ping"),
        rounds=(1,),
        privilege="admin",
        cost="nothing; LiteLLM writes one test entry into its cache",
    ),
)
