"""Whole runs: against the captured proxies, with and without each key, cut short, and timed."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from aiohttp import web

from kb.diagnosis.finding import Asked, Reply
from kb.probes.credential import Credential
from kb.probes.loop import told
from kb.probes.plan import KEYLESS, ORDER, PROBES, plan
from kb.probes.run import not_reached, run, second_look
from kb.probes.target import LOOPBACK, Refused, Target, vet
from tests.probes import servers
from tests.probes.fake import MASTER, VERSIONS, VIRTUAL, Fake
from tests.probes.servers import finish, serving

KEY, ADMIN = Credential(VIRTUAL), Credential(MASTER)
ASKED = Asked(model="lab-model", end_user="customer-1", tags=("tag-1", "tag-2"))
FORBIDDEN = ("/spend/keys", "/spend/users", "/spend/tags", "/global/spend/")


def check(
    fake: Fake, *, key: Any = KEY, admin: Any = ADMIN, asked: Asked = ASKED, paid: bool = True, **more: Any
):
    """The replies of one run against `fake`, by probe."""

    async def main() -> tuple[Reply, ...]:
        async with fake.serving() as target:
            return await run(target, key, admin, asked, paid, **more)

    replies = finish(main())
    assert tuple(reply.probe for reply in replies) == ORDER
    return {reply.probe: reply for reply in replies}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_run_with_both_keys_asks_everything(version: str) -> None:
    fake = Fake(version)
    replies = check(fake)
    silent = {name for name, reply in replies.items() if reply.outcome != "ok"}
    assert silent == {"tls", "models_unkeyed", "organization_info"}
    assert replies["liveliness"].body == "I'm alive!"
    assert replies["readiness"].body == {"status": "healthy", "db": "connected"}
    assert replies["readiness_details"].body["litellm_version"] == version
    assert isinstance(replies["key_info"].body["info"]["spend"], float)
    assert replies["call"].status == 200
    assert replies["call"].headers["x-litellm-version"] == version
    assert replies["call"].paid
    assert {row["spend"] for row in replies["spend_logs"].body} == {0.02}
    assert not any("metadata" in row or "requester_ip_address" in row for row in replies["spend_logs"].body)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_call_is_the_smallest_there_is(version: str) -> None:
    fake = Fake(version)
    check(fake)
    assert fake.bodies["/v1/chat/completions"] == {
        "model": "lab-model",
        "messages": [{"role": "user", "content": "ping"}],
        "max_tokens": 1,
        "user": "customer-1",
        "metadata": {"tags": ["tag-1", "tag-2"]},
    }
    assert fake.bodies["/tag/info"] == {"names": ["tag-1", "tag-2"]}
    assert fake.asked[-1] == ("POST", "/v1/chat/completions", "virtual")
    assert len([one for one in fake.asked if one[0] == "POST"]) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_no_request_shows_a_key_or_other_peoples_data(version: str) -> None:
    fake = Fake(version)
    check(fake)
    for _, path, who in fake.asked:
        assert VIRTUAL not in path
        assert MASTER not in path
        assert not path.startswith(FORBIDDEN) or (who, path) == ("master", "/spend/tags")
        assert path.partition("?")[0] != "/health"
        if path.startswith("/spend/logs"):
            assert f"api_key={KEY.hash}" in path
        if who == "master" and path.startswith(("/key/info", "/user/info")):
            assert "?" in path
    assert ("GET", f"/key/info?key={KEY.hash}", "master") in fake.asked


class Elsewhere(Fake):
    """Another server: it knows neither LiteLLM's health pages nor its errors."""

    def answer(self, request: web.Request, who: str) -> tuple[int, dict[str, str], Any]:
        return 401, {}, {"error": {"message": "Who are you?", "type": "auth", "param": None, "code": None}}


