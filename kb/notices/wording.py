"""What a notice says, for each kind of receiver. Pure: it reads deliveries and sends nothing."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage

from kb.notices.models import Delivery

SLACK_TEXT = 3_000
SLACK_FACTS = 10  # of a section


def link(delivery: Delivery) -> str:
    """The page that shows it, as people reach it."""
    return f"{settings.CULPRIT_URL}{delivery.path}"


def webhook(delivery: Delivery) -> str:
    """The body of Standard Webhooks. It is the same at every attempt."""
    return json.dumps(
        {
            "type": delivery.event,
            "timestamp": delivery.created.isoformat(),
            "data": {"subject": delivery.subject, "url": link(delivery), "facts": dict(delivery.facts)},
        },
        ensure_ascii=False,
    )


def slack(delivery: Delivery) -> str:
    """The body of a Slack-compatible webhook; `text` says it all for those who don't show blocks."""
    subject, url = escaped(delivery.subject), escaped(link(delivery))
    blocks: list[dict[str, Any]] = [_section(f"*<{url}|{subject}>*")]
    if fields := delivery.facts[:SLACK_FACTS]:
        told = [{"type": "plain_text", "text": f"{name}: {value}", "emoji": False} for name, value in fields]
        blocks.append({"type": "section", "fields": told})
    return json.dumps({"text": f"{subject}\n{url}", "blocks": blocks}, ensure_ascii=False)


def escaped(text: str) -> str:
    """Slack's own escapes; and no @ that an imitation of Slack could take for a call to everybody."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace("@", "@\u200b").replace("|", "\u2758")[:SLACK_TEXT]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def mail(batch: Sequence[Delivery]) -> EmailMessage:
    """One plain mail on all of `batch`, for one subscription; the same batch has the same Message-ID."""
    first = batch[0]
    subject = first.subject if len(batch) == 1 else f"{len(batch)} new: {first.subject}"
    name = hashlib.sha256(" ".join(sorted(one.pk for one in batch)).encode()).hexdigest()[:32]
    foot = f"Sent by Culprit at {settings.CULPRIT_URL} for the subscription “{first.subscription}”."
    return EmailMessage(
        subject=" ".join(subject.split()),
        body="\n\n".join([*map(_paragraph, batch), "-- \n" + foot]) + "\n",
        to=[first.subscription.address],
        headers={
            "Message-ID": f"<{name}@{urlsplit(settings.CULPRIT_URL).hostname or 'localhost'}>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _paragraph(delivery: Delivery) -> str:
    facts = "".join(f"\n{name}: {value}" for name, value in delivery.facts)
    return f"{delivery.subject}\n{link(delivery)}{facts}"
