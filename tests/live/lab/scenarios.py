"""The failures that a caller of a LiteLLM proxy meets, brought about one by one.

A scenario is a generator: it brings its failure about, yields what the caller saw, and tidies up; the
failure holds until the generator is resumed. Names and verdicts are those of expected.json.
"""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tests.live.lab.caller import Caller, NotProvoked, Seen, hashed, named, send
from tests.live.lab.running import address, free_port

Scenario = Callable[[Caller], Iterator[Seen]]
SCENARIOS: dict[str, Scenario] = {}
SLOW: set[str] = set()  # scenarios to begin with: they wait long, or start a proxy of their own
ALONE: set[str] = set()  # scenarios that take down what all the others need
DAY = "1d"


def scenario(provoke: Scenario) -> Scenario:
    """Makes a scenario known by its function's name."""
    SCENARIOS[provoke.__name__] = provoke
    return provoke


def slow(provoke: Scenario) -> Scenario:
    """A scenario that begins early, so that others run while it waits."""
    SLOW.add(provoke.__name__)
    return scenario(provoke)


def alone(provoke: Scenario) -> Scenario:
    """A scenario that runs while no other does."""
    ALONE.add(provoke.__name__)
    return scenario(provoke)


def simple(name: str, call: Callable[[Caller], Seen]) -> None:
    """A scenario that is one call."""

    def provoke(caller: Caller) -> Iterator[Seen]:
        yield call(caller)

    SCENARIOS[name] = provoke


def until_refused(name: str, call: Callable[[Caller, str], Seen], pause: float = 1.2, **key: object) -> None:
    """A scenario that is one call, made again and again with a new key until it is refused."""

    def provoke(caller: Caller) -> Iterator[Seen]:
        made = caller.key(**key)
        seen = caller.refused(lambda: call(caller, made), pause=pause)
        if name.startswith("budget"):
            caller.settle(made)
        yield seen

    SCENARIOS[name] = provoke


# All is well.

simple("ok", lambda caller: caller.chat(caller.key(max_budget=10)))
simple("ok_no_budget", lambda caller: caller.chat(caller.key()))
simple("key_as_x_api_key", lambda caller: caller.chat(None, headers={"x-api-key": caller.key()}))


@scenario
def budget_key_soft(caller: Caller) -> Iterator[Seen]:
    """A soft budget refuses nobody."""
    key = caller.key(soft_budget=0.01)
    caller.chat(key)
    caller.settle(key)
    yield caller.chat(key)


@scenario
def end_user_blocked(caller: Caller) -> Iterator[Seen]:
    """Without the callback `blocked_user_check` a blocked customer is let through."""
    customer = caller.customer()
    caller.ask("/customer/block", {"user_ids": [customer]})
    yield caller.chat(caller.key(), user=customer)


# Budgets that are spent.


def spent(route: str, body: dict[str, object]) -> Callable[[Caller], Iterator[Seen]]:
    """A spent key on another route than chat."""

    def provoke(caller: Caller) -> Iterator[Seen]:
        key = caller.key(max_budget=0.03)
        caller.refused(lambda: caller.chat(key))
        caller.settle(key)
        if route == "/v1/models":
            status, text = send(caller.base, route, None, {"authorization": f"Bearer {key}"}, method="GET")
            yield Seen(caller.base, key, "lab-model", "", (), status, text)
        else:
            yield caller.post(key, route, {"model": "lab-model", **body})

    return provoke


