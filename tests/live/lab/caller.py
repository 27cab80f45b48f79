"""Those who call the lab's proxy: its admin, who prepares a failure, and the caller, who meets it."""

import hashlib
import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.live.lab.config import MASTER_KEY
from tests.live.lab.running import Lab

PRICE = 0.02  # of an admitted call
LATE = 90  # seconds after which a call's spend stands in the database at the latest, on a busy machine


class NotProvoked(Exception):
    """The lab could not bring the failure about."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the caller asked, and what came back: status None where nothing did."""

    base: str
    key: str
    model: str
    end_user: str
    tags: tuple[str, ...]
    status: int | None
    body: str


def named(kind: str) -> str:
    """A name that nobody has."""
    return f"{kind}-{uuid.uuid4().hex[:8]}"


def hashed(key: str) -> str:
    """A key as LiteLLM stores it."""
    return hashlib.sha256(key.encode()).hexdigest()


def send(
    base: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    method: str = "POST",
    timeout: float = 60,
) -> tuple[int | None, str]:
    """Status and text of an answer; (None, what broke) where there is none. A str body goes as it is."""
    data = None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode()
    sent = {"content-type": "application/json"} | (headers or {})
    request = urllib.request.Request(base + path, data, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as reply:
            return reply.status, reply.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return None, f"{type(error).__name__}: {error}"


class Caller:
    """One scenario's way to the lab. `base` is the proxy that it calls."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.base = lab.proxy
        self.admitted = 0

    # As the proxy's admin.

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """The proxy's answer to its admin: GET without a body. Raises NotProvoked where it is no 200."""
        authorization = {"authorization": f"Bearer {MASTER_KEY}"}
        method = "GET" if body is None else "POST"
        status, text = send(self.base, path, body, authorization, method=method)
        if status != 200:
            raise NotProvoked(f"{path} answered {status}: {text[:300]}")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def key(self, **settings: Any) -> str:
        """A new virtual key."""
        return str(self.ask("/key/generate", {"key_alias": named("lab"), **settings})["key"])

    def team(self, **settings: Any) -> str:
        return str(self.ask("/team/new", {"team_alias": named("team"), **settings})["team_id"])

    def user(self, **settings: Any) -> str:
        user = named("user")
        self.ask("/user/new", {"user_id": user, "auto_create_key": False, **settings})
        return user

    def customer(self, **settings: Any) -> str:
        customer = named("customer")
        self.ask("/customer/new", {"user_id": customer, **settings})
        return customer

    def count(self, counter: str, value: str, seconds: int | None = None) -> None:
        """Sets a spend counter in Redis, which the proxy believes."""
        self.lab.redis("SET", f"spend:{counter}", value, *(["EX", str(seconds)] if seconds else []))

    def settle(self, key: str) -> None:
        """Waits until all that `key` was admitted for is recorded, its owners' rows a moment later."""
        due = self.admitted * PRICE - PRICE / 2
        for _ in range(LATE * 2):
            time.sleep(0.5)
            if float(self.ask(f"/key/info?key={hashed(key)}")["info"]["spend"] or 0) >= due:
                time.sleep(2)
                return
        raise NotProvoked(f"the spend of {self.admitted} calls was not recorded within {LATE} s")

    # As the caller.

    def post(
        self,
        key: str | None,
        path: str,
        body: dict[str, Any],
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> Seen:
        """One call with `key`, or with none."""
        sent = ({"authorization": f"Bearer {key}"} if key else {}) | (headers or {})
        status, text = send(self.base, path, body, sent, timeout=timeout)
        self.admitted += status == 200
        return Seen(
            base=self.base,
            key=key or sent.get("x-api-key", ""),
            model=body.get("model", ""),
            end_user=body.get("user", ""),
            tags=tuple(body.get("metadata", {}).get("tags", ())),
            status=status,
            body=text,
        )

    def chat(self, key: str | None, model: str = "lab-model", *, timeout: float = 60, **body: Any) -> Seen:
        """A completion; max_tokens None names none, so that the proxy reserves all that is left."""
        headers = body.pop("headers", None)
        asked = {"model": model, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 5} | body
        if asked["max_tokens"] is None:
            del asked["max_tokens"]
        return self.post(key, "/v1/chat/completions", asked, headers=headers, timeout=timeout)

    def background(self, call: Callable[[], Seen]) -> None:
        """Starts a call that nobody waits for."""
        threading.Thread(target=call, daemon=True).start()

    def refused(self, call: Callable[[], Seen], tries: int = 12, pause: float = 1.2) -> Seen:
        """Calls until it is refused. Raises NotProvoked if it never is."""
        for _ in range(tries):
            seen = call()
            if seen.status != 200:
                return seen
            time.sleep(pause)
        raise NotProvoked(f"still 200 after {tries} calls")
