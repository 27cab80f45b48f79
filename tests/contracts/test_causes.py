"""Words of other software behind words of LiteLLM find the guide on them; without LiteLLM they find none."""

import pytest

from kb.diagnosis.text import readable, redact
from tests.contracts.test_content import matcher

LOG = "12:30:01 - LiteLLM Proxy:ERROR: utils.py:1418 - Error getting policies from DB: "
CACHE = "12:30:01 - LiteLLM:ERROR: redis_cache.py:883 - Redis async_increment failed: "
RAW = "litellm.llms.openai.common_utils.OpenAIError: "
CALL = "litellm.APIConnectionError: GeminiException - "
BARE = "litellm.APIConnectionError: "
MIGRATION = 'Datasource "client": PostgreSQL database "llm", schema "public" at "db:5432"\n\nError: '
QUERY = 'ConnectorError(ConnectorError { kind: QueryError(PostgresError { code: "%s", message: "%s"'
FULL = "could not extend file base/16384/24649: No space left on device"
DROPPED = (
    "12:30:01 - LiteLLM Proxy:ERROR: spend_log_error_logger.py:81 - "
    "Spend tracking - dropping spend log row Postgres rejected. request_id=a error="
)
BATCH = "Daily tag spend batch upsert failed. Table: LiteLLM_DailyTagSpend, Rows: 6, Error: "
START = (
    'File "/app/.venv/lib/python3.13/litellm/caching/redis_cache.py", line 62, in __init__\n    import it\n'
)
FRAMES = 'File "main.py", line 1586, in completion\n    response = anthropic_chat_completions.completion(\n'
AZURE = "litellm.APIError: AzureException APIError - "
LOOKUP = "litellm.BadRequestError: GetLLMProvider Exception - "
LOGIN = "12:30:01 - LiteLLM:WARNING: authenticator.py:120 - Failed attempt 1: "
SECRET = "12:30:01 - LiteLLM:ERROR: main.py:345 - Defaulting to os.environ value for key=A. An exception - "
RECORD = "12:30:01 - LiteLLM:ERROR: litellm_logging.py:7231 - Error creating standard logging object - "
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
    (CALL, "Response payload is not completed", "stream-cut-off"),
    (CALL, "peer closed connection without sending complete message body", "stream-cut-off"),
    (CALL, "Not enough data to satisfy content length header", "stream-cut-off"),
    (CALL, "Illegal header value b'Bearer '", "api-connection-error"),
    (CALL, "Request URL is missing an 'http://' or 'https://' protocol.", "api-base-malformed"),
    (CALL, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "api-base-malformed"),
    (
        CALL,
        "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol",
        "api-connection-error",
    ),
    (CALL, "[SSL: TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert (_ssl.c:1016)", "api-connection-error"),
    (CALL, "407 Proxy Authentication Required", "api-connection-error"),
    (CALL, "403 Forbidden", "api-connection-error"),
    (CALL, "[Errno 110] Connection timed out", "api-connection-error"),
    (CALL, "Forbidden control character detected in headers.", "api-connection-error"),
    (CALL, "illegal status line: bytearray(b'+OK ready')", "api-base-malformed"),
    (CALL, "timed out", "llm-timeout"),
    (CALL, "<html><title>504 Gateway Time-out</title>", "llm-timeout"),
    (AZURE, "Authentication failed: AADSTS7000215: Invalid client secret provided.", "azure-ad-token-failed"),
    (
        AZURE,
        "DefaultAzureCredential failed to retrieve a token from the included credentials.",
        "azure-ad-token-failed",
    ),
    (AZURE, "tenant_id, client_id, and client_secret must be provided", "azure-ad-token-failed"),
    (AZURE, "'AZURE_CLIENT_SECRET'", "azure-ad-token-failed"),
    (
        AZURE,
        "ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint.",
        "azure-ad-token-failed",
    ),
    (
        AZURE,
        '{"error":"invalid_client","error_description":"AADSTS70021: No matching federated record."}',
        "azure-ad-token-failed",
    ),
    (LOOKUP, "Failed to get access token after 3 attempts", "device-code-login-failed"),
    (
        LOOKUP + "litellm.AuthenticationError: ",
        "Failed to save API key: [Errno 30] Read-only file system",
        "device-code-login-failed",
    ),
    (LOGIN, "Timed out waiting for user to authorize the device", "device-code-login-failed"),
    (LOGIN, "Failed to refresh API key after maximum retries", "device-code-login-failed"),
    (SECRET, "secret NAME not found in Google Secret Manager", "secret-manager-read-failed"),
    (RECORD, "'NoneType' object has no attribute 'get'", "standard-logging-object-failed"),
    (RECORD, "1 validation error for ResponseAPIUsage", "standard-logging-object-failed"),
    (RECORD, "No module named 'fastapi_sso'", "python-missing-proxy-extra"),
    (BARE, "[Errno 111] Connection refused", "api-connection-error"),
    (BARE, "Server disconnected", "api-connection-error"),
    (BARE, "No module named 'soundfile'", "python-missing-optional-package"),
    (START, "ModuleNotFoundError: No module named 'redis'", "python-missing-optional-package"),
    (MIGRATION, "P1000: Authentication failed against database server", "db-connection-failed"),
    (MIGRATION, "P1010: User `llm` was denied access on the database `llm.public`", "db-connection-failed"),
    (MIGRATION, 'FATAL: no pg_hba.conf entry for host "10.0.0.4"', "db-connection-failed"),
    (MIGRATION, 'FATAL: database "llm" does not exist', "db-connection-failed"),
    (MIGRATION, "ERROR: permission denied for schema public", "db-migration-failed"),
    (MIGRATION, "ERROR: permission denied for table _prisma_migrations", "db-migration-failed"),
    (MIGRATION, "ERROR: permission denied for database llm", "db-permission-denied"),
    (MIGRATION, "Timed out trying to acquire a postgres advisory lock", "db-migration-failed"),
    (
        MIGRATION,
        "`sqlite` does not match the one specified in the migration_lock.toml",
        "db-migration-failed",
    ),
    (MIGRATION, "P1008: Operations timed out after `30s`", "db-statement-canceled"),
    (MIGRATION, "Could not parse schema engine response", "prisma-query-engine-not-found"),
    (MIGRATION, "You are about to drop the `user` table, which is not empty (1 rows)", "db-push-data-loss"),
    (LOG, 'ERROR: prepared statement "s0" already exists', "db-prepared-statement-pooler"),
    (LOG, 'ERROR: prepared statement "PGBOUNCER_34" does not exist', "db-prepared-statement-pooler"),
    (LOG, QUERY % ("25006", "cannot execute INSERT in a read-only transaction"), "db-read-only-transaction"),
    (LOG, QUERY % ("42501", "permission denied for schema public"), "db-permission-denied"),
    (LOG, QUERY % ("55P03", "canceling statement due to lock timeout"), "db-statement-canceled"),
    (LOG, QUERY % ("57014", "canceling statement due to statement timeout"), "db-statement-canceled"),
    (LOG, QUERY % ("53100", FULL), "db-disk-full"),
    (
        LOG,
        QUERY % ("53100", "could not write to file base/pgsql_tmp/1: No space left on device"),
        "db-disk-full",
    ),
    (LOG, "ERROR: could not extend file base/1/2: wrote only 4096 of 8192 bytes at block 12", "db-disk-full"),
    (
        LOG,
        QUERY % ("42501", "permission denied for sequence LiteLLM_ModelTable_id_seq"),
        "db-permission-denied",
    ),
    (DROPPED, QUERY % ("42501", "permission denied for table LiteLLM_SpendLogs"), "db-permission-denied"),
    (
        DROPPED,
        QUERY % ("25006", "cannot execute INSERT in a read-only transaction"),
        "db-read-only-transaction",
    ),
    (BATCH, "ERROR: canceling statement due to user request", "spend-write-failed"),
    (
        MIGRATION,
        "You are about to drop the column `a` on the `users` table, which still contains 3 non-null values",
        "db-push-data-loss",
    ),
    (BATCH, "ERROR: cannot execute INSERT in a read-only transaction", "db-read-only-transaction"),
    (BATCH, "ERROR: permission denied for table LiteLLM_DailyTagSpend", "db-permission-denied"),
    (BATCH, "ERROR: canceling statement due to statement timeout", "db-statement-canceled"),
    (
        MIGRATION,
        "Error in PostgreSQL connection: Error { kind: Closed, cause: None }",
        "db-connection-failed",
    ),
    (RAW, "Connection error.", "api-connection-error"),
    (RAW, "Error code: 401 - {'error': {'message': 'no such key'}}", "provider-auth-error-openai"),
    (RAW, "Error code: 429 - {'error': {'message': 'slow down'}}", "provider-rate-limit-openai"),
    (
        FRAMES,
        "httpx.HTTPStatusError: Server error '529 ' for url 'https://api.anthropic.com/v1/messages'",
        "provider-overloaded-anthropic",
    ),
]
# How releases of 2024 name the class: twice, as the last line of a traceback.
DOUBLED = [
    ("AuthenticationError", "OpenAIException - ", "provider-auth-error-openai"),
    ("AuthenticationError", "AzureException - Er", "provider-auth-error-azure"),
    ("AuthenticationError", "BedrockException - ", "provider-auth-error-bedrock"),
    ("AuthenticationError", "VertexAIException - ", "provider-auth-error-vertex"),
    ("AuthenticationError", "GroqException - ", "provider-auth-error-other"),
    ("AuthenticationError", "DatabricksException: Authentication Error - ", "provider-auth-error-other"),
    ("NotFoundError", "OpenAIException - ", "provider-not-found-openai"),
    ("NotFoundError", "AzureException - ", "provider-not-found-azure"),
    ("NotFoundError", "AnthropicException - ", "provider-not-found-anthropic"),
    ("NotFoundError", 'Hosted_vllmException - {"detail":"Not Found"}', "server-route-not-found"),
    ("PermissionDeniedError", "BedrockException - ", "provider-auth-error-bedrock"),
    ("BadRequestError", "OpenAIException - Model Not Exist", "provider-not-found-openai"),
    ("InternalServerError", "AnthropicException - Overloaded", "provider-overloaded-anthropic"),
    ("InternalServerError", "VertexAIException InternalServerError - ", "provider-server-error"),
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


@pytest.mark.parametrize(("name", "words", "guide"), DOUBLED)
def test_a_class_named_twice_finds_the_guide_of_its_provider(name: str, words: str, guide: str) -> None:
    line = f"litellm.exceptions.{name}: {name}: {words}"
    assert first(line) == first(line.rstrip()) == guide
