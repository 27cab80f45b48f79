"""How an error reaches the one who pastes it: ways from a proxy or the SDK, each a function of an error."""

import builtins
import html
import json
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from random import Random
from typing import Any

SDK_CLASSES = {
    400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
    408: "APITimeoutError", 409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError",
}  # fmt: skip
CUT = "…"
OWN = {"BudgetExceededError", "RejectedRequestError", "GuardrailRaisedException", "BlockedPiiEntityError"}


@dataclass(frozen=True, slots=True)
class Said:
    """An error as its own software says it: its words, its status and type, and where it was raised."""

    message: str
    status: int
    error_type: str
    raised: str
    path: str
    function: str
    logged: str = ""  # the level, where it is a line of the log

    @property
    def in_traceback(self) -> str:
        """The words as the last line of a traceback has them."""
        return f"{self.status}: {self.message}" if self.raised == "HTTPException" else self.message

    @property
    def body(self) -> dict[str, Any]:
        """The proxy's error object; what it doesn't know it prints as the string None."""
        return {
            "error": {
                "message": self.message,
                "type": self.error_type or "None",
                "param": "None",
                "code": str(self.status),
            }
        }

    @property
    def sdk_class(self) -> str:
        """What the OpenAI SDK raises for it."""
        return SDK_CLASSES.get(self.status, "InternalServerError")

    @property
    def phrase(self) -> str:
        """Such as 400 Bad Request."""
        known = {one.value: one.phrase for one in HTTPStatus}
        return f"{self.status} {known.get(self.status, 'Unknown')}"

    @property
    def printed_class(self) -> str:
        """The class as a traceback prints it: built-in ones bare, others with their module."""
        if not self.raised or hasattr(builtins, self.raised):
            return self.raised or "Exception"
        if self.raised == "HTTPException":
            return "fastapi.exceptions.HTTPException"
        of_litellm = self.raised.endswith(("Error", "Timeout")) and "/proxy/" not in self.path
        home = "litellm.exceptions" if of_litellm or self.raised in OWN else "litellm.proxy._types"
        return f"{home}.{self.raised}"


def json_body(said: Said, random: Random) -> str:
    return json.dumps(said.body)


def pretty_body(said: Said, random: Random) -> str:
    return json.dumps(said.body, indent=2, ensure_ascii=False)


def detail(said: Said, random: Random) -> str:
    return json.dumps(
        {"detail": {"error": said.message}} if random.random() < 0.5 else {"detail": said.message}
    )


def sdk_line(said: Said, random: Random) -> str:
    return f"openai.{said.sdk_class}: Error code: {said.status} - {said.body}"


def sdk_traceback(said: Said, random: Random) -> str:
    return (
        "Traceback (most recent call last):\n"
        f'  File "/srv/app/main.py", line {random.randint(8, 90)}, in <module>\n'
        "    response = client.chat.completions.create(\n"
        "               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        '  File "/srv/app/.venv/lib/python3.12/site-packages/openai/_base_client.py", line 1047, in request\n'
        "    raise self._make_status_error_from_response(err.response) from None\n"
        f"{sdk_line(said, random)}"
    )


def log_line(said: Said, random: Random) -> str:
    """The proxy's own log: what it logs itself, or the error that its handler caught."""
    file = said.path.rpartition("/")[2]
    head = f"09:14:{random.randint(10, 59)} - LiteLLM Proxy"
    if said.logged:
        return f"{head}:{said.logged}: {file}:{random.randint(80, 4000)} - {said.message}"
    return f"{head}:ERROR: {handler(said)}(): Exception occured - {said.message}"


def handler(said: Said) -> str:
    """The file and the function that log an error which they caught."""
    if "/auth/" in said.path or said.raised == "BudgetExceededError":
        return "auth_exception_handler.py:95 - litellm.proxy.proxy_server.user_api_key_auth"
    function = "_handle_llm_api_chat_completion_exception"
    return f"common_request_processing.py:1240 - litellm.proxy.proxy_server.{function}"


def proxy_traceback(said: Said, random: Random) -> str:
    """The log's line with the stack below it, where there is one."""
    if said.logged not in ("", "EXCEPTION"):
        return log_line(said, random)
    place = f'"/usr/lib/python3.13/site-packages/{said.path}", line {random.randint(80, 4000)}'
    last = "ValueError: boom" if said.logged else f"{said.printed_class}: {said.in_traceback}"
    return (
        f"{log_line(said, random)}\nTraceback (most recent call last):\n"
        f"  File {place}, in {said.function}\n"
        f"    raise {last.partition(':')[0].rpartition('.')[2]}(\n"
        f"{last}"
    )


def docker_log(said: Said, random: Random) -> str:
    access = f'INFO:     10.0.0.4:51234 - "POST /chat/completions HTTP/1.1" {said.phrase}'
    lines = f"{access}\n{log_line(said, random)}"
    return "\n".join(f"litellm-1  | 2026-11-02T09:14:12.123456789Z {line}" for line in lines.split("\n"))


