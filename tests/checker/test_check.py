"""A check as a reader makes it: the form, the run against a recorded gateway, the result."""

import hashlib
import html
import json
import os
import shlex
import subprocess
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from kb.checker import offline
from kb.checker.models import CheckRun, Target
from kb.probes.target import Policy, Refused, vet
from tests.checker.gateway import Gateway

pytestmark = pytest.mark.django_db
KEY = "sk-" + "Kq7" * 8
FOUNDING = ("1.84.0", "stale_team_scoped_key")


def ask(client: Client, gateway: Gateway, **more: Any) -> CheckRun:
    """Posts the form as a browser without JavaScript does, and follows it to the run."""
    data = {"address": gateway.url, "key": KEY, "model": "lab-model", "paid": "on", **more}
    answer = client.post("/check/", data)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return CheckRun.objects.get(pk=answer["Location"].split("/")[3])


def test_the_founding_case_is_decided_and_shown(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        run = ask(client, gateway, admin_key="sk-admin")
    verdict = run.diagnosis["verdict"]
    assert (verdict["status"], verdict["hop"], verdict["stale"]) == ("fault", "budget", True)
    assert verdict["slug"] == "budget-exceeded-key-stale-spend"
    assert [row["scope"] for row in run.diagnosis["budgets"] if row["blocks"]] == ["key"]
    page = client.get(run.get_absolute_url()).content.decode()
    assert verdict["sentence"].split(":")[0].replace("'", "&#x27;") in page
    for number in ("10.2", "0.02"):
        assert number in page


def test_the_same_with_the_key_alone(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        run = ask(client, gateway)
        assert not any(line.startswith("GET /key/info?") for line in gateway.asked)
    assert run.diagnosis["verdict"]["hop"] == "budget"
    blocking = [row["scope"] for row in run.diagnosis["budgets"] if row["blocks"]]
    assert blocking in (["key"], [])


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/models", "/engines/lab-model/completions"])
def test_an_address_with_an_endpoint_in_it_is_called_at_its_base(db: None, client: Client, path: str) -> None:
    with Gateway("1.84.0", "ok") as gateway:
        run = ask(client, gateway, address=gateway.url + path)
    assert run.diagnosis["verdict"]["status"] == "healthy"
    assert f"The address had {path} in it" in client.get(run.get_absolute_url()).content.decode()


class AnotherServer(Gateway):
    """Whatever it is asked, it answers as a web server without such a page does."""

    keys: frozenset[str] = frozenset()

    def answer(self, method: str, path: str, key: str) -> dict[str, Any]:
        self.keys |= {key}
        return {"status": 404, "body": "<html>Not Found</html>"}


def test_a_server_that_is_not_litellm_never_sees_the_key(db: None, client: Client) -> None:
    with AnotherServer("1.84.0", "ok") as gateway:
        run = ask(client, gateway, admin_key="sk-admin", second_look="70")
    assert gateway.keys == {""}
    assert run.diagnosis["verdict"]["cause"] == "not-litellm"
    page = client.get(run.get_absolute_url()).content.decode()
    assert "answered as LiteLLM does, so no key was sent" in page


def test_a_healthy_proxy_is_not_accused(db: None, client: Client) -> None:
    with Gateway("1.84.0", "ok") as gateway:
        run = ask(client, gateway)
    assert run.diagnosis["verdict"]["status"] == "healthy"


def test_without_the_tick_no_call_is_paid(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        ask(client, gateway, paid="")
        assert not any("chat/completions" in line for line in gateway.asked)


def test_a_plain_key_never_asks_for_other_people_s_data(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        ask(client, gateway)
        for line in gateway.asked:
            assert not any(path in line for path in ("/spend/keys", "/spend/users", "/spend/tags", "/global"))
            assert line.split("?")[0] != "GET /health"


def test_progress_is_streamed_reply_by_reply(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        answer = client.post(
            "/check/",
            {"address": gateway.url, "key": KEY, "model": "lab-model", "paid": "on"},
            headers={"Accept": "application/x-ndjson"},
        )
        lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]
    assert {"connection", "key_info", "call"} <= {line.get("probe") for line in lines}
    assert lines[-1]["location"] == CheckRun.objects.get().get_absolute_url()


@pytest.mark.django_db(transaction=True)  # closing an answer closes its connection
def test_a_reader_who_leaves_ends_the_check(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.checker.running.seats", seats := threading.BoundedSemaphore(1))
    with Gateway(*FOUNDING) as gateway:
        data = {"address": gateway.url, "key": KEY, "model": "lab-model", "paid": "on", "second_look": "130"}
        answer = client.post("/check/", data, headers={"Accept": "application/x-ndjson"})
        stream = iter(answer.streaming_content)  # type: ignore[attr-defined]
        next(stream)
        assert not seats.acquire(blocking=False)
        answer.close()
        del stream
    assert CheckRun.objects.count() == 0
    assert seats.acquire(blocking=False)


@pytest.mark.parametrize("accept", ["text/html", "application/x-ndjson"])
def test_where_too_many_wait_a_check_is_sent_away_with_its_form(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    monkeypatch.setattr("kb.checker.running.seats", seats := threading.BoundedSemaphore(1))
    seats.acquire()
    with Gateway("1.84.0", "ok") as gateway:
        data = {"address": gateway.url, "key": KEY, "model": "kept-model", "paid": "on"}
        answer = client.post("/check/", data, headers={"Accept": accept})
        listed = client.post("/check/models/", {"address": gateway.url, "key": KEY})
        assert gateway.asked == []
    assert (answer.status_code, listed.status_code) == (503, 503)
    assert answer["Retry-After"] == "60"
    page = answer.content.decode()
    assert "Send it again in a minute" in page
    assert "kept-model" in page
    assert KEY not in page
    seats.release()
    assert CheckRun.objects.count() == 0


def test_an_address_that_is_not_allowed_is_refused_in_words(db: None, client: Client) -> None:
    answer = client.post("/check/", {"address": "http://10.1.2.3:4000", "key": KEY}, follow=True)
    page = answer.content.decode()
    assert "CULPRIT_TARGETS" in page
    assert CheckRun.objects.get().diagnosis["verdict"]["status"] == "not_reached"


def test_a_registered_target_is_offered_by_name(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        Target.objects.create(
            name="the lab", scheme="http", host="127.0.0.1", port=gateway.server.server_port,
            networks=["127.0.0.0/8"],
        )  # fmt: skip
        assert "the lab" in client.get("/check/").content.decode()
        run = ask(client, gateway, address="", target="the lab")
    assert run.diagnosis["verdict"]["status"] == "fault"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"key": KEY}, "Give the proxy&#x27;s address"),
        ({"address": "http://127.0.0.1:4000", "paid": "on", "model": "m"}, "needs the virtual key"),
        ({"address": "http://127.0.0.1:4000", "paid": "on", "key": KEY}, "needs a model"),
        ({"judge": "on", "answers": " \n"}, 'id="answers_errors">Paste what the commands printed.'),
        ({"answers": "nonsense"}, "Paste the commands&#x27; whole output"),
        ({"address": "127.0.0.1:9"}, "Write the whole address with http:// or https://"),
        ({"address": "javascript:alert(1)"}, "Write the whole address with http:// or https://"),
        ({"address": "http://127.0.0.1:4000", "target": "gone"}, "There is no target of that name"),
    ],
)
def test_a_form_that_makes_no_sense_says_what_to_do_and_keeps_what_was_typed(
    db: None, client: Client, data: dict[str, str], says: str
) -> None:
    answer = client.post("/check/", {**data, "end_user": "kept words", "error": "kept error"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert "kept words" in page
    assert "kept error" in page
    assert KEY not in page


@pytest.mark.parametrize("scenario", ["stale_team_scoped_key", "budget_tag"])
def test_the_offline_way_gives_the_same_verdict(db: None, client: Client, scenario: str) -> None:
    with Gateway("1.84.0", scenario) as gateway:
        tags = gateway.recorded["request"]["body"].get("metadata", {}).get("tags", [])
        rows = [{"individual_request_tag": tag, "total_spend": 0.04} for tag in tags]
        gateway.recorded["context"]["spend_tags"] = {"response": {"status": 200, "body": rows}}
        live = ask(client, gateway, admin_key="sk-admin", tags=",".join(tags))
        parts = []
        for probe, (request, key) in offline.QUESTIONS.items():
            method, path = request.split(" ", 1)
            asking = {"$LITELLM_KEY": KEY, "$LITELLM_ADMIN_KEY": "sk-admin"}.get(key, "")
            answer = gateway.answer(method, path.split("?")[0], asking)
            parts.append(f"### {probe}\n{json.dumps(answer['body'])}\nHTTP {answer['status']}")
    data = {"answers": "\n".join(parts), "model": "lab-model", "tags": ",".join(tags)}
    answer = client.post("/check/", data)
    pasted = CheckRun.objects.get(pk=answer["Location"].split("/")[3])
    for name in ("status", "cause", "slug", "hop", "stale", "sentence"):
        assert pasted.diagnosis["verdict"][name] == live.diagnosis["verdict"][name], name


def test_the_printed_commands_ask_what_the_reader_of_answers_knows() -> None:
    printed = offline.script()
    for probe in offline.QUESTIONS:
        assert f"ask {probe} " in printed
    assert "sk-" not in printed


def test_the_printed_commands_send_what_the_live_check_sends(tmp_path: Path) -> None:
    """A curl that writes down what it is given; the tag has a space in it."""
    (tmp_path / "curl").write_text('#!/bin/sh\nprintf "<%s>" "$@" >> "$WRITTEN"\n')
    (tmp_path / "curl").chmod(0o755)
    text = offline.script("my model").replace("LITELLM_TAG=...", "LITELLM_TAG='a tag'")
    there = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "WRITTEN": str(tmp_path / "written")}
    subprocess.run(["bash", "-eu", "-c", text], env=there, check=True)
    sent = (tmp_path / "written").read_text()
    assert '<{"names": ["a tag"]}>' in sent
    assert f"/spend/logs?api_key={hashlib.sha256(b'...').hexdigest()}>" in sent
    assert '<{"model": "my model", "max_tokens": 1, "messages": ' in sent


def test_the_commands_have_the_model_of_the_form(db: None, client: Client) -> None:
    assert "export LITELLM_MODEL=...\n" in client.get("/check/").content.decode()
    assert "export LITELLM_MODEL=gpt-5\n" in client.get("/check/?model=gpt-5").content.decode()
    odd = "a $(b) 'c'"
    page = client.post("/check/", {"model": f"{odd}\nrm", "judge": "on"}).content.decode()
    assert f"export LITELLM_MODEL={shlex.quote(f'{odd} rm')}\n" in html.unescape(page)


@pytest.mark.parametrize("model", ["", "..."])
def test_the_printed_commands_pay_for_nothing_before_a_model_is_filled_in(tmp_path: Path, model: str) -> None:
    (tmp_path / "curl").write_text("#!/bin/sh\necho asked\n")
    (tmp_path / "curl").chmod(0o755)
    text = offline.script().replace("LITELLM_MODEL=...", f"LITELLM_MODEL={model}")
    there = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-eu", "-c", text], env=there, check=True, capture_output=True, text=True)
    assert "### models\n" in done.stdout
    assert "### call\n" not in done.stdout


@pytest.mark.parametrize(
    "said",
    [
        "/chat/completions: Invalid model name passed in model=MODEL. Call `/v1/models` to view available",
        "key not allowed to access model. This key can only access models=['a']. Tried to access MODEL",
    ],
)
def test_a_call_that_asked_for_a_placeholder_says_nothing_about_the_model(
    db: None, client: Client, said: str
) -> None:
    models = '### models\n{"data": [{"id": "gpt-5", "object": "model"}]}\nHTTP 200\n'
    call = f"### call\n{json.dumps({'error': {'message': said, 'code': '400'}})}\nHTTP 400\n"
    answer = client.post("/check/", {"answers": models + call, "model": "gpt-5"}, follow=True)
    assert CheckRun.objects.get().diagnosis["verdict"]["status"] != "fault"
    assert "It asked for a placeholder: put the model of your call into" in answer.content.decode()


def test_a_run_is_unlisted_expires_and_can_be_deleted(db: None, client: Client) -> None:
    with Gateway("1.84.0", "ok") as gateway:
        run = ask(client, gateway)
    url = run.get_absolute_url()
    answer = client.get(url)
    assert answer["X-Robots-Tag"] == "noindex"
    assert "no-store" in answer["Cache-Control"]
    CheckRun.objects.filter(pk=run.pk).update(expires=timezone.now() - timedelta(seconds=1))
    assert client.get(url).status_code == 404
    CheckRun.objects.filter(pk=run.pk).update(expires=timezone.now() + timedelta(days=1))
    assert client.post(f"{url}delete/").status_code == 302
    assert CheckRun.objects.count() == 0


def test_the_same_address_gives_json(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        run = ask(client, gateway)
    answer = client.get(run.get_absolute_url(), headers={"Accept": "application/json"})
    found = answer.json()
    assert client.get(f"{run.get_absolute_url()}?format=json").json() == found
    assert found.pop("second_look") is None
    assert found == run.diagnosis
    assert set(found) == {"ruleset", "target", "proxy", "verdict", "budgets", "findings", "probes", "fixes"}


def test_a_second_run_shows_what_changed(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        before = ask(client, gateway)
    with Gateway("1.84.0", "ok") as gateway:
        after = ask(client, gateway, previous=before.pk)
    assert after.previous == before
    page = client.get(after.get_absolute_url())
    assert "healthy" in page.content.decode().lower()
    assert ("verdict", "fault", "healthy") in page.context["changes"]
    assert before.get_absolute_url() in page.content.decode()


def test_a_run_whose_time_is_over_is_compared_with_no_more(db: None, client: Client) -> None:
    with Gateway(*FOUNDING) as gateway:
        before = ask(client, gateway)
        after = ask(client, gateway, previous=before.pk)
    assert after.previous == before
    CheckRun.objects.filter(pk=before.pk).update(expires=timezone.now() - timedelta(seconds=1))
    page = client.get(after.get_absolute_url())
    assert page.status_code == 200
    assert before.pk not in page.content.decode()
    assert page.context["changes"] == []


def test_the_form_lists_the_models_of_the_key(db: None, client: Client) -> None:
    with Gateway("1.84.0", "ok") as gateway:
        answer = client.post("/check/models/", {"address": gateway.url, "key": KEY})
    assert answer.json() == {"models": ["lab-model"]}


def test_one_person_may_not_check_without_end(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.throttle.time.time", lambda: 1_000_000_005.0)
    data = {"address": "http://10.1.2.3:4000"}
    answers = [client.post("/check/", data) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [302] * 10 + [429]
    assert int(answers[10]["Retry-After"]) <= 60
    page = answers[10].content.decode()
    assert "Too many checks in this minute" in page
    assert 'value="http://10.1.2.3:4000"' in page
    beyond = [client.post("/check/", data | {"key": KEY}) for _ in range(11)]
    assert all(answer.status_code == 429 and KEY not in answer.content.decode() for answer in beyond)
    assert "10.1.2.3" not in beyond[10].content.decode()


def test_a_proxy_is_not_asked_without_end_however_its_address_is_written(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.web.throttle.time.time", lambda: 1_000_000_005.0)
    monkeypatch.setattr("kb.checker.views.PER_TARGET", 2)
    forms = ["http://10.1.2.3:4000", "http://10.1.2.3:4000/", "HTTP://10.1.2.3:4000/v1"]
    assert [client.post("/check/", {"address": one}).status_code for one in forms] == [302, 302, 429]
    assert client.post("/check/models/", {"address": forms[1]}).status_code == 429
    pasted = {"answers": "### readiness\n{}\nHTTP 200"}
    assert [client.post("/check/", pasted).status_code for _ in range(3)] == [302] * 3


@pytest.mark.parametrize(
    ("host", "path", "url"),
    [
        ("LLM.Example.com", "/llm/", "https://llm.example.com:443/llm"),
        ("llm.example.com", "llm", "https://llm.example.com:443/llm"),
        ("llm.example.com", "/v1", "https://llm.example.com:443"),
        ("[2001:db8::7]", "", "https://[2001:db8::7]:443"),
    ],
)
def test_a_target_is_kept_as_it_is_called(host: str, path: str, url: str) -> None:
    networks = ["192.0.2.0/24", "2001:db8::/32"]
    target = Target(name="one", scheme="https", host=host, port=443, path=path, networks=networks)
    target.full_clean()
    assert target.url == url
    called = vet(target.url, Policy(allowed=(target.allowed(),)), lambda name, port: ["192.0.2.7"])
    assert not isinstance(called, Refused)


@pytest.mark.parametrize(("host", "says"), [("user:pw@h", "user name and password"), ("a b", "spaces")])
def test_a_target_that_could_never_be_called_is_refused_in_words(host: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Target(name="one", scheme="https", host=host, port=443, networks=["0.0.0.0/0"]).full_clean()


def test_a_forged_form_is_refused(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/check/", {"address": "http://127.0.0.1:4000"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("scenario", "status"), [("ok", 0), ("stale_team_scoped_key", 1), ("key_unknown", 1)]
)
def test_the_command_gives_the_same_object_and_says_it_by_its_exit_status(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], scenario: str, status: int
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    with Gateway("1.84.0", scenario) as gateway:
        line = [gateway.url, "--key-env", "THE_KEY", "--model", "lab-model", "--json"]
        with pytest.raises(SystemExit) as stopped:
            call_command("check_proxy", *line)
    assert stopped.value.code == status
    found = json.loads(capsys.readouterr().out)
    assert found["target"] == gateway.url
    assert set(found) == {"ruleset", "target", "proxy", "verdict", "budgets", "findings", "probes", "fixes"}


def test_the_command_stops_where_it_is_used_wrongly(
    db: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for line, says in (
        (["--key-env", "NO_SUCH_VARIABLE"], "NO_SUCH_VARIABLE is empty"),
        (["--key-env", "THE_KEY", "--error-file", str(tmp_path / "gone")], "No such file"),
    ):
        monkeypatch.setenv("THE_KEY", KEY)
        with pytest.raises(SystemExit) as stopped:
            call_command("check_proxy", "http://127.0.0.1:9", *line)
        assert stopped.value.code == 2
        assert says in capsys.readouterr().err


def test_the_command_says_that_nothing_was_reached(
    db: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("THE_KEY", KEY)
    with Gateway("1.84.0", "ok") as gateway:
        url = gateway.url
    with pytest.raises(SystemExit) as stopped:
        call_command("check_proxy", url, "--key-env", "THE_KEY")
    assert stopped.value.code == 2
    assert "not_reached" in capsys.readouterr().out


def test_a_check_that_must_wait_says_so(db: None, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr("kb.checker.running.places", places)
    with Gateway("1.84.0", "ok") as gateway:
        data = {"address": gateway.url, "key": KEY, "model": "lab-model", "paid": "on"}
        places.acquire()
        answer = client.post("/check/", data, headers={"Accept": "application/x-ndjson"})
        stream = iter(answer.streaming_content)  # type: ignore[attr-defined]
        assert b"this one waits" in next(stream)
        places.release()
        rest = b"".join(stream)
    assert b"location" in rest
    assert places.acquire(blocking=False)


def test_only_the_tags_of_the_call_are_read_of_everybody_s(db: None, client: Client) -> None:
    with Gateway("1.84.0", "budget_tag") as gateway:
        tag = gateway.recorded["request"]["body"]["metadata"]["tags"][0]
        rows = [{"individual_request_tag": name, "total_spend": 0.04} for name in (tag, "of-somebody-else")]
        gateway.recorded["context"]["spend_tags"] = {"response": {"status": 200, "body": rows}}
        run = ask(client, gateway, admin_key="sk-admin", tags=tag)
    assert [row["scope"] for row in run.diagnosis["budgets"] if row["blocks"]] == ["tag"]
    assert run.diagnosis["verdict"]["stale"] is False
    assert "of-somebody-else" not in json.dumps(run.diagnosis)
