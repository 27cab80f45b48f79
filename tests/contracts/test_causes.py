"""Words of other software behind words of LiteLLM find the guide on them; without LiteLLM they find none."""

import pytest

from kb.diagnosis.text import readable, redact
from tests.contracts.test_content import matcher

LOG = "12:30:01 - LiteLLM Proxy:ERROR: utils.py:1418 - Error getting policies from DB: "
CACHE = "12:30:01 - LiteLLM:ERROR: redis_cache.py:883 - Redis async_increment failed: "
CALL = "litellm.APIConnectionError: GeminiException - "
BARE = "litellm.APIConnectionError: "
MIGRATION = 'Datasource "client": PostgreSQL database "llm", schema "public" at "db:5432"\n\nError: '
START = (
    'File "/app/.venv/lib/python3.13/litellm/caching/redis_cache.py", line 62, in __init__\n    import it\n'
)
FRAMES = 'File "main.py", line 1586, in completion\n    response = anthropic_chat_completions.completion(\n'
SAID = [
    (LOG, "All connection attempts failed", "db-query-engine-connect-failed"),
    (LOG, "Server disconnected without sending a response.", "db-query-engine-connect-failed"),
    (LOG, "Could not find field at `upsertOneLiteLLM_UserTable.create.x`", "prisma-client-not-generated"),
    (CACHE, "Connection closed by server.", "redis-connection-error"),
    (CACHE, "Timeout reading from redis:6379", "redis-connection-error"),
    (CACHE, "You can't write against a read only replica.", "redis-connection-error"),
    (CACHE, "CROSSSLOT Keys in request don't hash to the same slot", "redis-connection-error"),
    (CALL, "[WinError 10061] No connection could be made", "api-connection-error"),
    (CALL, "[Errno 11001] getaddrinfo failed", "api-connection-error"),
    (CALL, "Response payload is not completed", "api-connection-error"),
    (CALL, "Illegal header value b'Bearer '", "api-connection-error"),
    (CALL, "Request URL is missing an 'http://' or 'https://' protocol.", "api-base-malformed"),
    (CALL, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "api-base-malformed"),
    (BARE, "[Errno 111] Connection refused", "api-connection-error"),
    (BARE, "Server disconnected", "api-connection-error"),
    (BARE, "No module named 'soundfile'", "python-missing-optional-package"),
    (START, "ModuleNotFoundError: No module named 'redis'", "python-missing-optional-package"),
    (MIGRATION, "P1000: Authentication failed against database server", "db-connection-failed"),
    (MIGRATION, "P1010: User `llm` was denied access on the database `llm.public`", "db-connection-failed"),
    (MIGRATION, 'FATAL: no pg_hba.conf entry for host "10.0.0.4"', "db-connection-failed"),
    (MIGRATION, 'FATAL: database "llm" does not exist', "db-connection-failed"),
    (MIGRATION, "ERROR: permission denied for schema public", "db-migration-failed"),
    (
        FRAMES,
        "httpx.HTTPStatusError: Server error '529 ' for url 'https://api.anthropic.com/v1/messages'",
        "provider-overloaded-anthropic",
    ),
]


def first(text: str) -> str:
    matches = matcher().match(redact(readable(text)).text).matches
    return matches[0].guide if matches else ""


@pytest.mark.parametrize(("before", "words", "guide"), SAID)
def test_words_behind_those_of_litellm_find_the_guide_on_them(before: str, words: str, guide: str) -> None:
    assert first(before + words) == guide


@pytest.mark.parametrize("words", sorted({words for _, words, _ in SAID if "LiteLLM" not in words}))
def test_the_same_words_of_other_software_are_no_match(words: str) -> None:
    assert first(words) == ""
