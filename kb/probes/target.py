"""Decides which addresses this instance may call: an allow-list, deny by default. It opens no connection."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Literal

from kb.probes.address import Parts, Unusable, is_ip, parts
from kb.probes.ranges import ANYWHERE, LOOPBACK_NETWORKS, Address, Network, never, not_public, outside

PUBLIC_PORTS = frozenset({80, 443, 4000, 8080})
MOST_ADDRESSES = 16

Resolve = Callable[[str, int], Sequence[str]]
"""Asks for the IP addresses of a name (host, port). Raises OSError where there are none."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """One entry of the allow-list.

    `host` is in lower case, IPv6 without brackets; `port` None means any; each address that the host
    resolves to has to be in one of `networks`. Where `path` is given, only that base path may be called.
    """

    scheme: str
    host: str
    port: int | None
    networks: tuple[Network, ...]
    path: str = ""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be called: the entries of `allowed` and, with `public`, any public address on PUBLIC_PORTS.

    `setting` is where an administrator allows more, for the words of a refusal.
    """

    allowed: tuple[Allowed, ...]
    public: bool = False
    setting: str = "CULPRIT_TARGETS"


@dataclass(frozen=True, slots=True)
class Target:
    """A proxy that may be called, at `addresses` and nowhere else.

    `base_path` is "" or "/llm"; `note` says what was cut off the address as it was given.
    """

    scheme: str
    host: str
    port: int
    base_path: str
    addresses: tuple[str, ...]
    note: str = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port, as in http://[::1]:4000; the scheme's usual port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}" + ("" if self.port == usual else f":{self.port}")

    @property
    def url(self) -> str:
        """The proxy's base address."""
        return self.origin + self.base_path


@dataclass(frozen=True, slots=True)
class Refused:
    """An address that isn't called: `why` says what to do; `hop` is what stood in the way."""

    why: str
    hop: Literal["target", "name"]


def _loopback() -> tuple[Allowed, ...]:
    hosts = (
        ("127.0.0.1", (ip_network("127.0.0.1/32"),)),
        ("localhost", LOOPBACK_NETWORKS),
        ("::1", (ip_network("::1/128"),)),
    )
    return tuple(Allowed(scheme, host, None, nets) for scheme in ("http", "https") for host, nets in hosts)


LOOPBACK = Policy(_loopback())


def parse_policy(text: str) -> Policy:
    """The policy that CULPRIT_TARGETS describes; LOOPBACK where it is empty.

    Comma-separated: base addresses (see `parse_allowed`), `loopback`, and `public` for any public address
    on one of PUBLIC_PORTS. Raises ValueError with one line that says what makes no sense.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        return LOOPBACK
    listed = ",".join(entry for entry in entries if entry != "public")
    return Policy(parse_allowed(listed), public="public" in entries)


def parse_allowed(text: str) -> tuple[Allowed, ...]:
    """Entries from comma-separated base addresses, such as `http://127.0.0.1:4000,https://llm.example.com`.

    `loopback` stands for this machine on any port. A name may resolve to public and private addresses,
    but to no special ones; `https://llm.example.com=10.2.0.0/16+10.3.0.0/16` says which ones instead.
    Raises ValueError with one line that says what makes no sense.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    return tuple(one for entry in entries for one in _entries(entry))


def _entries(entry: str) -> tuple[Allowed, ...]:
    if entry == "loopback":
        return _loopback()
    url, _, listed = entry.partition("=")
    try:
        found = parts(url)
        nets = tuple(ip_network(one.strip()) for one in listed.split("+")) if listed else _usual(found)
    except ValueError as problem:
        hidden = "…@" + url.rpartition("@")[2] if "@" in url else url
        raise ValueError(f"{hidden!r} is no target: {problem}") from None
    for net in nets:
        kind = never(net.network_address)
        if kind and kind == never(net.broadcast_address):
            raise ValueError(f"{entry!r} is no target: {net} is {kind}, which is never called.")
    return (Allowed(found.scheme, found.host, found.port, nets, found.base_path),)


def _usual(found: Parts) -> tuple[Network, ...]:
    if is_ip(found.host):
        return (ip_network(found.host),)
    return LOOPBACK_NETWORKS if found.host == "localhost" else ANYWHERE


def vet(url: str, policy: Policy, resolve: Resolve) -> Target | Refused:
    """Decide whether `url` may be called, and at which addresses.

    `resolve` is asked once at most, and only for a name that the policy allows; each address that it
    gives has to be allowed too. Never raises for anything that a person can type.
    """
    try:
        found = parts(url)
    except Unusable as problem:
        return Refused(str(problem), "target")
    entry = _entry(found, policy)
    if isinstance(entry, Refused):
        return entry
    addresses = _addresses(found, resolve)
    if isinstance(addresses, Refused):
        return addresses
    for address in addresses:
        if kind := outside(address, entry.networks) if entry else not_public(address):
            where = "It" if is_ip(found.host) else f"{found.host} resolves to {address}, which"
            return Refused(f"{where} is {kind}. This instance doesn't call it.", "target")
    given = tuple(str(address) for address in addresses)
    return Target(found.scheme, found.host, found.port, found.base_path, given, found.note)


def _entry(found: Parts, policy: Policy) -> Allowed | Refused | None:
    """The entry that allows this address, None where it is allowed as a public one."""
    same_host = [one for one in policy.allowed if one.host == found.host]
    same = [one for one in same_host if one.scheme == found.scheme and one.port in (None, found.port)]
    for entry in same:
        if not entry.path or entry.path == found.base_path:
            return entry
    if same:
        return Refused(f"On {found.host} only {same[0].path} may be called: add it to the address.", "target")
    if policy.public and not _punycode(found.host):
        return _public(found)
    if policy.public:
        return Refused("A name with xn-- in it may look like another one: it has to be listed.", "target")
    if same_host:
        entry = same_host[0]
        port = "any port" if entry.port is None else f"port {entry.port}"
        return Refused(f"{found.host} may be called over {entry.scheme} on {port} only.", "target")
    return _not_listed(policy)


def _public(found: Parts) -> Refused | None:
    if found.port in PUBLIC_PORTS:
        return None
    ports = ", ".join(map(str, sorted(PUBLIC_PORTS)))
    return Refused(f"This instance calls public addresses on ports {ports} only.", "target")


def _not_listed(policy: Policy) -> Refused:
    if policy.allowed == LOOPBACK.allowed:
        reach = "This instance may call loopback only (127.0.0.1, localhost, [::1])."
    else:
        reach = "This instance may not call this address."
    return Refused(f"{reach} An administrator allows more with {policy.setting}.", "target")


def _punycode(host: str) -> bool:
    return any(label.startswith("xn--") for label in host.split("."))


def _addresses(found: Parts, resolve: Resolve) -> tuple[Address, ...] | Refused:
    if is_ip(found.host):
        return (ip_address(found.host),)
    try:
        given = list(dict.fromkeys(resolve(found.host, found.port)))
        addresses = tuple(ip_address(one) for one in given if "%" not in one)
    except (OSError, ValueError):
        return Refused(f"The name {found.host} has no address. Check how it is spelled.", "name")
    if not addresses or len(addresses) != len(given) or len(given) > MOST_ADDRESSES:
        return Refused(f"The name {found.host} has no address that can be used.", "name")
    return addresses