def test_a_server_that_is_not_litellm_sees_no_key_and_no_call() -> None:
    fake = Elsewhere("1.84.0")
    replies = check(fake)
    assert {(method, who) for method, _, who in fake.asked} == {("GET", "none")}
    assert replies["models_unkeyed"].status == 401
    for name in ("key_info", "global_spend", "call"):
        assert (replies[name].outcome, replies[name].paid) == ("not_run", False)
        assert "no key was sent" in replies[name].why


def test_no_question_with_a_key_belongs_to_a_round_without() -> None:
    early = [probe.name for probe in PROBES if set(probe.rounds) & set(KEYLESS)]
    assert early == ["liveliness", "readiness", "models_unkeyed"]


def test_a_proxy_whose_health_pages_are_closed_is_known_by_its_refusal() -> None:
    class Closed(Fake):
        def answer(self, request: web.Request, who: str) -> tuple[int, dict[str, str], Any]:
            if request.path.startswith("/health/"):
                return 403, {}, "<html>forbidden</html>"
            if (request.path, who) == ("/v1/models", "none"):
                error = {"message": "Authentication Error, No api key passed in.", "type": "auth_error"}
                return 401, {}, {"error": error | {"param": "None", "code": "401"}}
            return super().answer(request, who)

    replies = check(Closed("1.84.0"))
    assert (replies["liveliness"].status, replies["models_unkeyed"].status) == (403, 401)
    assert (replies["key_info"].outcome, replies["call"].status) == ("ok", 200)


def test_the_key_s_first_question_goes_alone() -> None:
    """On 1.84.0 several workers that miss a counter together would each add to it."""
    fake = Fake("1.84.0", latency=0.02)
    check(fake)
    mine = [path.partition("?")[0] for _, path, who in fake.asked if who == "virtual"]
    assert mine[0] == "/key/info"
    rounds = [one[1].partition("?")[0] for one in fake.asked]
    assert rounds.index("/v1/models") > max(rounds.index("/budget/list"), rounds.index("/key/info"))


class Owned(Fake):
    """A key of a team of an organization."""

    def answer(self, request: web.Request, who: str) -> tuple[int, dict[str, str], Any]:
        if request.path == "/key/info" and who == "virtual":
            return 400, {}, {"error": {"message": "Budget has been exceeded! Team=t"}}
        if request.path == "/key/info":
            return 200, {}, {"key": KEY.hash, "info": {"team_id": "t 1&x=2", "user_id": "me@example.com"}}
        if request.path == "/team/info":
            mine = {"user_id": "me@example.com", "spend": 1.5}
            other = {"user_id": "you@example.com", "spend": 9.5}
            info = {
                "organization_id": "o/1",
                "members_with_roles": [mine, other],
                "members": ["you@example.com"],
            }
            return 200, {}, {"team_info": info, "team_memberships": [other, mine], "keys": [{"token": "x"}]}
        return super().answer(request, who)


def test_ids_lead_on_and_other_members_stay_out() -> None:
    fake = Owned("1.84.0")
    replies = check(fake)
    assert ("GET", "/team/info?team_id=t+1%26x%3D2", "master") in fake.asked
    assert ("GET", "/user/info?user_id=me%40example.com", "master") in fake.asked
    assert ("GET", "/organization/info?organization_id=o%2F1", "master") in fake.asked
    assert replies["user_info_admin"].request == "GET /user/info?user_id=<email>"
    body = replies["team_info_admin"].body
    assert [row["spend"] for row in body["team_memberships"]] == [1.5]
    assert "keys" not in body
    assert body["team_info"]["members"] is None
    assert "you@example.com" not in repr(replies)


@pytest.mark.parametrize("value", [None, 7, True, "", "x" * 300, "a\r\nHost: b", {"id": "t"}, ["t"], "None"])
def test_an_id_of_the_wrong_shape_leads_nowhere(value: Any) -> None:
    class Odd(Fake):
        def answer(self, request: web.Request, who: str) -> tuple[int, dict[str, str], Any]:
            if request.path == "/key/info":
                return 200, {}, {"info": {"team_id": value, "user_id": value, "organization_id": value}}
            return super().answer(request, who)

    fake = Odd("1.84.0")
    replies = check(fake)
    for name in ("team_info", "team_info_admin", "user_info_admin", "organization_info"):
        assert (replies[name].outcome, bool(replies[name].why)) == ("not_run", True)


