"""No secret stays, whatever wraps it, and LiteLLM's own words do."""

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.diagnosis.text import KINDS, readable, redact

CANARIES = {
    "openai": ("api_key", "sk-proj-Zq81mPLk20vTRx77Yb3Nw_c9"),
    "master": ("api_key", "sk-1234"),
    "anthropic": ("api_key", "sk-ant-api03-Zq81mPLk20vTRx77Yb3Nw-c9AA"),
    "openrouter": ("api_key", "sk-or-v1-0a1b2c3d4e5f60718293a4b5c6d7"),
    "google": ("api_key", "AIzaSyD4mPLk20vTRx77Yb3Nwc9Zq81mPLk20vT"),
    "groq": ("api_key", "gsk_Zq81mPLk20vTRx77Yb3Nwc9Zq81m"),
    "huggingface": ("api_key", "hf_Zq81mPLkBvTRxLLYbENwcDZqHAm"),
    "xai": ("api_key", "xai-Zq81mPLk20vTRx77Yb3Nwc9"),
    "replicate": ("api_key", "r8_Zq81mPLk20vTRx77Yb3Nwc9"),
    "perplexity": ("api_key", "pplx-Zq81mPLk20vTRx77Yb3Nwc9"),
    "nvidia": ("api_key", "nvapi-Zq81mPLk20vTRx77Yb3Nwc9"),
    "github": ("api_key", "ghp_Zq81mPLk20vTRx77Yb3Nwc9"),
    "github-fine": ("api_key", "github_pat_11Zq81mPLk20vTRx77Yb3Nwc9"),
    "culprit": ("api_key", "culprit_Zq81mPLk20vTRx77Yb3Nwc9Zq81mPLk20vTRx77Yb3N"),
    "gitlab": ("api_key", "glpat-Zq81mPLk20vTRx77Yb3N"),
    "slack": ("api_key", "xoxb-2468013579-Zq81mPLk20vT"),
    "hash": ("key_hash", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    "jwt": ("jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN"),
    "aws": ("aws_key", "AKIAIOSFODNN7EXAMPLE"),
    "aws-secret": ("aws_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    "email": ("email", "carla.diaz+lab@corp.example.com"),
}
WRAPPINGS = {
    "plain": lambda secret: f"the call with {secret} failed",
    "json": lambda secret: json.dumps({"message": f"saw {secret}", "code": "401"}),
    "json value": lambda secret: json.dumps({"seen": secret}),
    "escaped json": lambda secret: json.dumps(json.dumps({"seen": secret})),
    "after an escape": lambda secret: json.dumps(f"Error:\n{secret}\tend"),
    "twice escaped": lambda secret: json.dumps(json.dumps(f"Error:\n{secret}\n")),
    "ansi": lambda secret: f"\x1b[31m{secret}\x1b[0m failed",
    "escaped ansi": lambda secret: rf"\u001b[31m{secret}\u001b[0m failed",
    "url query": lambda secret: f"GET https://llm.example.com/v1?seen={secret}&n=1 HTTP/1.1",
    "traceback": lambda secret: f'  File "app.py", line 3, in f\n    call("{secret}")\nKeyError: 1',
    "repr": lambda secret: repr({"headers": {"seen": secret, "n": None}}),
    "env line": lambda secret: f"export SEEN={secret}\nNEXT=1",
    "backticks": lambda secret: f"use `{secret}` here",
}
NAMED = [
    ("api_key", 'x-api-key: "{}"'),
    ("api_key", "x-api-key: {}"),
    ("api_key", "api-key: {}"),
    ("api_key", "api_key={}"),
    ("api_key", '{{"api_key": "{}"}}'),
    ("api_key", '{{\\"api_key\\": \\"{}\\"}}'),
    ("api_key", '{{\\\\\\"api_key\\\\\\": \\\\\\"{}\\\\\\"}}'),
    ("api_key", "{{'api_key': '{}'}}"),
    ("api_key", "AZURE_API_KEY={}"),
    ("api_key", "LITELLM_MASTER_KEY={}"),
    ("api_key", "\x1b[32mapi_key\x1b[0m=\x1b[33m{}\x1b[0m"),
    ("api_key", "Ocp-Apim-Subscription-Key: {}"),
    ("api_key", "https://x.example.com/models?key={}&alt=sse"),
    ("bearer_token", "Authorization: Bearer {}"),
    ("bearer_token", "authorization: bearer {}"),
    ("bearer_token", "Authorization: Basic {}"),
    ("bearer_token", '{{"Authorization": "Bearer {}"}}'),
    ("bearer_token", '{{\\"Authorization\\": \\"Bearer {}\\"}}'),
    ("bearer_token", "{{'authorization': 'Bearer {}'}}"),
    ("bearer_token", "-H 'Authorization: Bearer {}'"),
    ("aws_key", "aws_secret_access_key={}"),
    ("aws_key", '"aws_session_token": "{}"'),
    ("password", "password={}"),
    ("password", '"password": "{}"'),
    ("password", "PGPASSWORD={} psql"),
    ("password", "UI_PASSWORD={}"),
    ("password", "https://h.example.com/login?token={}&x=1"),
    ("password", "https://h.example.com/login?x=1&secret={}"),
    ("password", "SLACK_TOKEN={}"),
    ("password", "client_secret={}"),
    ("url_credential", "postgresql://{}@db.example.com:5432/litellm"),
    ("url_credential", "DATABASE_URL=postgres://llm:{}@db:5432/litellm"),
    ("url_credential", "redis://:{}@cache:6379"),
    ("url_credential", "callback=postgresql%3A%2F%2Fllm%3A{}%40db%3A5432%2Flitellm"),
    ("url_credential", "POST https://hooks.slack.com/services/T024BE7LD/B0BE7LD/{} timed out"),
    ("url_credential", '{{"url": "https:\\/\\/discord.com\\/api\\/webhooks\\/123456789\\/{}"}}'),
    ("url_credential", "https://corp.webhook.office.com/webhookb2/1b2c@3d4e/IncomingWebhook/{}/5f6a"),
    ("password", "client_secret: {}"),
    ("password", "token: {}"),
]


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize(("kind", "secret"), CANARIES.values(), ids=CANARIES)
def test_takes_every_kind_out_of_every_wrapping(wrapping, kind, secret):
    text = wrapping(secret)

    redacted = redact(text)

    assert secret not in redacted.text
    assert f"<{kind}>" in redacted.text
    assert redacted.counts == {**dict.fromkeys(KINDS, 0), kind: 1}


@pytest.mark.parametrize(("kind", "form"), NAMED)
def test_takes_values_after_telling_names(kind, form):
    secret = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"

    redacted = redact("before " + form.format(secret) + " after")

    assert secret not in redacted.text
    assert redacted.text == "before " + form.format(f"<{kind}>") + " after" or (
        kind in ("url_credential", "api_key") and f"<{kind}>" in redacted.text
    )
    assert redacted.counts[kind] == 1
    assert sum(redacted.counts.values()) == 1


@pytest.mark.parametrize(
    "password",
    [
        'pa"ss9word',
        "pa\\ss9word",
        "p@ss w0rd, long",
        "pä'\"s9",
        "{x}9;y",
        "a\nb9",
        "$ecret9",
        "<9>x",
        "a...b ***c",
    ],
)
def test_takes_whole_password_whatever_it_holds(password):
    for rendered in (json.dumps, repr, lambda value: json.dumps(json.dumps(value))):
        text = rendered({"password": password, "n": 1})

        assert redact(text).text == rendered({"password": "<password>", "n": 1})


def test_takes_letters_in_changing_case_after_a_telling_name():
    redacted = redact("client secret: none\ntoken: qWeRtZuIoPaSdFgHjKlY\n")

    assert redacted.text == "client secret: none\ntoken: <password>\n"


@pytest.mark.parametrize(
    "wrapping",
    [
        html.escape,
        lambda text: html.escape(html.escape(text)),
        lambda text: text.replace('"', '""'),
        lambda text: text.replace('"', "''"),
        lambda text: text.replace(': "', ": \u201c").replace('"', "\u201d"),
        lambda text: text.replace('"', r"\u0022"),
        lambda text: text.replace(" ", "\u00a0"),
        lambda text: text.replace(":", ":\u200b"),
        quote,
    ],
)
def test_takes_what_a_wrapping_hides_and_leaves_the_wrapping(wrapping):
    text = wrapping('{"api_key": "Zq81mPLk20vT", "user": "ann", "password": "hunter2plus"} was refused')

    found = redact(readable(text))

    assert found.text == text.replace("Zq81mPLk20vT", "<api_key>").replace("hunter2plus", "<password>")
    assert found.counts["api_key"] == found.counts["password"] == 1
    assert redact(found.text).text == found.text


def test_takes_private_key_blocks_whole_or_cut():
    body = "MIIEpAIBAAKCAQEA7bq1Zq81mPLk20vTRx77Yb3Nw\nc9Zq81mPLk20vTRx77Yb3Nwc9Zq81mPL"
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"

    for text in (block, json.dumps(block), json.dumps(json.dumps(block)), block[:-40]):
        redacted = redact(f"a {text} b")

        assert "MIIEpAIB" not in redacted.text
        assert "c9Zq81" not in redacted.text
        assert redacted.counts["private_key"] == 1


def test_takes_key_that_colours_cut_in_two():
    redacted = redact("key \x1b[1;31msk-\x1b[m\x1b[KZq81mPLk20vT\x1b[1mRx77Yb3Nw\x1b[0m failed")

    assert "Zq81" not in redacted.text
    assert "Rx77" not in redacted.text


@pytest.mark.parametrize(
    "text",
    [
        "Received API Key = sk-...x9Qz, Key Hash (Token) =HASHED.",
        "Budget has been exceeded! Key=lab-1d217214 (sk-...y3Nw) Current cost: 0.04",
        "LiteLLM Virtual Key expected. Received=not-****-key, expected to start with 'sk-'.",
        'assert api_key.startswith("sk-")  # prevent token hashes from being used',
        "Incorrect API key provided: sk-abcde***************************************wxyz. See",
        "Malformed API Key passed in. Ensure Key has `Bearer ` prefix. Passed in: sk-",
        "The api_key client option must be set either by passing api_key to the client",
        "Invalid credentials used to access UI. Check 'UI_USERNAME', 'UI_PASSWORD' in .env file",
        "completion(model=model, api_key=api_key, token=None, password=password)",
        "api_key=os.environ['OPENAI_API_KEY']",
        "Missing Anthropic API Key - A call is being made to anthropic but no key is set",
        "max_tokens=16384, prompt_tokens: 12, total_tokens=12345678",
        "commit 3f1aC0dE is not /usr/lib/Python3.11/site-packages/litellm/proxy/Auth2",
        "/opt/Venv/lib/Python311/site/LiteLLM/util",
        "Unexpected token: LiteLLM_VerificationTokenTable",
        "chatcmpl-0b5f2f0e-6f0d-4f0e-9b0c-1b2c3d4e5f60 of 9c9f0b1d6a5e4f3c2b1a0f9e8d7c6b5a4f3e2d1c",
        "pip install sk-learn task-12345678 risk-99999999",
        "Unexpected token: foo. Your user_id=*******",
        "http://127.0.0.1:4000/v1/chat/completions",
        "<api_key> <password> Authorization: Bearer <VIRTUAL KEY>",
    ],
)
def test_leaves_words_masks_and_code_alone(text):
    assert redact(text).text == text
    assert not any(redact(text).counts.values())


PIECES = st.sampled_from(
    [
        *(secret for _, secret in CANARIES.values()),
        *(form.format("Zq81mPLk20vTRx77") for _, form in NAMED),
        *("sk-", "password=", '"', "\\", "\\\\", "'", "<api_key>", "-----BEGIN PRIVATE KEY-----"),
        *("\x1b[31m", "://", "@", " ", "\n", "Bearer ", "Authorization:", "eyJ", "<", ">", "token="),
    ]
)


@given(st.lists(PIECES | st.text(max_size=5), max_size=12))
def test_redacting_twice_changes_nothing(pieces):
    once = redact(readable("".join(pieces)))

    again = redact(once.text)

    assert again.text == once.text
    assert not any(again.counts.values())


@pytest.mark.parametrize("column", [145, 150, 155, 160, 170])
def test_a_key_that_was_broken_once_at_any_width_goes_whole(column):
    key = "sk-proj-AbCdEf0GhIjKl1MnOpQr2StUvWx3YzAbCd4EfGhIj5KlMnOp0123456789AbCdEfGh"
    error = "litellm.exceptions.AuthenticationError: litellm.AuthenticationError: OpenAIException"
    line = f"{error} - Incorrect API key provided: {key}. You can find your key"
    text = f"{line[:column]}\n{line[column:]}"

    redacted = redact(text)

    assert not any(key[at : at + 8] in redacted.text for at in range(3, len(key) - 8))
    assert "Incorrect API key provided: <api_key>. You can find your key" in redacted.text


@pytest.mark.parametrize(
    "next_line",
    [
        "AuthenticationError: it is gone",
        "litellm-1  | 14:07:19 - ERROR",
        "2026-11-26T10:00:01Z INFO",
        "DATABASE_URL=x",
    ],
)
def test_what_follows_a_key_on_the_next_line_stays(next_line):
    text = f"Authorization failed for the key that was given: sk-AbCdEf0GhIjKl1MnOpQr2StU\n{next_line}"

    assert redact(text).text.endswith(f"<api_key>\n{next_line}")
