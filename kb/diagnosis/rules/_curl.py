"""Commands to copy live here: the reader's ids are in them; a key never is, only its variable's name.

Ids come from the proxy and from pasted texts: one that a shell or JSON could take for more becomes a blank
to fill in.
"""

import re2

from kb.diagnosis.facts import Facts

_KEY = '-H "Authorization: Bearer $LITELLM_KEY"'
_ADMIN_KEY = '-H "Authorization: Bearer $LITELLM_ADMIN_KEY"'
_HASH = "$HASH"
_SET_HASH = "HASH=$(printf %s \"$LITELLM_KEY\" | sha256sum | cut -d' ' -f1)"
_JSON = '-H "Content-Type: application/json"'


def post(path: str, body: str) -> str:
    """An administrator's change; `body` is JSON."""
    return _hashed(f"curl -X POST \"$LITELLM_URL{path}\" {_ADMIN_KEY} {_JSON} -d '{_open(body)}'")


def of_key(command: str, facts: Facts) -> str:
    """A command that `post` gave, with the key's hash at the `{key}` of its body."""
    return _hashed(command.replace("{key}", _open(hash_of(facts))))


def _open(quoted: str) -> str:
    """What stands between single quotes, with the shell's own hash let through."""
    return quoted.replace(_HASH, f"'\"{_HASH}\"'")


def get(path: str, *, admin: bool = False) -> str:
    """A question, with the reader's key or the administrator's."""
    return _hashed(f'curl "$LITELLM_URL{path}" {_ADMIN_KEY if admin else _KEY}')


def _hashed(command: str) -> str:
    """The command, after the line that sets the key's hash where it needs that."""
    return f"{_SET_HASH}\n{command}" if _HASH in command else command


def chat(model: str, max_tokens: int, *, alone: bool = False) -> str:
    """One completion; `alone` keeps LiteLLM from its fallbacks."""
    more = '"disable_fallbacks": true, ' if alone else ""
    body = f'"max_tokens": {max_tokens}, {more}"messages": [{{"role": "user", "content": "hello"}}]'
    return f'curl "$LITELLM_URL/v1/chat/completions" {_KEY} {_JSON} -d \'{{"model": "{model}", {body}}}\''


def plain(identity: str, blank: str) -> str:
    """An id as it may stand in a command, or the blank that stands for it."""
    return identity if re2.fullmatch(r"[A-Za-z0-9._:/@+ -]{1,200}", identity) else blank


def hash_of(facts: Facts) -> str:
    """The key's hash, by which an administrator names it; where it isn't shown, the shell works it out."""
    return plain(facts.key.hash if facts.key else "", _HASH)
