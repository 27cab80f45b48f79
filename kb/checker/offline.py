"""The offline way: commands to run where the proxy is, and their pasted output read as replies."""

import re
from shlex import quote

from kb.diagnosis.finding import Reply
from kb.diagnosis.text import harmless, redact
from kb.probes.body import parsed
from kb.probes.credential import Scrubber

SECTION = re.compile(r"^### (\w+)[ \t]*$", re.MULTILINE)
STATUS = re.compile(r"^HTTP (\d{3})[ \t]*$", re.MULTILINE)
HASH = "$(printf %s \"$LITELLM_KEY\" | sha256sum | cut -d' ' -f1)"
ADMIN = "$LITELLM_ADMIN_KEY"
KEY = "$LITELLM_KEY"
# probe -> (request, the key that asks); in the order in which they are printed.
QUESTIONS = {
    "readiness": ("GET /health/readiness", ""),
    "key_info": ("GET /key/info", KEY),
    "team_info": ("GET /team/info?team_id=$LITELLM_TEAM", KEY),
    "user_info": ("GET /user/info", KEY),
    # Named by hash: without it 1.84.0 gives some keys everybody's rows.
    "spend_logs": (f"GET /spend/logs?api_key={HASH}", KEY),
    "models": ("GET /v1/models", KEY),
    "call": ("POST /v1/chat/completions", KEY),
    "key_info_admin": (f"GET /key/info?key={HASH}", ADMIN),
    "readiness_details": ("GET /health/readiness/details", ADMIN),
    "team_info_admin": ("GET /team/info?team_id=$LITELLM_TEAM", ADMIN),
    "user_info_admin": ("GET /user/info?user_id=$LITELLM_USER", ADMIN),
    "customer_info": ("GET /customer/info?end_user_id=$LITELLM_END_USER", ADMIN),
    "tag_info": ("POST /tag/info", ADMIN),
    "spend_tags": ("GET /spend/tags", ADMIN),
    "provider_budgets": ("GET /provider/budgets", ADMIN),
    "global_spend": ("GET /global/spend", ADMIN),
}
# What a POST sends, as it stands between single quotes.
BODIES = {
    "call": """{"model": "'"$LITELLM_MODEL"'", "max_tokens": 1, """
    """"messages": [{"role": "user", "content": "ping"}]}""",
    "tag_info": """{"names": ["'"$LITELLM_TAG"'"]}""",
}
# The call costs money, and tells nothing before its model was filled in.
CONDITIONS = {"call": '[ "${LITELLM_MODEL:-...}" = ... ] || '}
NO_MODEL = re.compile(r"(?:model=|access )(?:MODEL\b|\.\.\.)")


def script(model: str = "") -> str:
    """Shell commands that print every answer under its name; they need curl and sha256sum."""
    named = quote(" ".join(model.split())) if model.strip() else "..."  # one line, whatever it holds
    lines = [
        "export LITELLM_URL=http://127.0.0.1:4000 LITELLM_KEY=... LITELLM_ADMIN_KEY=...",
        f"export LITELLM_MODEL={named}",
        "export LITELLM_TEAM=... LITELLM_USER=... LITELLM_END_USER=... LITELLM_TAG=...  # those there are",
        'ask() { echo "### $1"; shift; curl -s -m 30 -w "\\nHTTP %{http_code}\\n" "$@"; }',
    ]
    for probe, (request, key) in QUESTIONS.items():
        _, path = request.split(" ", 1)
        parts = [f'{CONDITIONS.get(probe, "")}ask {probe} "$LITELLM_URL{path}"']
        parts += [f'-H "Authorization: Bearer {key}"'] if key else []
        parts += [f"-H 'Content-Type: application/json' -d '{BODIES[probe]}'"] if probe in BODIES else []
        lines.append(" ".join(parts))
    return "\n".join(lines)


def read(pasted: str) -> tuple[Reply, ...]:
    """The replies in pasted output. Raises ValueError, saying what to do, if there is none in it."""
    text = redact(harmless(pasted)).text
    parts = SECTION.split(text)
    replies = tuple(
        reply(probe, words)
        for probe, words in zip(parts[1::2], parts[2::2], strict=True)
        if probe in QUESTIONS
    )
    if not replies:
        known = ", ".join(QUESTIONS)
        raise ValueError(
            f"Paste the commands' whole output: each answer stands under ### and one of {known}."
        )
    return replies


def reply(probe: str, words: str) -> Reply:
    """One section: the body, then the line with the status.

    JSON may spell a secret in escapes, so what was read is freed of secrets again.
    """
    request = QUESTIONS[probe][0].split("?")[0]
    if probe == "call" and NO_MODEL.search(words):
        why = "It asked for a placeholder: put the model of your call into LITELLM_MODEL."
        return Reply(probe=probe, request=request, outcome="not_run", why=why)
    found = STATUS.search(words)
    status = int(found[1]) if found else None
    body = words[: found.start()].strip() if found else words.strip()
    reached = status not in (None, 0) or bool(body)
    return Reply(
        probe=probe,
        request=request,
        outcome="ok" if reached else "failed",
        status=status or None,
        body=Scrubber(()).body(parsed(body.encode()))[0],
        trouble="" if reached else "unreachable",
        why="" if reached else "curl got no answer",
        paid=probe == "call",
    )
