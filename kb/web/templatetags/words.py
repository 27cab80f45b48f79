"""What templates need to say closed lists, messages and rendered Markdown to a reader."""

import re
from collections.abc import Iterable
from typing import Any

from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

# The first of the chips after a sentence stays on the line of its last word.
CHIP = re.compile(r"(?<!</a>)(?<!\s)\s+(?=<a [^>]*class=\"chip\")")
HOLE = re.compile(r"(\{[A-Za-z][\w .-]*\})")

MEANINGS = {
    "account_auth": "A key, an account or a login was refused before any model was asked.",
    "quota_rate": "A budget is spent or a limit is reached, at the gateway or at the provider.",
    "model_provider": "The model is unknown, or its provider refused, failed or took too long.",
    "local_runtime": "Something on the machine itself: Python, packages, local models, memory.",
    "deployment_config": "How the gateway is set up: its file, database, cache and network.",
    "known_shape": "The text has the form of a documented error.",
    "consistent": "Nothing in the text contradicts it, but the signature is a general one.",
    "undecided": "More than one guide fits, and the text does not say which.",
    "proved": "Measured numbers decide it.",
    "gateway": "These are the gateway's own words.",
    "upstream_gateway": (
        "These words come from another gateway behind yours. Your gateway only passed them on,"
        " so look at the key, the budgets and the settings of the one behind it."
    ),
    "provider": "These are the provider's words; the gateway passed them on.",
    "client": "These are the client library's words; the call may never have left the machine.",
    "infrastructure": "These words come from what stands around the gateway, not from it.",
}

HOPS = {
    "target": ("Target", "the address itself"),
    "name": ("Name", "DNS finds it"),
    "connection": ("Connection", "the port answers"),
    "tls": ("TLS", "certificates are trusted"),
    "proxy": ("Proxy", "up and set up right"),
    "key": ("Key", "known, valid, allowed"),
    "budget": ("Budget", "money is left"),
    "limit": ("Limit", "requests and tokens"),
    "model": ("Model", "known to the gateway"),
    "provider": ("Provider", "it takes the call"),
    "answer": ("Answer", "it can be read"),
}

LABELS = {
    "known_shape": "Known shape",
    "key": "Masked key",
    "current_cost": "Counted cost",
    "max_budget": "Budget",
    "limit_type": "Kind of limit",
    "reset_at": "Resets at",
    "retry_after": "Try again after",
    "status": "HTTP status",
    "error_type": "Error type",
    "url": "URL",
    "rpm": "Requests per minute",
    "tpm": "Tokens per minute",
}

REMOVED = {
    "api_key": ("API key", "API keys"),
    "key_hash": ("key hash", "key hashes"),
    "bearer_token": ("bearer token", "bearer tokens"),
    "jwt": ("JWT", "JWTs"),
    "aws_key": ("AWS key", "AWS keys"),
    "email": ("e-mail address", "e-mail addresses"),
    "url_credential": ("credential in a URL", "credentials in URLs"),
    "password": ("password", "passwords"),
    "private_key": ("private key", "private keys"),
    "by_hand": ("passage by a reviewer", "passages by a reviewer"),
}


@register.filter
def meaning(word: object) -> str:
    """One sentence on a word of a closed list; empty if there is none."""
    return MEANINGS.get(str(word), "")


@register.filter
def label(name: object) -> str:
    """A field's name as people read it: max_budget is Budget."""
    word = str(name)
    return LABELS.get(word) or word.replace("_", " ").replace("-", " ").capitalize()


@register.filter
def dashed(word: object) -> str:
    """A word as it stands in URLs: quota_rate is quota-rate."""
    return str(word).replace("_", "-")


@register.filter
def removed(kind: object, count: int) -> str:
    """How many secrets of a kind: 2 API keys."""
    one, more = REMOVED.get(str(kind), (label(kind), label(kind)))
    return f"{count} {one if count == 1 else more}"


@register.filter
def retry(words: str) -> str:
    """Is it worth sending the call again? `words` begins with never, now, after or heals."""
    first, _, rest = words.partition(" ")
    sentences = {
        "never": "No: the same call fails again",
        "now": "Yes, as soon as this is done",
        "after": f"Yes, after {rest}",
        "heals": f"It heals by itself {rest}",
    }
    said = sentences.get(first, words).strip()
    return f"{said}, {rest}" if first in {"never", "now"} and rest else said


@register.filter
def holes(message: str) -> SafeString:
    """A message with its {holes} set apart."""
    parts = enumerate(HOLE.split(message))
    return format_html_join(
        "", "{}", ((format_html("<var>{}</var>", part) if n % 2 else part,) for n, part in parts)
    )


@register.filter
def any_holes(messages: Iterable[Any]) -> bool:
    """Whether one of a guide's messages has a {hole}, which the page then explains."""
    return any(HOLE.search(message.text) for message in messages)


@register.filter
def prose(html: str, page: str = "") -> SafeString:
    """HTML that the loader sanitised, with tables and code in their own boxes; chips point into `page`."""
    boxed = html
    for tag, box in (("table", "scroll"), ("pre", "box")):
        boxed = boxed.replace(f"<{tag}>", f'<div class="{box}"><{tag}>')
        boxed = boxed.replace(f"</{tag}>", f"</{tag}></div>")
    boxed = CHIP.sub("&nbsp;", boxed)
    return mark_safe(boxed.replace('href="#', f'href="{escape(page)}#'))  # noqa: S308


@register.filter
def kept(text: str | None) -> str:
    """What a textarea holds: browsers drop the first line break in it, so one more comes first."""
    return f"\n{text}" if text else ""


@register.simple_tag
def hops() -> list[tuple[str, str, str]]:
    """(word, name, what holds there) of each hop, in the order in which a call passes them."""
    return [(word, *said) for word, said in HOPS.items()]


@register.simple_tag
def heading(level: int, anchor: str, title: str) -> SafeString:
    """A heading that can be linked to, with its link beside it."""
    return format_html(
        '<div class="heading"><h{0} id="{1}">{2}</h{0}>'
        '<a class="anchor" href="#{1}" aria-label="Link to “{2}”">#</a></div>',
        level,
        anchor,
        title,
    )
