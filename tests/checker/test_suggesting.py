"""A language model may be asked on a click: it chooses among known guides, and nothing is kept."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from kb.environment import env_llm
from kb.guides.loading import load
from kb.guides.models import Guide, UnmatchedError
from kb.probes.model import Llm
from tests.guides import files

pytestmark = pytest.mark.django_db
KEY = "sk-llm-" + "Qx7" * 12
SECRET = "sk-proj-" + "Zq8" * 12
TEXT = "Error: the purse of this traveller holds no coin any more"


class Upstream:
    """An OpenAI-compatible address on loopback that says `content`, with a status; keeps what it got."""

    def __init__(self) -> None:
        self.content: Any = "{}"
        self.status = 200
        self.body: bytes | None = None  # instead of a completion
        self.got: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                owner.got.append({"path": self.path, **json.loads(data)})
                owner.keys.append(self.headers["Authorization"])
                owner.may_answer.wait(60)
                said = {"choices": [{"message": {"role": "assistant", "content": owner.content}}]}
                answer = json.dumps(said).encode() if owner.body is None else owner.body
                self.send_response(owner.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True


@pytest.fixture
def upstream(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """The model that the site is set up with."""
    found = Upstream()
    threading.Thread(target=found.server.serve_forever, args=(0.02,), daemon=True).start()
    settings.CULPRIT_LLM = llm(monkeypatch, f"http://127.0.0.1:{found.server.server_port}/v1")
    yield found
    found.may_answer.set()
    found.server.shutdown()
    found.server.server_close()


def llm(monkeypatch: pytest.MonkeyPatch, url: str, key: str = KEY, model: str = "helper-1") -> Llm | None:
    """The setting, as the environment gives it."""
    for name, value in {"URL": url, "KEY": key, "MODEL": model}.items():
        monkeypatch.setenv(f"CULPRIT_LLM_{name}", value)
    return env_llm("CULPRIT_LLM_URL", "CULPRIT_LLM_KEY", "CULPRIT_LLM_MODEL")


def ask(client: Client, text: str = TEXT, status: int = 200) -> str:
    """The page after the click."""
    answer = client.post("/match/suggest/", {"text": text})
    assert answer.status_code == status
    return answer.content.decode()


def test_without_a_model_nothing_is_offered_and_nothing_can_be_asked(library: Path, client: Client) -> None:
    assert "Ask a language model" not in client.post("/match/", {"text": TEXT}).content.decode()
    ask(client, status=404)


def test_the_page_says_where_the_text_would_go_and_sends_nothing_by_itself(
    library: Path, client: Client, upstream: Upstream
) -> None:
    page = client.post("/match/", {"text": TEXT}).content.decode()
    assert f"helper-1 at 127.0.0.1:{upstream.server.server_port}" in page
    assert upstream.got == []


def test_a_guide_that_it_chooses_is_shown_as_a_suggestion_and_kept_nowhere(
    library: Path, client: Client, upstream: Upstream
) -> None:
    upstream.content = '```json\n{"guide": "gate/coin", "reason": "It says <b>coin</b>."}\n```'
    page = ask(client, f"{TEXT}, key {SECRET}")
    assert "A suggestion, not a match" in page
    assert "/errors/gate/coin/" in page
    assert "It says &lt;b&gt;coin&lt;/b&gt;." in page
    (got,) = upstream.got
    assert (got["path"], got["model"]) == ("/v1/chat/completions", "helper-1")
    assert upstream.keys == [f"Bearer {KEY}"]
    sent = json.loads(got["messages"][1]["content"])
    assert {guide["guide"] for guide in sent["guides"]} == {"gate/coin", "gate/token"}
    assert SECRET not in json.dumps(got)
    assert "&lt;api_key&gt;" in page
    assert KEY not in page
    assert not UnmatchedError.objects.exists()
    assert not Guide.objects.filter(met__gt=0).exists()


@pytest.mark.parametrize("base", ["", "/v1", "/llm/v1", "/llm/", "/v1/chat/completions"])
def test_the_address_is_called_as_it_was_given(
    library: Path,
    client: Client,
    upstream: Upstream,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    base: str,
) -> None:
    settings.CULPRIT_LLM = llm(monkeypatch, f"http://127.0.0.1:{upstream.server.server_port}{base}", key="")
    ask(client)
    way = base.rstrip("/").removesuffix("/chat/completions")
    assert upstream.got[0]["path"] == f"{way}/chat/completions"
    assert upstream.keys == [None]


def test_guides_of_one_slug_are_told_apart_by_their_tool(
    library: Path, client: Client, upstream: Upstream
) -> None:
    port = library / "port"
    (library / "gate").rename(port)
    for file in [*port.rglob("coin*"), *port.rglob("token*")]:
        file.unlink()
    (port / "tool.toml").write_text(files.TOOL.replace('"Gate"', '"Port"'))
    (port / "coin.md").write_text(files.guide("doubloon"))
    (port / "captures" / "1.0" / "doubloon.json").write_text("{}")
    (port / "slugs.txt").write_text("coin\n")
    load(files.two(library))
    for name in ("gate/coin", "port/coin"):
        upstream.content = json.dumps({"guide": name, "reason": "It says coin."})
        page = ask(client)
        assert [one for one in ("gate/coin", "port/coin") if f"/errors/{one}/" in page] == [name]
    sent = json.loads(upstream.got[0]["messages"][1]["content"])
    assert {guide["guide"] for guide in sent["guides"]} >= {"gate/coin", "port/coin"}


def test_none_is_an_answer_too(library: Path, client: Client, upstream: Upstream) -> None:
    upstream.content = '{"guide": "none", "reason": "No guide is about purses."}'
    page = ask(client)
    assert "It found no guide that is about this error." in page
    assert "No guide is about purses." in page


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"guide": "gate/made-up", "reason": "x"}', "named a guide that wasn"),
        ('{"guide": "coin", "reason": "x"}', "named a guide that wasn"),
        ('{"guide": ["coin"], "reason": "x"}', "wasn&#x27;t in the form"),
        ("It is the coin, I am sure.", "wasn&#x27;t in the form"),
        ('{"guide": "gate/coin"}', "wasn&#x27;t in the form"),
        ("[" * 5000, "wasn&#x27;t in the form"),
        (None, "wasn&#x27;t in the form"),
        (7, "wasn&#x27;t in the form"),
    ],
)
def test_an_answer_that_breaks_the_rules_is_said_in_a_plain_sentence(
    library: Path, client: Client, upstream: Upstream, content: Any, words: str
) -> None:
    upstream.content = content
    page = ask(client)
    assert words in page
    assert "/errors/gate/coin/" not in page


def test_an_answer_of_opening_braces_alone_is_read_in_one_pass(
    library: Path, client: Client, upstream: Upstream
) -> None:
    upstream.content = "{" * 190_000  # to try an end for each of them would take half a minute
    assert "wasn&#x27;t in the form" in ask(client)


def test_a_key_of_any_shape_that_the_upstream_echoes_is_not_shown(
    library: Path,
    client: Client,
    upstream: Upstream,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = "plainword-of-the-team"
    url = f"http://127.0.0.1:{upstream.server.server_port}/v1"
    settings.CULPRIT_LLM = llm(monkeypatch, url, key=key)
    upstream.content = json.dumps({"guide": "none", "reason": f"You sent {key} as key."})
    page = ask(client)
    assert upstream.keys == [f"Bearer {key}"]
    assert "You sent" in page
    assert key not in page


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"{}", "answered with status 401"),
        (302, b"", "answered with status 302"),
        (200, b"<html>", "wasn&#x27;t in the form"),
        (200, b'{"choices": {}}', "wasn&#x27;t in the form"),
        (200, b"x" * 300_000, "larger than"),
    ],
)
def test_a_broken_upstream_is_said_in_a_plain_sentence(
    library: Path, client: Client, upstream: Upstream, status: int, body: bytes, words: str
) -> None:
    upstream.status, upstream.body = status, body
    assert words in ask(client)


def test_an_upstream_that_is_silent_or_away_is_said_too(
    library: Path, client: Client, upstream: Upstream, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.checker.suggesting.SECONDS", 0.2)
    upstream.may_answer.clear()
    assert "The model didn&#x27;t answer." in ask(client)
    settings.CULPRIT_LLM = llm(monkeypatch, "http://127.0.0.1:9/v1")
    assert "The model didn&#x27;t answer." in ask(client)


def test_a_text_that_a_guide_recognises_or_nobody_typed_is_not_sent(
    library: Path, client: Client, upstream: Upstream
) -> None:
    assert "A guide recognises this text" in ask(client, "gatelib: The coin is spent: 3 of 2", status=422)
    assert "Paste an error text first." in ask(client, "  ", status=422)
    assert upstream.got == []


def test_it_is_asked_a_few_times_a_minute_and_from_no_other_site(
    library: Path, client: Client, upstream: Upstream
) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert client.post("/match/suggest/", {"text": TEXT}, headers=headers).status_code == 404
    upstream.content = '{"guide": "none", "reason": ""}'
    for _ in range(6):
        ask(client)
    page = ask(client, status=429)
    assert "ask again in" in page
    assert TEXT in page  # nothing typed is lost
    assert "Said by helper-1" not in page
    assert len(upstream.got) == 6


@pytest.mark.parametrize(
    ("url", "key", "model", "words"),
    [
        ("", KEY, "", "of no use without"),
        ("http://127.0.0.1:1/v1", "", "", "needs CULPRIT_LLM_MODEL"),
        ("public", "", "m", "one base address"),
        ("http://a.example,http://b.example", "", "m", "one base address"),
        (f"http://127.0.0.1:1/v1?api-key={KEY}", "", "m", "one base address"),
        ("http://169.254.169.254/v1", "", "m", "never called"),
        ("http://127.0.0.1:1/v1", "two words", "m", "no header can carry"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, url: str, key: str, model: str, words: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=words) as refused:
        llm(monkeypatch, url, key, model)
    assert KEY not in str(refused.value)
    assert KEY not in repr(llm(monkeypatch, "http://127.0.0.1:1/v1"))