@pytest.mark.parametrize("body", [[], "text", None, 7, {"info": []}, {"info": None}, {"info": "x"}])
def test_json_of_the_wrong_shape_breaks_nothing(body: Any) -> None:
    class Odd(Fake):
        def answer(self, request: web.Request, who: str) -> tuple[int, dict[str, str], Any]:
            if who == "none":
                return super().answer(request, who)
            return 200, {}, body

    replies = check(Odd("1.84.0"))
    assert replies["key_info"].outcome == replies["call"].outcome == "ok"
    assert replies["team_info"].outcome == "not_run"


def test_without_admin_key_its_questions_are_not_put() -> None:
    fake = Fake("1.84.0")
    replies = check(fake, admin=None)
    assert {who for *_, who in fake.asked} == {"none", "virtual"}
    for probe in PROBES:
        if probe.privilege == "admin":
            assert (replies[probe.name].outcome, replies[probe.name].why) == (
                "not_run",
                "Needs an admin key.",
            )


@pytest.mark.parametrize("key", [None, Credential(""), Credential("  ")])
def test_without_any_key_the_proxy_itself_is_looked_at(key: Credential | None) -> None:
    fake = Fake("1.84.0")
    replies = check(fake, key=key, admin=key)
    assert {path for _, path, _ in fake.asked} == {"/health/liveliness", "/health/readiness"}
    assert replies["readiness"].outcome == "ok"
    assert replies["call"].why == "Needs a virtual key."


@pytest.mark.parametrize(
    ("asked", "paid", "why"),
    [
        (ASKED, False, "Paid calls weren't allowed."),
        (replace(ASKED, model=""), True, "No model was named."),
    ],
)
def test_a_paid_call_needs_leave_and_a_model(asked: Asked, paid: bool, why: str) -> None:
    fake = Fake("1.84.0")
    replies = check(fake, asked=asked, paid=paid)
    assert (replies["call"].outcome, replies["call"].why, replies["call"].paid) == ("not_run", why, False)
    assert not any(path.startswith("/v1/chat") for _, path, _ in fake.asked)


def test_a_key_that_no_header_can_carry_is_not_sent() -> None:
    fake = Fake("1.84.0")
    replies = check(fake, key=Credential("sk-a\r\nX-Evil: 1"), admin=Credential("sk-ä"))
    assert {who for *_, who in fake.asked} == {"none"}
    assert "no HTTP header" in replies["key_info"].why
    assert "X-Evil" not in repr(replies)


def test_the_plan_is_what_runs() -> None:
    fake = Fake("1.84.0")
    replies = check(fake)
    steps = plan(ASKED, has_key=True, has_admin=True, paid=True)
    assert [step.name for step in steps] == list(ORDER)
    assert [step.name for step in steps if step.paid] == ["call"]
    for step in steps:
        assert step.cost
        assert step.why.endswith(".")
        if step.privilege == "admin" or replies[step.name].outcome == "not_run":
            continue
        if step.name not in {"name", "connection"}:
            assert replies[step.name].request.partition("?")[0] == step.request.partition("?")[0]
    few = plan(Asked(), has_key=True, has_admin=False, paid=True)
    assert not any(step.paid or step.privilege == "admin" for step in few)


def test_replies_are_told_as_they_come() -> None:
    told: list[str] = []
    replies = check(Fake("1.84.0"), on_reply=lambda reply: told.append(reply.probe))
    assert sorted(told) == sorted(replies)
    assert told.index("connection") < told.index("liveliness") < told.index("models") < told.index("call")


def test_what_the_listener_raises_ends_the_run() -> None:
    def listener(reply: Reply) -> None:
        if reply.probe == "readiness":
            raise LookupError("full")

    with pytest.raises(LookupError, match="full"):
        check(Fake("1.84.0"), on_reply=listener)