def kubernetes_log(said: Said, random: Random) -> str:
    stamp = "2026-11-02T09:14:12.123456789Z stderr F "
    return "\n".join(stamp + line for line in proxy_traceback(said, random).split("\n"))


def json_log(said: Said, random: Random) -> str:
    return json.dumps({
        "message": said.message if said.logged else f"{handler(said)}(): Exception occured - {said.message}",
        "level": said.logged or "ERROR", "component": "LiteLLM Proxy",
        "timestamp": "2026-11-02T09:14:12.123456",
        "stacktrace": proxy_traceback(said, random),
    })  # fmt: skip


def open_webui(said: Said, random: Random) -> str:
    return f"Uh-oh! There was an issue with the response.\nExternal: {said.message}"


def claude_code(said: Said, random: Random) -> str:
    return f"  ⎿  API Error: {said.status} {json.dumps(said.body)}"


def codex(said: Said, random: Random) -> str:
    return (
        f"■ unexpected status {said.phrase}: {json.dumps(said.body)}, url: http://127.0.0.1:4000/v1/responses"
    )


def langchain(said: Said, random: Random) -> str:
    return f"{said.sdk_class}: {said.status} {said.message}\n\nTroubleshooting URL: https://js.langchain.com/docs/troubleshooting/errors/MODEL_AUTHENTICATION/\n"


def node_sdk(said: Said, random: Random) -> str:
    return (
        f"{said.sdk_class}: {said.status} {said.message}\n"
        "    at APIError.generate (/srv/app/node_modules/openai/core/error.mjs:41:20)\n"
        "    at OpenAI.makeStatusError (/srv/app/node_modules/openai/client.mjs:161:32) {\n"
        f"  status: {said.status},\n"
        f"  error: {{ message: {said.message!r}, type: '{said.error_type or 'None'}' }}\n}}"
    )


def curl(said: Said, random: Random) -> str:
    return (
        f"HTTP/1.1 {said.phrase}\ndate: Mon, 02 Nov 2026 09:14:12 GMT\nserver: uvicorn\n"
        f"content-type: application/json\n\n{json.dumps(said.body)}"
    )


def escaped_twice(said: Said, random: Random) -> str:
    return json.dumps({"status": said.status, "body": json.dumps(said.body)})


def cut_both(said: Said, random: Random) -> str:
    """The surroundings cut at both ends, the words whole."""
    text = random.choice([kubernetes_log] if said.logged else [json_body, sdk_traceback])(
        replace(said, message=CUT), random
    )
    before, _, after = text.partition(CUT if CUT in text else json.dumps(CUT)[1:-1])
    begin, end = random.randint(0, len(before)), random.randint(0, len(after))
    return before[begin:] + said.message + after[:end]


def coloured(said: Said, random: Random) -> str:
    lines = proxy_traceback(said, random).split("\n")
    colours = ("92", "31", "1;31", "38;5;208")
    return "\n".join(f"\x1b[{random.choice(colours)}m{line}\x1b[0m" for line in lines)


def line_of_either(said: Said, random: Random) -> str:
    return (log_line if said.logged or random.random() < 0.5 else sdk_line)(said, random)


def terminal(said: Said, random: Random) -> str:
    """Copied out of a terminal, which breaks lines at its width, in the middle of words too."""
    width = random.choice((72, 80, 100, 120))
    lines = line_of_either(said, random).split("\n")
    return "\n".join(line[at : at + width] for line in lines for at in range(0, len(line) or 1, width))


def narrow(said: Said, random: Random) -> str:
    """A terminal of 80 columns that breaks lines between words."""
    whole = line_of_either(said, random)
    wrap = textwrap.TextWrapper(80, break_on_hyphens=False, break_long_words=False).wrap
    return "\n".join(part for line in whole.split("\n") for part in wrap(line) or [""])


def in_html(said: Said, random: Random) -> str:
    return html.escape(json.dumps(said.body))


Transport = Callable[[Said, Random], str]
LOGS: dict[str, Transport] = {
    "proxy log line": log_line,
    "proxy traceback": proxy_traceback,
    "docker log": docker_log,
    "kubernetes log": kubernetes_log,
    "JSON log": json_log,
    "colours": coloured,
    "narrow terminal": narrow,
    "terminal": terminal,
    "cut at both ends": cut_both,
}
ANSWERS: dict[str, Transport] = {
    "JSON body": json_body,
    "JSON body, indented": pretty_body,
    "JSON detail": detail,
    "OpenAI SDK line": sdk_line,
    "OpenAI SDK traceback": sdk_traceback,
    "Open WebUI": open_webui,
    "Claude Code": claude_code,
    "Codex": codex,
    "LangChain": langchain,
    "Node SDK": node_sdk,
    "curl -i": curl,
    "escaped twice": escaped_twice,
    "HTML": in_html,
}
EVERY = ANSWERS | LOGS
