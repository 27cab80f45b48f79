"""Probes of the proxy itself: is it there, what does it depend on, which version is it."""

from kb.probes.probe import Known, Probe, plain, with_admin
from kb.probes.question import Question


def _models_unkeyed(known: Known) -> Question | str:
    """Refused by LiteLLM in its own form; asked where nothing has shown yet that LiteLLM is there."""
    if known.litellm:
        return "LiteLLM has shown itself already."
    return Question(probe="models_unkeyed", path="/v1/models")


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
        name="models_unkeyed",
        shown="GET /v1/models, without a key",
        why="Whether LiteLLM answers there where its health pages are closed: if not, no key is sent.",
        ask=_models_unkeyed,
        rounds=(2,),
    ),
    Probe(
        name="readiness_details",
        shown="GET /health/readiness/details",
        why="The proxy's version, its cache and its callbacks.",
        ask=with_admin("readiness_details", "/health/readiness/details"),
        rounds=(3,),
        privilege="admin",
    ),
    Probe(
        name="cache_ping",
        shown="GET /cache/ping",
        why="Whether the proxy reaches its cache, where the spend counters are.",
        ask=with_admin("cache_ping", "/cache/ping"),
        rounds=(3,),
        privilege="admin",
        cost="nothing; LiteLLM writes one test entry into its cache",
    ),
)