def test_the_questions_of_a_round_are_put_at_once() -> None:
    fake = Fake("1.84.0", latency=0.1)
    check(fake)
    assert fake.most_at_once >= 8


def test_a_cancelled_run_ends_at_once() -> None:
    async def main() -> tuple[tuple[Reply, ...], float]:
        fake = Fake("1.84.0", latency=5)
        cancelled = asyncio.Event()
        async with fake.serving() as target:
            asyncio.get_running_loop().call_later(0.2, cancelled.set)
            begun = time.perf_counter()
            replies = await run(target, KEY, ADMIN, ASKED, True, None, cancelled)
            return replies, time.perf_counter() - begun

    replies, taken = finish(main())
    by = {reply.probe: reply for reply in replies}
    assert taken < 2
    assert tuple(by) == ORDER
    assert (by["connection"].outcome, by["liveliness"].trouble) == ("ok", "cancelled")
    assert (by["call"].outcome, by["call"].why) == ("not_run", "The check was cancelled.")


def test_a_run_ends_by_its_deadline() -> None:
    begun = time.perf_counter()
    replies = check(Fake("1.84.0", latency=5), seconds=0.4)
    assert time.perf_counter() - begun < 3
    assert replies["liveliness"].trouble == "timed_out"
    assert replies["call"].outcome == "not_run"
    assert not any(
        reply.outcome == "ok" for name, reply in replies.items() if name not in {"name", "connection"}
    )


def test_a_cancelled_task_closes_everything() -> None:
    async def main() -> None:
        async with Fake("1.84.0", latency=5).serving() as target:
            task = asyncio.create_task(run(target, KEY, ADMIN, ASKED, True))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    finish(main())


def test_nothing_but_the_connection_is_tried_where_nobody_listens() -> None:
    replies = finish(run(Target("http", "127.0.0.1", 1, "", ("127.0.0.1",)), KEY, ADMIN, ASKED, True))
    by = {reply.probe: reply for reply in replies}
    assert by["connection"].trouble == "connection_refused"
    assert {reply.outcome for name, reply in by.items() if name not in {"name", "connection"}} == {"not_run"}


def test_a_silent_server_is_not_asked_for_more() -> None:
    async def main() -> tuple[Reply, ...]:
        async with serving(servers.slamming) as port:
            return await run(Target("http", "127.0.0.1", port, "", ("127.0.0.1",)), KEY, None, ASKED, True)

    by = {reply.probe: reply for reply in finish(main())}
    assert by["liveliness"].trouble == "closed_early"
    assert (by["call"].outcome, by["call"].why) == ("not_run", "Nothing answered before it.")


def test_a_proxy_that_dies_midway_leaves_the_rest_failed() -> None:
    class Dying(Fake):
        def answer(self, request: web.Request, who: str) -> tuple[int, dict[str, str], Any]:
            if request.path == "/v1/chat/completions":
                assert request.transport
                request.transport.abort()
            return super().answer(request, who)

    replies = check(Dying("1.84.0"))
    assert (replies["models"].outcome, replies["call"].trouble) == ("ok", "closed_early")
    assert replies["call"].paid


def test_a_wrong_base_path_is_noted() -> None:
    async def main() -> tuple[Reply, ...]:
        async with Fake("1.84.0").serving() as target:
            vetted = vet(f"{target.url}/v1/v1", LOOPBACK, lambda host, port: [])
            assert isinstance(vetted, Target)
            return await run(vetted, None, None, Asked(), False)

    name, *_ = finish(main())
    assert "/v1/v1" in name.why
    assert name.body["base_path"] == ""


def test_a_base_path_is_kept() -> None:
    fake = Fake("1.84.0")

    async def main() -> None:
        async with fake.serving() as target:
            await run(replace(target, base_path="/llm"), None, None, Asked(), False)

    finish(main())
    assert {path for _, path, _ in fake.asked} == {
        "/llm/health/liveliness",
        "/llm/health/readiness",
        "/llm/v1/models",
    }


