"""Which IP addresses may ever be called lives here. It knows no names, no policies and no network."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def networks(*texts: str) -> tuple[Network, ...]:
    """Networks from their usual notation. Raises ValueError on anything else."""
    return tuple(ip_network(text) for text in texts)


ANYWHERE = networks("0.0.0.0/0", "::/0")
LOOPBACK_NETWORKS = networks("127.0.0.0/8", "::1/128")

# Never called, not even if an administrator lists them: what answers there hands out the machine's own
# credentials, or hides another address inside the one that was vetted.
_NEVER = (
    ("a metadata service", networks(
        "169.254.169.254/32", "169.254.170.2/32", "168.63.129.16/32", "100.100.100.200/32",
        "192.0.0.192/32", "fd00:ec2::/32", "fd20:ce::254/128",
    )),
    ("a link-local address", networks("169.254.0.0/16", "fe80::/10")),
    ("an unspecified address", networks("0.0.0.0/8", "::/128")),
    ("a multicast address", networks("224.0.0.0/4", "ff00::/8")),
    ("a reserved address", networks("240.0.0.0/4", "100::/64", "192.88.99.0/24")),
    ("a site-local address", networks("fec0::/10")),
    ("an IPv4 address written as IPv6", networks("::ffff:0:0/96", "::ffff:0:0:0/96")),
    ("a NAT64 address", networks("64:ff9b::/96", "64:ff9b:1::/48")),
    ("a 6to4 address", networks("2002::/16")),
    ("a Teredo address", networks("2001::/32")),
)  # fmt: skip
_COMPATIBLE = ip_network("::/96")

# Called only where an administrator listed a network inside of the range: a wide list doesn't reach them.
_SPECIAL = (
    ("a loopback address", LOOPBACK_NETWORKS),
    ("a carrier-grade NAT address", networks("100.64.0.0/10")),
    ("a documentation address", networks(
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20",
    )),
    ("a benchmarking address", networks("198.18.0.0/15", "2001:2::/48")),
    ("a protocol's own address", networks("192.0.0.0/24", "2001::/23", "5f00::/16")),
)  # fmt: skip
_PRIVATE = networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
_GLOBAL_IPV6 = ip_network("2000::/3")


def never(address: Address) -> str:
    """What `address` is, where it may not be called whatever is listed ("a metadata service"); else ""."""
    for name, ranges in _NEVER:
        if _within(address, ranges):
            return name
    if address in _COMPATIBLE and address != IPv6Address("::1"):
        return "an IPv4 address written as IPv6"
    return ""


def outside(address: Address, listed: tuple[Network, ...]) -> str:
    """Why `address` isn't one of those that `listed` allows ("a loopback address"); "" where it is."""
    if kind := never(address):
        return kind
    for name, ranges in _SPECIAL:
        if _within(address, ranges):
            home = next(one for one in ranges if address in one)
            narrow = (one for one in listed if one.version == home.version and _inside(one, home))
            return "" if _within(address, narrow) else name
    return "" if _within(address, listed) else "outside of the networks that are listed for it"


def not_public(address: Address) -> str:
    """Why `address` isn't one of the public internet ("a private address"); "" where it is."""
    if kind := outside(address, ANYWHERE):
        return kind
    if _within(address, _PRIVATE):
        return "a private address"
    if address.version == 6 and address not in _GLOBAL_IPV6:
        return "not a public address"
    return "" if address.is_global else "not a public address"


def _within(address: Address, ranges: Iterable[Network]) -> bool:
    return any(address in one for one in ranges)


def _inside(small: Network, large: Network) -> bool:
    return small.prefixlen >= large.prefixlen and small.network_address in large
