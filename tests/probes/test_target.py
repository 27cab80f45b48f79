"""The guard: what may be called, what may not, and that finding out takes no packet."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from kb.probes import dial
from kb.probes.target import (
    LOOPBACK,
    Allowed,
    Policy,
    Refused,
    Target,
    parse_allowed,
    parse_policy,
    vet,
)
from tests.probes.hostile import INWARD, REBOUND, UNUSABLE

PUBLIC = Policy((), public=True)
LISTED = Policy(parse_allowed("https://llm.example.com,http://10.0.0.77:4000"))
POLICIES = {"loopback": LOOPBACK, "public": PUBLIC, "listed": LISTED}


def nobody(host: str, port: int) -> Sequence[str]:
    pytest.fail(f"{host} was looked up")


class Answers:
    """A resolver that may be asked once."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        assert len(self.asked) == 1, "looked up twice"
        return self.addresses


@pytest.fixture(autouse=True)
def _no_packet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deciding opens nothing and asks no system resolver."""

    def fail(*args: object, **kwargs: object) -> None:
        pytest.fail("the network was used")

    monkeypatch.setattr(asyncio, "open_connection", fail)
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(socket.socket, "connect", fail)
    monkeypatch.setattr(dial, "look_up", fail)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
@pytest.mark.parametrize("url", UNUSABLE)
def test_unusable_addresses_are_refused_everywhere(url: str, policy: Policy) -> None:
    found = vet(url, policy, nobody)
    assert isinstance(found, Refused)
    assert found.hop == "target"
    assert found.why.endswith(".")
    assert "\n" not in found.why


@pytest.mark.parametrize("policy", [PUBLIC, LISTED], ids=["public", "listed"])
@pytest.mark.parametrize("url", INWARD)
def test_inward_addresses_are_refused(url: str, policy: Policy) -> None:
    found = vet(url, policy, nobody)
    assert isinstance(found, Refused)
    assert found.hop == "target"


@pytest.mark.parametrize("addresses", REBOUND)
def test_public_names_with_one_bad_address_are_refused(addresses: tuple[str, ...]) -> None:
    resolve = Answers(*addresses)
    assert isinstance(vet("https://llm.example.com", PUBLIC, resolve), Refused)
    assert len(resolve.asked) == 1


def test_the_table_is_long_enough() -> None:
    assert len({*UNUSABLE, *INWARD}) + len(REBOUND) >= 300


@pytest.mark.parametrize(
    ("url", "base", "origin"),
    [
        ("http://127.0.0.1:4000", "", "http://127.0.0.1:4000"),
        ("HTTP://LocalHost:4000/", "", "http://localhost:4000"),
        ("http://127.0.0.1", "", "http://127.0.0.1"),
        ("https://[::1]", "", "https://[::1]"),
        ("http://[0:0:0:0:0:0:0:1]:80/", "", "http://[::1]"),
        ("http://127.0.0.1:4000/v1", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/v1/", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/v1/v1", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000//v1/chat/completions", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/chat/completions", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/ui/", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/key/info", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/llm", "/llm", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/api/llm/", "/api/llm", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/llm/v1/models", "/llm", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/v1/models", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/v1/audio/speech", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/v2/rerank", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/model/info", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/engines/gpt-5/chat/completions", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/openai/deployments/gpt-5/embeddings", "", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/openai/", "/openai", "http://127.0.0.1:4000"),
        ("http://127.0.0.1:4000/openai/openai/deployments/a", "/openai", "http://127.0.0.1:4000"),
    ],
)
def test_an_address_is_brought_to_its_base(url: str, base: str, origin: str) -> None:
    found = vet(url, LOOPBACK, Answers("127.0.0.1", "::1"))
    assert isinstance(found, Target)
    assert (found.base_path, found.origin) == (base, origin)
    cut = url.lower().removeprefix(origin).strip("/") != base.strip("/")
    assert bool(found.note) == (cut and "0:0:0" not in url and not url.endswith(("Host:4000/", "1]:80/")))


def test_a_doubled_version_is_pointed_out() -> None:
    found = vet("http://127.0.0.1:4000/v1/v1", LOOPBACK, nobody)
    assert isinstance(found, Target)
    assert "/v1/v1" in found.note


def test_loopback_alone_says_how_to_allow_more() -> None:
    found = vet("https://llm.example.com", LOOPBACK, nobody)
    assert isinstance(found, Refused)
    assert "loopback only" in found.why
    assert "CULPRIT_TARGETS" in found.why


def test_localhost_that_leads_elsewhere_is_refused() -> None:
    found = vet("http://localhost:4000", LOOPBACK, Answers("127.0.0.1", "10.0.0.1"))
    assert isinstance(found, Refused)


def test_a_public_name_is_looked_up_once_and_pinned() -> None:
    resolve = Answers("1.1.1.1", "2606:4700::1111", "1.1.1.1")
    found = vet("https://llm.example.com/llm", PUBLIC, resolve)
    assert found == Target("https", "llm.example.com", 443, "/llm", ("1.1.1.1", "2606:4700::1111"))
    assert resolve.asked == [("llm.example.com", 443)]


def test_a_name_that_changes_its_answer_is_asked_once() -> None:
    replies = [("1.1.1.1",), ("169.254.169.254",)]

    def resolve(host: str, port: int) -> Sequence[str]:
        return replies.pop(0)

    found = vet("https://llm.example.com", PUBLIC, resolve)
    assert isinstance(found, Target)
    assert found.addresses == ("1.1.1.1",)
    assert len(replies) == 1


@pytest.mark.parametrize("problem", [OSError("none"), UnicodeError("bad"), socket.gaierror(8, "unknown")])
def test_a_name_without_address_breaks_at_the_name(problem: Exception) -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise problem

    found = vet("https://llm.example.com", LISTED, resolve)
    assert isinstance(found, Refused)
    assert found.hop == "name"


@pytest.mark.parametrize(
    "url",
    [
        "http://llm.example.com",
        "https://llm.example.com:8443",
        "https://llm.example.com.evil.com",
        "https://evil.llm.example.com",
        "https://llm-example.com",
        "http://10.0.0.77",
        "http://10.0.0.77:4001",
        "https://10.0.0.77:4000",
        "http://10.0.0.78:4000",
        "http://127.0.0.1:4000",
    ],
)
def test_only_what_is_listed_exactly_is_called(url: str) -> None:
    found = vet(url, LISTED, nobody)
    assert isinstance(found, Refused)
    assert found.why


@pytest.mark.parametrize(
    ("address", "called"),
    [
        ("10.1.2.3", True),
        ("192.168.1.1", True),
        ("8.8.8.8", True),
        ("fd12::1", True),
        ("127.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("203.0.113.1", False),
        ("::ffff:10.1.2.3", False),
    ],
)
def test_a_listed_name_reaches_no_special_address(address: str, called: bool) -> None:
    found = vet("https://llm.example.com", LISTED, Answers(address))
    assert isinstance(found, Target) == called


def test_networks_may_be_listed_for_a_name() -> None:
    policy = parse_policy("https://llm.example.com=100.64.0.0/10+10.2.0.0/16")
    for address, called in {
        "100.64.3.2": True,
        "10.2.1.1": True,
        "10.3.1.1": False,
        "8.8.8.8": False,
    }.items():
        assert isinstance(vet("https://llm.example.com", policy, Answers(address)), Target) == called


def test_metadata_is_refused_even_if_listed() -> None:
    wide = Policy((Allowed("http", "llm.example.com", 80, (ip_network("169.254.0.0/15"),)),))
    assert isinstance(vet("http://llm.example.com", wide, Answers("169.254.169.254")), Refused)
    for entry in ("http://169.254.169.254", "https://a.example=169.254.169.254/32", "http://[fd00:ec2::254]"):
        with pytest.raises(ValueError, match="never called"):
            parse_allowed(entry)


def test_an_international_name_is_called_if_listed_exactly() -> None:
    policy = parse_policy("public,https://xn--80ak6aa92e.com")
    assert isinstance(vet("https://xn--80ak6aa92e.com", policy, Answers("1.1.1.1")), Target)
    assert isinstance(vet("https://xn--80ak6aa92e.org", policy, nobody), Refused)


def test_a_listed_path_is_the_only_one() -> None:
    policy = parse_policy("https://gw.example.com/llm")
    assert isinstance(vet("https://gw.example.com/llm/v1", policy, Answers("10.0.0.1")), Target)
    found = vet("https://gw.example.com/other", policy, nobody)
    assert isinstance(found, Refused)
    assert "/llm" in found.why


def test_the_policy_of_the_environment() -> None:
    assert parse_policy("") == parse_policy(" , ") == LOOPBACK
    policy = parse_policy("http://127.0.0.1:4000, https://llm.example.com ,public")
    assert policy.public
    assert [(one.scheme, one.host, one.port) for one in policy.allowed] == [
        ("http", "127.0.0.1", 4000),
        ("https", "llm.example.com", 443),
    ]
    assert parse_policy("loopback,https://llm.example.com").allowed[:6] == LOOPBACK.allowed


@pytest.mark.parametrize(
    "text",
    [
        "llm.example.com",
        "ftp://llm.example.com",
        "https://u:secret@llm.example.com",
        "https://llm.example.com=10.0.0.0/33",
        "https://llm.example.com=10.0.0.1/8",
        "https://llm.example.com=all",
        "http://127.0.0.1:4000,,http://127.0.0.1:0",
        "http://2130706433",
        "everything",
        "https://*.example.com",
    ],
)
def test_nonsense_in_the_list_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match="is no target") as caught:
        parse_policy(text)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