@pytest.mark.parametrize(("hop", "trouble"), [("target", "target_refused"), ("name", "name_not_resolved")])
def test_a_refused_target_has_replies_too(hop: Any, trouble: str) -> None:
    first, *rest = not_reached(Refused("Because.", hop))
    assert (first.probe, first.outcome, first.trouble, first.why) == ("name", "failed", trouble, "Because.")
    assert {reply.outcome for reply in rest} == {"not_run"}


def test_a_second_look_asks_again_after_its_pause() -> None:
    fake = Fake("1.84.0")

    async def main() -> tuple[tuple[Reply, ...], float]:
        async with fake.serving() as target:
            begun = time.perf_counter()
            return await second_look(target, KEY, ASKED, True, 0.2), time.perf_counter() - begun

    replies, taken = finish(main())
    assert taken >= 0.2
    assert [(one.probe, one.status) for one in replies] == [("key_info_again", 200), ("call_again", 200)]
    assert [path for _, path, _ in fake.asked] == ["/key/info", "/v1/chat/completions"]


def test_a_second_look_without_leave_to_pay_reads_the_record_alone() -> None:
    async def main() -> tuple[Reply, ...]:
        async with Fake("1.84.0").serving() as target:
            return await second_look(target, KEY, ASKED, False, 0)

    record, call = finish(main())
    assert (record.outcome, call.outcome, call.why) == ("ok", "not_run", "Paid calls weren't allowed.")


def test_a_second_look_tells_that_nobody_listens_any_more() -> None:
    target = Target("http", "127.0.0.1", 1, "", ("127.0.0.1",))
    record, call = finish(second_look(target, KEY, ASKED, True, 0))
    assert (record.trouble, call.outcome) == ("connection_refused", "not_run")


@contextlib.contextmanager
def elsewhere(fake: Fake) -> Iterator[Target]:
    """`fake` in a thread of its own."""
    with asyncio.Runner() as runner, contextlib.ExitStack() as stack:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(loop.call_soon_threadsafe, loop.stop)
        serving = fake.serving()
        yield asyncio.run_coroutine_threadsafe(serving.__aenter__(), loop).result(5)
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), loop).result(5)


def test_runs_without_an_event_loop() -> None:
    with elsewhere(Fake("1.84.0", latency=0.05)) as target:
        groups = list(told(partial(run, target, KEY, ADMIN, ASKED, True)))
    names = [reply.probe for group in groups for reply in group]
    assert sorted(names) == sorted(ORDER)
    assert names.index("connection") < names.index("models") < names.index("call")
    assert len(groups) > 1


def test_many_runs_at_once_share_a_thread() -> None:
    fake = Fake("1.84.0", latency=0.05)
    with elsewhere(fake) as target:
        looks = [told(partial(run, target, KEY, ADMIN, ASKED, True)) for _ in range(5)]
        first = [next(look) for look in looks]
        before = threading.active_count()
        rest = [[reply for group in look for reply in group] for look in looks]
        assert threading.active_count() <= before
    for group, others in zip(first, rest, strict=True):
        assert sorted(reply.probe for reply in (*group, *others)) == sorted(ORDER)


def test_a_run_that_nobody_reads_any_more_is_cancelled() -> None:
    ended = threading.Event()
    with elsewhere(Fake("1.84.0", latency=60)) as target:

        async def look(on_reply: Callable[[Reply], None]) -> tuple[Reply, ...]:
            try:
                return await run(target, KEY, ADMIN, ASKED, True, on_reply)
            finally:
                ended.set()

        replies = told(look)
        next(replies)
        assert not ended.is_set()
        replies.close()
        assert ended.wait(20)


def test_what_breaks_a_run_reaches_its_reader() -> None:
    async def broken(on_reply: Any) -> tuple[Reply, ...]:
        on_reply(Reply(probe="name", request="", outcome="ok"))
        raise LookupError("full")

    look = told(broken)
    assert [reply.probe for reply in next(look)] == ["name"]
    with pytest.raises(LookupError, match="full"):
        next(look)
