"""Canary keys, sent through a server that repeats them wherever it can: no reply may hold one."""

import base64
import copy
import json
import logging
import pickle
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web

from kb.diagnosis.finding import Asked, Reply
from kb.probes.credential import Credential, Scrubber
from kb.probes.run import run, second_look
from kb.probes.target import Target
from tests.probes import servers
from tests.probes.fake import Fake
from tests.probes.servers import finish, serving

# One in LiteLLM's form, one that no pattern knows and that has to be escaped, one of digits.
CANARIES = [
    ("sk-canary-7Qw3rTy9", "sk-admin-canary-5Zx1"),
    ('canary "quoted" +/=&é'.replace(" ", "_").replace("é", "~"), "Admin/Canary+of=words"),
    ("73519264", "canary\\back\\slash"),
]


def forms(key: str) -> list[str]:
    """The ways in which a key might show."""
    digest = Credential(key).hash
    return [
        key,
        key.lower(),
        quote(key, safe=""),
        json.dumps(key)[1:-1],
        digest,
        digest.upper(),
        f"Bearer {key}",
    ]


class Echo(Fake):
    """Repeats the keys in every place that an answer has."""

    def __init__(self, keys: tuple[str, ...], shape: str) -> None:
        super().__init__("1.84.0")
        self.keys = keys
        self.shape = shape

    async def _answer(self, request: web.Request) -> web.Response:
        shown = [form for key in self.keys for form in forms(key)]
        line = " ".join(shown)
        headers = dict.fromkeys(
            ("Server", "Location", "Retry-After", "x-litellm-key-spend", "Date", "X-Y"), line
        )
        if self.shape == "error":
            raise web.HTTPBadRequest(text=line, headers=headers, reason=line)
        if self.shape == "redirect":
            return web.Response(
                status=307, headers={**headers, "Location": f"http://{self.keys[0]}@169.254.169.254/"}
            )
        if self.shape == "text":
            return web.Response(text="x" * 3_990 + line, headers=headers, content_type="text/html")
        body: dict[str, Any] = {form: form for form in shown}
        body |= {
            "error": {"message": f"Received API Key = {self.keys[0]}, Key Hash (Token) ={shown[4]}. {line}"}
        }
        body |= {
            "key": shown[4],
            "info": {"team_id": self.keys[0], "user_id": shown[4], "organization_id": line},
        }
        body |= {"list": [shown, line * 50], "number": int(self.keys[0]) if self.keys[0].isdigit() else 0}
        body |= {"team_memberships": [{"user_id": shown[4], "alias": line}], "keys": shown, "teams": shown}
        return web.Response(text=json.dumps(body), headers=headers, content_type="application/json")


def everything(replies: tuple[Reply, ...]) -> str:
    return repr(replies) + "".join(
        json.dumps([one.body, dict(one.headers), one.why, one.request]) for one in replies
    )


@pytest.mark.parametrize("shape", ["json", "text", "error", "redirect"])
@pytest.mark.parametrize("keys", CANARIES, ids=["litellm", "odd", "digits"])
def test_no_reply_holds_a_canary(keys: tuple[str, str], shape: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key, admin = map(Credential, keys)
    asked = Asked(model="m", end_user=keys[0], tags=(keys[1],))
    told: list[Reply] = []

    async def main() -> tuple[Reply, ...]:
        async with Echo(keys, shape).serving() as target:
            again = await second_look(target, key, asked, True, 0, admin=admin)
            return (*await run(target, key, admin, asked, True, told.append), *again)

    replies = finish(main())
    assert sum(one.status is not None for one in replies) >= 15
    said = everything((*replies, *told)) + caplog.text
    for secret in (*forms(keys[0]), *forms(keys[1])):
        assert secret not in said, secret


@pytest.mark.parametrize("handler", [servers.slamming, servers.saying(b"SSH-2.0\r\n\r\n"), servers.silent])
def test_no_broken_exchange_holds_a_canary(handler: servers.Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.probes.dial._TLS_SECONDS", 0.1)
    keys = CANARIES[0]

    async def main() -> tuple[Reply, ...]:
        async with serving(handler) as port:
            target = Target("http", "127.0.0.1", port, "", ("127.0.0.1",))
            return await run(target, *map(Credential, keys), Asked(), True, seconds=0.5)

    said = everything(finish(main()))
    assert not any(key in said for key in keys)


def test_a_bug_in_the_dialler_shows_no_words_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> None:
        raise ZeroDivisionError(CANARIES[0][0])

    monkeypatch.setattr("kb.probes.dial.parsed", broken)

    async def main() -> tuple[Reply, ...]:
        async with Fake("1.84.0").serving() as target:
            return await run(target, Credential(CANARIES[0][0]), None, Asked(), False)

    replies = finish(main())
    assert CANARIES[0][0] not in everything(replies)
    broke = next(reply for reply in replies if reply.probe == "liveliness")
    assert (broke.trouble, broke.why) == ("broken", "The exchange broke (ZeroDivisionError).")


def test_a_credential_shows_nothing() -> None:
    key = Credential("  Bearer sk-canary-7Qw3rTy9\n")
    assert f"{key} {key!r} {[key]}" == "*** *** [***]"
    assert key.header() == "Bearer sk-canary-7Qw3rTy9"
    for thief in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            thief(key)
    with pytest.raises(TypeError):
        json.dumps(key)
    with pytest.raises(TypeError):
        vars(key)


@pytest.mark.parametrize(
    ("value", "sendable"),
    [
        ("sk-1", True),
        ("", False),
        ("a b", False),
        ("a\nb", False),
        ("é", False),
        ("a\x00", False),
        ("x" * 5000, False),
    ],
)
def test_only_what_a_header_can_carry_is_sendable(value: str, sendable: bool) -> None:
    assert Credential(value).sendable == sendable


def test_secrets_that_nobody_gave_are_taken_out_too() -> None:
    clean = Scrubber(()).body
    token = base64.b64encode(b"user:secret").decode()
    body, _ = clean({
        "redis_password": "hunter2",
        "api_key": "abcdef",
        "message": f"Authorization: Basic {token}0000 sent by a@example.com with sk-abcdefghijklmnop1234",
        "a@example.com": 1,
        "key_name": "sk-...ab12",
        "key_alias": "production",
        "max_tokens": "12",
    })  # fmt: skip
    said = json.dumps(body)
    for secret in ("hunter2", "abcdef", token, "a@example.com"):
        assert secret not in said
    assert (body["key_name"], body["key_alias"], body["max_tokens"]) == ("sk-...ab12", "production", "12")


def test_what_is_clean_together_is_clean_alone() -> None:
    """Many short strings are looked at as lines of one text: the answer is the same as one by one."""
    fake = Fake("1.108.7")
    together, alone = Scrubber((Credential("sk-canary"),)), Scrubber((Credential("sk-canary"),))
    words = sorted({json.dumps(one["virtual"]["body"])[:90] for one in fake._context.values()})
    words += [
        "a@example.com",
        "sk-abcdef123456",
        '"open',
        "password=",
        "hunter2",
        "Bearer",
        "x" * 90,
        "sk-canary",
        "",
    ]
    body, _ = together.body(words)
    assert body == [alone.text(word) for word in words]
