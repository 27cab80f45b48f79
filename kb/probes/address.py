"""Takes an address apart that a person typed, by a narrow grammar of its own. It calls and allows nothing.

What the grammar doesn't name is refused, so no two programs can read the same address differently.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

_MOST_CHARACTERS = 2_000
_SHAPE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/]*)(/.*)?", re.ASCII)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?", re.ASCII)
_PORT = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
_NUMBER_LIKE = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_DIGIT_LAST = re.compile(r"\.[0-9][^.]*\Z", re.ASCII)
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9._~/-]*", re.ASCII)

# Where LiteLLM's own routes begin: people paste the address that their client calls, or the page they see
# (LiteLLMRoutes in litellm/proxy/_types.py).
_ROUTES = frozenset({
    "v1", "v2", "ui", "chat", "completions", "embeddings", "models", "responses", "messages", "health", "key",
    "team", "user", "docs", "redoc", "openapi.json", "sso", "login", "routes", "spend", "cache", "model",
    "engines", "rerank", "audio", "images", "moderations",
})  # fmt: skip
_AZURE = ["openai", "deployments"]  # the form of Azure's addresses; `openai` alone may well be a base path


class Unusable(ValueError):
    """The address can't be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Parts:
    """An address taken apart: lower case, IPv6 in its short form without brackets, port filled in.

    `base_path` is "" or begins with "/" and ends without one; `note` says what was cut off the path.
    """

    scheme: str
    host: str
    port: int
    base_path: str
    note: str


def parts(url: str) -> Parts:
    """Take `url` apart. Raises Unusable, in words for the person who typed it."""
    _characters(url)
    shape = _SHAPE.fullmatch(url)
    if shape is None:
        raise Unusable("Write the whole address with http:// or https://, such as http://127.0.0.1:4000.")
    scheme, authority, path = shape[1].lower(), shape[2], shape[3] or ""
    if scheme not in {"http", "https"}:
        raise Unusable("Only http:// and https:// addresses can be called.")
    if "@" in authority:
        raise Unusable("Leave user name and password out of the address; the key has its own field.")
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        raise Unusable("The host makes no sense. Put an IPv6 address in brackets, such as http://[::1]:4000.")
    base_path, note = _base(path)
    return Parts(scheme, _host(found[1]), _port(scheme, found[2]), base_path, note)


def is_ip(host: str) -> bool:
    """Whether a host in the form that `parts` gives is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _characters(url: str) -> None:
    if not url:
        raise Unusable("Give the proxy's address, such as http://127.0.0.1:4000.")
    if len(url) > _MOST_CHARACTERS:
        raise Unusable(f"The address is longer than {_MOST_CHARACTERS:,} characters.")
    if not url.isascii():
        raise Unusable("Write the address in plain ASCII letters; an international name in its xn-- form.")
    if any(character <= " " or character == "\x7f" for character in url):
        raise Unusable("Leave spaces, tabs and line breaks out of the address.")
    if "\\" in url:
        raise Unusable("Write / where the address has \\.")
    if "?" in url or "#" in url:
        raise Unusable("Leave out what begins with ? or #: only the proxy's base address is needed.")
    if "%" in url:
        raise Unusable("Leave out % escapes and zone ids: only the proxy's base address is needed.")


def _port(scheme: str, text: str | None) -> int:
    if text is None:
        return 443 if scheme == "https" else 80
    if _PORT.fullmatch(text) is None or int(text) > 65_535:
        raise Unusable("The port has to be a number from 1 to 65535.")
    return int(text)


def _host(text: str) -> str:
    if not text or text == "[]":
        raise Unusable("The address has no host. Write it such as http://127.0.0.1:4000.")
    if text.startswith("["):
        return _ipv6(text[1:-1])
    host = text.lower()
    if _NUMBER_LIKE.fullmatch(host.rstrip(".").rpartition(".")[2]) or _DIGIT_LAST.search(host):
        return _ipv4(host)
    if len(host) > 253:
        raise Unusable("The host is longer than the 253 characters that a name may have.")
    if host.endswith("."):
        raise Unusable("Leave out the dot at the end of the host.")
    if not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise Unusable("The host is no name: use letters, digits, hyphens and single dots.")
    return host


def _ipv4(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise Unusable("Write an IPv4 address as four decimal numbers, such as 127.0.0.1.") from None


def _ipv6(text: str) -> str:
    try:
        if _IPV6.fullmatch(text) is None:
            raise AddressValueError(text)
        return str(IPv6Address(text))
    except AddressValueError:
        raise Unusable("What stands in brackets is no IPv6 address, such as [::1].") from None


def _base(path: str) -> tuple[str, str]:
    if _PATH.fullmatch(path) is None or len(path) > 200:
        raise Unusable("The path may have letters, digits and . _ ~ - only, and 200 characters at most.")
    segments = [segment for segment in path.split("/") if segment]
    if any(set(segment) == {"."} for segment in segments):
        raise Unusable("Leave . and .. out of the path.")
    cut = next((at for at in range(len(segments)) if _is_route(segments[at:])), len(segments))
    base = "".join(f"/{segment}" for segment in segments[:cut])
    rest = "".join(f"/{segment}" for segment in segments[cut:])
    return base, _cut_note(base, rest)


def _is_route(segments: list[str]) -> bool:
    return segments[0].lower() in _ROUTES or segments[:2] == _AZURE


def _cut_note(base: str, rest: str) -> str:
    if not rest:
        return ""
    doubled = " A client that is given this address and adds /v1 itself asks for /v1/v1." if rest in (
        "/v1", "/v1/v1") else ""  # fmt: skip
    return f"The address had {rest} in it; the proxy's base address ends at {base or '/'}.{doubled}"