SCENARIOS["budget_key_anthropic_route"] = spent(
    "/v1/messages", {"max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
)
SCENARIOS["budget_key_responses_route"] = spent("/v1/responses", {"input": "x"})
SCENARIOS["budget_key_embeddings_route"] = spent("/v1/embeddings", {"input": "x"})
SCENARIOS["budget_key_models_still_listed"] = spent("/v1/models", {})
until_refused("budget_key", Caller.chat, max_budget=0.03)
until_refused("budget_key_stream", lambda caller, key: caller.chat(key, stream=True), max_budget=0.03)
until_refused("budget_key_zero", Caller.chat, max_budget=0)
until_refused("budget_key_window", Caller.chat, budget_limits=[{"budget_duration": DAY, "max_budget": 0.01}])
until_refused("budget_provider", lambda caller, key: caller.chat(key, "lab-provider-budget"))
until_refused("budget_deployment", lambda caller, key: caller.chat(key, "lab-deployment-budget"))


@scenario
def budget_key_by_budget_id(caller: Caller) -> Iterator[Seen]:
    budget = named("budget")
    caller.ask("/budget/new", {"budget_id": budget, "max_budget": 0.03, "budget_duration": "30d"})
    key = caller.key(budget_id=budget)
    seen = caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    yield seen


@scenario
def budget_key_model(caller: Caller) -> Iterator[Seen]:
    """The API gives this budget only with a licence; the check itself runs without one."""
    limit = json.dumps({"lab-model": {"budget_limit": 0.01, "time_period": DAY}})
    key = caller.key()
    caller.lab.sql(
        f"""update "LiteLLM_VerificationToken" set model_max_budget = '{limit}'
        where token = '{hashed(key)}'"""
    )
    seen = caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    yield seen


@scenario
def budget_team(caller: Caller) -> Iterator[Seen]:
    key = caller.key(team_id=caller.team(max_budget=0.03))
    seen = caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    yield seen


@scenario
def budget_team_window(caller: Caller) -> Iterator[Seen]:
    team = caller.team(budget_limits=[{"budget_duration": DAY, "max_budget": 0.01}])
    key = caller.key(team_id=team)
    seen = caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    yield seen


@scenario
def budget_team_member(caller: Caller) -> Iterator[Seen]:
    user, team = caller.user(), caller.team(max_budget=100)
    member = {"role": "user", "user_id": user}
    caller.ask("/team/member_add", {"team_id": team, "member": member, "max_budget_in_team": 0.03})
    key = caller.key(team_id=team, user_id=user)
    seen = caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    yield seen


@scenario
def budget_user(caller: Caller) -> Iterator[Seen]:
    key = caller.key(user_id=caller.user(max_budget=0.03))
    seen = caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    yield seen


@scenario
def budget_end_user(caller: Caller) -> Iterator[Seen]:
    customer, key = caller.customer(max_budget=0.03), caller.key()
    seen = caller.refused(lambda: caller.chat(key, user=customer))
    caller.settle(key)
    yield seen


def insert_budget(caller: Caller, budget: str) -> None:
    """A budget of 0.03 for what the API gives only with a licence."""
    caller.lab.sql(
        f"""insert into "LiteLLM_BudgetTable"(budget_id, max_budget, created_by, updated_by)
        values ('{budget}', 0.03, 'lab', 'lab')"""
    )


@scenario
def budget_org(caller: Caller) -> Iterator[Seen]:
    organization, budget = named("org"), named("budget")
    team = caller.team(models=["lab-model"])
    key = caller.key(team_id=team)
    insert_budget(caller, budget)
    caller.lab.sql(
        f"""insert into "LiteLLM_OrganizationTable"
        (organization_id, organization_alias, budget_id, models, created_by, updated_by)
        values ('{organization}', '{organization}', '{budget}', '{{}}', 'lab', 'lab');
        update "LiteLLM_TeamTable" set organization_id = '{organization}' where team_id = '{team}';
        update "LiteLLM_VerificationToken" set organization_id = '{organization}'
        where token = '{hashed(key)}'"""
    )
    time.sleep(1)
    seen = caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    yield seen


@scenario
def budget_project(caller: Caller) -> Iterator[Seen]:
    project, budget, team = named("project"), named("budget"), caller.team()
    key = caller.key(team_id=team)
    insert_budget(caller, budget)
    caller.lab.sql(
        f"""insert into "LiteLLM_ProjectTable"
        (project_id, project_alias, team_id, budget_id, models, spend, created_by, updated_by)
        values ('{project}', '{project}', '{team}', '{budget}', '{{}}', 0.05, 'lab', 'lab');
        update "LiteLLM_VerificationToken" set project_id = '{project}' where token = '{hashed(key)}'"""
    )
    yield caller.refused(lambda: caller.chat(key))


@scenario
def budget_tag(caller: Caller) -> Iterator[Seen]:
    tag, key = named("tag"), caller.key()
    caller.ask("/tag/new", {"name": tag, "description": "lab", "models": [], "max_budget": 0.03})
    seen = caller.refused(lambda: caller.chat(key, metadata={"tags": [tag]}))
    caller.settle(key)
    yield seen


@slow
def budget_global(caller: Caller) -> Iterator[Seen]:
    """The whole proxy's budget, on a proxy of its own."""
    with caller.lab.another_proxy("proxy-global", "global") as caller.base:
        key = caller.key()
        yield caller.refused(lambda: caller.chat(key), tries=8, pause=3)


# Budgets that refuse although they aren't spent, and one that doesn't although it is.


@scenario
def stale_key_counter_poisoned(caller: Caller) -> Iterator[Seen]:
    """The counter says 99.5 and the database 0.02: the proxy believes the counter."""
    key = caller.key(max_budget=5)
    caller.chat(key)
    caller.settle(key)
    caller.count(f"key:{hashed(key)}", "99.5")
    yield caller.chat(key)


@scenario
def stale_team_scoped_key(caller: Caller) -> Iterator[Seen]:
    """The founding case: a team's key is refused while its spend and its team's are far below the limit."""
    key = caller.key(team_id=caller.team(max_budget=1000), max_budget=10, budget_duration="30d")
    caller.chat(key)
    caller.settle(key)
    caller.count(f"key:{hashed(key)}", "10.2", 120)
    yield caller.chat(key)


@scenario
def stale_team_counter_poisoned(caller: Caller) -> Iterator[Seen]:
    team = caller.team(max_budget=5)
    key = caller.key(team_id=team)
    caller.chat(key)
    caller.settle(key)
    caller.count(f"team:{team}", "99.5", 120)
    yield caller.chat(key)


@scenario
def stale_user_counter_poisoned(caller: Caller) -> Iterator[Seen]:
    user = caller.user(max_budget=5)
    key = caller.key(user_id=user)
    caller.chat(key)
    caller.settle(key)
    caller.count(f"user:{user}", "99.5", 120)
    yield caller.chat(key)


@scenario
def stale_key_after_reset_spend(caller: Caller) -> Iterator[Seen]:
    """Spent, then an admin resets the spend: in the database alone."""
    key = caller.key(max_budget=0.03)
    caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    caller.ask(f"/key/{key}/reset_spend", {"reset_to": 0})
    yield caller.chat(key)


@scenario
def stale_key_after_update_spend(caller: Caller) -> Iterator[Seen]:
    key = caller.key(max_budget=0.03)
    caller.refused(lambda: caller.chat(key))
    caller.settle(key)
    caller.ask("/key/update", {"key": key, "spend": 0})
    yield caller.chat(key)


@scenario
def stale_key_reserved_by_request_in_flight(caller: Caller) -> Iterator[Seen]:
    """While a request without max_tokens runs, all that is left is reserved for it."""
    key = caller.key(max_budget=5)
    caller.chat(key)
    caller.settle(key)
    caller.background(lambda: caller.chat(key, "upstream-slow-60", max_tokens=None))
    time.sleep(1.5)
    yield caller.refused(lambda: caller.chat(key, max_tokens=None))


@scenario
def stale_key_after_client_disconnect(caller: Caller) -> Iterator[Seen]:
    """The caller hung up; the reservation stays until the provider's answer or its timeout."""
    key = caller.key(max_budget=5)
    caller.chat(key)
    caller.settle(key)
    caller.chat(key, "upstream-slow-60", max_tokens=None, timeout=5)
    yield caller.refused(lambda: caller.chat(key))


@slow
def stale_key_seeded_twice_by_two_proxies(caller: Caller) -> Iterator[Seen]:
    """Two proxies find the counter gone at once, and each adds the recorded spend to it.

    The counter is read rather than tried with calls: these would spend the budget for real.
    """
    with caller.lab.another_proxy("proxy-second") as second:
        key = caller.key(max_budget=0.5)
        first, authorization = caller.base, {"authorization": f"Bearer {key}"}
        for number in range(15):
            caller.base = second if number % 2 else first
            caller.chat(key)
        caller.base = first
        caller.settle(key)
        counter = f"spend:key:{hashed(key)}"
        for _ in range(300):
            caller.lab.redis("DEL", counter)
            at_once = [
                threading.Thread(
                    target=send, args=(base, "/v1/models", None, authorization), kwargs={"method": "GET"}
                )
                for base in (first, second)
            ]
            for thread in at_once:
                thread.start()
            for thread in at_once:
                thread.join()
            *_, counted = caller.lab.redis("GET", counter).split()
            if float(counted) > 0.5:
                yield caller.chat(key)
                return
        raise NotProvoked("the counter was never seeded twice")


@slow
def stale_key_without_redis(caller: Caller) -> Iterator[Seen]:
    """Without Redis the counter is in the proxy's memory, which a reset doesn't reach."""
    with caller.lab.another_proxy("proxy-no-redis", "no-redis") as caller.base:
        key = caller.key(max_budget=0.03)
        caller.refused(lambda: caller.chat(key))
        caller.settle(key)
        caller.ask(f"/key/{key}/reset_spend", {"reset_to": 0})
        yield caller.chat(key)


@scenario
def stale_low_counter_in_redis(caller: Caller) -> Iterator[Seen]:
    """The other way: more is recorded than the limit, the counter says less, and calls pass."""
    key = caller.key(max_budget=0.15)
    caller.refused(lambda: caller.chat(key), tries=12, pause=0.1)
    caller.settle(key)
    caller.count(f"key:{hashed(key)}", "0", 120)
    yield caller.chat(key)


# Keys.


@scenario
def key_expired(caller: Caller) -> Iterator[Seen]:
    key = caller.key(duration="1s")
    time.sleep(2.5)
    yield caller.chat(key)


@scenario
def key_blocked(caller: Caller) -> Iterator[Seen]:
    key = caller.key()
    caller.ask("/key/block", {"key": key})
    yield caller.chat(key)


@scenario
def key_deleted(caller: Caller) -> Iterator[Seen]:
    key = caller.key()
    caller.ask("/key/delete", {"keys": [key]})
    yield caller.chat(key)


@slow
def team_blocked(caller: Caller) -> Iterator[Seen]:
    """The proxy remembers the team for up to a minute."""
    team = caller.team()
    key = caller.key(team_id=team)
    caller.ask("/team/block", {"team_id": team})
    yield caller.refused(lambda: caller.chat(key), tries=16, pause=5)


@scenario
def team_deleted(caller: Caller) -> Iterator[Seen]:
    team = caller.team()
    key = caller.key(team_id=team)
    caller.ask("/team/delete", {"team_ids": [team]})
    yield caller.chat(key)


simple("key_unknown", lambda caller: caller.chat(f"sk-lab-{uuid.uuid4().hex}"))
simple("key_malformed", lambda caller: caller.chat("not-a-litellm-key"))
simple("key_hash_instead_of_key", lambda caller: caller.chat(hashed(caller.key())))
simple("key_missing", lambda caller: caller.chat(None))
simple("key_empty_bearer", lambda caller: caller.chat(None, headers={"authorization": "Bearer "}))
simple("key_route_not_allowed", lambda caller: caller.chat(caller.key(allowed_routes=["/v1/models"])))

# Models.

simple("model_not_allowed_for_key", lambda caller: caller.chat(caller.key(models=["lab-other"])))
simple(
    "model_not_allowed_for_team",
    lambda caller: caller.chat(caller.key(team_id=caller.team(models=["lab-other"]))),
)
simple(
    "model_not_allowed_for_user",
    lambda caller: caller.chat(caller.key(user_id=caller.user(models=["lab-other"]))),
)
simple(
    "model_no_default_models_user",
    lambda caller: caller.chat(caller.key(user_id=caller.user(models=["no-default-models"]))),
)
simple("model_unknown", lambda caller: caller.chat(caller.key(), "no-such-model"))

# Limits, which count within a minute.

until_refused("limit_key_rpm", Caller.chat, pause=0.1, rpm_limit=1)
until_refused("limit_key_tpm", Caller.chat, pause=0.5, tpm_limit=10)
until_refused("limit_key_model_rpm", Caller.chat, pause=0.1, metadata={"model_rpm_limit": {"lab-model": 1}})
until_refused("limit_deployment_rpm", lambda caller, key: caller.chat(key, "lab-rpm-1"), pause=0.1)


@scenario
def limit_key_parallel(caller: Caller) -> Iterator[Seen]:
    key = caller.key(max_parallel_requests=1)
    caller.background(lambda: caller.chat(key, "upstream-slow-60"))
    time.sleep(1)
    yield caller.refused(lambda: caller.chat(key))


@scenario
def limit_team_rpm(caller: Caller) -> Iterator[Seen]:
    key = caller.key(team_id=caller.team(rpm_limit=1))
    yield caller.refused(lambda: caller.chat(key), pause=0.1)


@scenario
def limit_team_tpm(caller: Caller) -> Iterator[Seen]:
    key = caller.key(team_id=caller.team(tpm_limit=10))
    yield caller.refused(lambda: caller.chat(key), pause=0.5)


@scenario
def limit_user_rpm(caller: Caller) -> Iterator[Seen]:
    key = caller.key(user_id=caller.user(rpm_limit=1))
    yield caller.refused(lambda: caller.chat(key), pause=0.1)


@scenario
def limit_end_user_rpm(caller: Caller) -> Iterator[Seen]:
    budget, key = named("budget"), caller.key()
    caller.ask("/budget/new", {"budget_id": budget, "rpm_limit": 1})
    customer = caller.customer(budget_id=budget)
    yield caller.refused(lambda: caller.chat(key, user=customer), pause=0.1)


# The provider.


def provider(name: str, model: str) -> None:
    simple(name, lambda caller: caller.chat(caller.key(), model))


for failure in (
    "400",
    "400-context",
    "400-content",
    "401",
    "403",
    "404",
    "429",
    "429-quota",
    "500",
    "502",
    "503",
):
    provider(f"upstream_{failure.replace('-', '_')}", f"upstream-{failure}")
for failure in ("slow", "drop", "garbage", "down"):
    provider(f"upstream_{failure}", f"upstream-{failure}")
for failure in ("RateLimitError", "ContextWindowExceededError", "InternalServerError"):
    provider(f"mock_{failure}", f"mock-{failure}")
simple("upstream_500_stream", lambda caller: caller.chat(caller.key(), "upstream-500", stream=True))

# A part of the proxy is down.


@alone
def down_redis(caller: Caller) -> Iterator[Seen]:
    """Over budget for real; the proxy then counts in its memory."""
    key = caller.key(max_budget=0.03)
    caller.chat(key)
    caller.settle(key)
    with caller.lab.without("redis"):
        seen = caller.refused(lambda: caller.chat(key))
        caller.settle(key)
        yield seen
    for _ in range(60):  # (every connection that the proxy kept is dead, and fails once)
        with ThreadPoolExecutor(30) as pool, suppress(NotProvoked):
            list(pool.map(caller.ask, ["/cache/ping"] * 30))
            return
        time.sleep(1)
    raise NotProvoked("the proxy did not find Redis again")


@slow
def no_database_configured(caller: Caller) -> Iterator[Seen]:
    key = caller.key()
    with caller.lab.another_proxy("proxy-no-database", "no-database") as caller.base:
        yield caller.chat(key)


@scenario
def proxy_not_reachable(caller: Caller) -> Iterator[Seen]:
    caller.base = address(free_port())
    yield caller.chat("sk-lab")


@alone
def down_database(caller: Caller) -> Iterator[Seen]:
    """A key that the proxy has not seen yet. The last scenario: the proxy takes half a minute to recover."""
    key = caller.key(max_budget=5)
    with caller.lab.without("postgres"):
        yield caller.chat(key)
