"""Web addresses that people write into forms."""

from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from kb.diagnosis.text import KINDS


def plain_link(link: str, what: str) -> str:
    """The redacted `link` as it is, or nothing for none; `what` it is stands in the advice on a bad one.

    Raises ValidationError for what is no web address, and for one that held a secret.
    """
    if not link:
        return ""
    if any(f"<{kind}>" in link for kind in KINDS):
        raise ValidationError(
            "There was a password, a key or an e-mail address in this link, and it was taken out."
            " Give a link that works without it."
        )
    URLValidator(["http", "https"], message=f"Give {what} that begins with https:// or http://.")(link)
    if "@" in urlsplit(link).netloc:
        raise ValidationError("Give the link without a name and a password in it.")
    return link
