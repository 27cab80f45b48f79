"""Fills the {holes} of a text with values of the kind that their names tell: for one seed always the same."""

import re
from collections.abc import Callable
from random import Random

HOLE = re.compile(r"\{[A-Za-z_][\w .]*\}")
UNKNOWN = "\0"  # stands for a hole in a text whose fixed words alone are looked at

MODELS = (
    "gpt-4o",
    "claude-sonnet-4-5",
    "azure/gpt-4.1-mini",
    "gemini/gemini-2.5-pro",
    "bedrock/nova-lite",
    "qwen3:8b",
)
PEOPLE = ("alice", "search-team", "Équipe données", "batch_7", "prod eu", "o'brien")
CAUSES = (
    "'NoneType' object has no attribute 'get'", "boom", "list index out of range", "KeyError: 'choices'",
    "{'reason': \"it isn't there\"}", "unexpected end of stream", "C:\\Users\\dev\\app.py",
    "line one\nline two", "exit 1",
)  # fmt: skip
PATHS = (
    "/app/config.yaml",
    "s3://bucket/config.yaml",
    "C:\\litellm\\config.yaml",
    "./proxy_server_config.yaml",
)
ROUTES = ("/chat/completions", "/v1/embeddings", "/key/generate", "/team/info?team_id=1", "/v1/messages")
WORDS = (
    "eu-west-1",
    "internal_user",
    "None",
    "[]",
    "chat",
    "x-request-id",
    "True",
    "us_central",
    "",
    "résumé",
    "<unset>",
)
LONGEST = 1_800  # characters of the longest value: as much as somebody's prompt in the middle of an error


def money(random: Random) -> str:
    """Such as 0.0021, 3.1e-05 or 250.0."""
    return random.choice(
        [f"{random.random() * 300:.4f}", f"{random.random() * 9:.1f}e-05", f"{random.randint(0, 900)}.0"]
    )


def count(random: Random) -> str:
    """A whole number of any length."""
    return str(random.choice([0, 1, 7, 429, 60, 4097, 128_000, 10**9]) + random.randint(0, 3))


def identity(random: Random) -> str:
    """An id as LiteLLM and providers write them: a UUID, a hash, a masked key, a request's id."""
    digits = f"{random.getrandbits(256):064x}"
    shape = f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:32]}"
    return random.choice([shape, digits, f"sk-...{digits[:4]}", f"req_{digits[:24]}", f"chatcmpl-{shape}"])


def address(random: Random) -> str:
    """A URL of a provider, of a proxy, or of somebody's own server."""
    host = random.choice(
        ["api.openai.com", "127.0.0.1:4000", "llm.example.com", "host.docker.internal:11434"]
    )
    return f"http{random.choice(['', 's'])}://{host}/v1{random.choice(['', '/', '/chat/completions'])}"


def moment(random: Random) -> str:
    """A time as ISO or as seconds."""
    day = f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    return random.choice([f"{day}T09:14:00Z", f"{day} 09:14:00.123456+00:00", f"{random.random() * 60:.2f}"])


def listing(random: Random) -> str:
    """Some models as Python prints a list."""
    return str(random.sample(MODELS, random.randint(0, 4)))


def anything(random: Random) -> str:
    """A value whose name tells nothing: now and then a very long one."""
    if random.random() < 0.02:
        return ("lorem ipsum dolor sit amet " * LONGEST)[:LONGEST]
    return random.choice([*WORDS, *PEOPLE, count(random), identity(random)])


def one_of(words: tuple[str, ...]) -> Callable[[Random], str]:
    """A value from a list."""
    return lambda random: random.choice(words)


# What a hole's name has in it, the first that fits.
KINDS: tuple[tuple[str, Callable[[Random], str]], ...] = (
    (r"object_type|entity", one_of(("Key", "Team", "User", "Project"))),
    (r"provider", one_of(("openai", "azure", "bedrock", "groq", "hosted_vllm"))),
    (r"models|list|groups|allowed|available|deployments|teams|keys\b", listing),
    (r"model|deployment", one_of(MODELS)),
    (r"cost|spend|budget|price", money),
    (r"url|base|endpoint|host|address", address),
    (r"path|file|dir", one_of(PATHS)),
    (r"route|method", one_of(ROUTES)),
    (r"time|date|expir|reset|seconds|_at\b|cooldown", moment),
    (r"token|hash|key|_id\b|\bid\b|uuid", identity),
    (r"status|code|limit|max|min|num|count|rpm|tpm|len|size|total|current|attempt|retr|index|port", count),
    (r"user|team|org|alias|name|tag|customer|member", one_of(PEOPLE)),
    (r"^e$|err|exc|msg|message|detail|reason|text|response|body|result", one_of(CAUSES)),
)


def value(hole: str, random: Random) -> str:
    """A value for `{hole}`."""
    name = hole.strip("{}").lower()
    kind = next((kind for words, kind in KINDS if re.search(words, name)), anything)
    return kind(random)


def filled(template: str, random: Random) -> str:
    """The template with a value in each hole."""
    return HOLE.sub(lambda found: value(found[0], random), template)


def fixed(template: str) -> str:
    """The template with UNKNOWN in each hole: what stays is what it always says."""
    return HOLE.sub(UNKNOWN, template)
