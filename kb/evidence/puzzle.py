"""An optional proof of work against floods (ALTCHA): the browser computes for a second, nobody is asked.

Each challenge is bound to the name of one form, and a form makes one report at most: a solution that is
used a second time is worth nothing, whichever process sees it, and nothing has to be remembered.
"""

import base64
import json
from typing import Any

from altcha import create_challenge, verify_solution
from django.conf import settings
from django.utils.crypto import salted_hmac

from kb.evidence.stamp import AT_MOST, Stamp

COST = 5_000  # rounds of PBKDF2 a try; 256 tries on average
LONGEST = 4_000  # characters of a solution
WRONG = (
    "The proof that keeps robots out is missing or wrong. It needs JavaScript and a moment; nothing is lost:"
    " send it again."
)


def challenge(stamp: Stamp) -> str:
    """The challenge of a form as JSON; empty where the site asks for none."""
    if not settings.CULPRIT_ALTCHA:
        return ""
    made = create_challenge(
        "PBKDF2/SHA-256",
        COST,
        expires_at=int(stamp.shown + AT_MOST),
        data={"form": stamp.form},
        hmac_secret=secret(),
    )
    return json.dumps(made.to_dict())


def solved(stamp: Stamp, solution: str) -> bool:
    """Whether this is the answer to a challenge of this very form; always where the site asks for none."""
    if not settings.CULPRIT_ALTCHA:
        return True
    if len(solution) > LONGEST or form_of(solution) != stamp.form:
        return False
    return bool(verify_solution(solution, secret()).verified)


def form_of(solution: str) -> str:
    """The form that a solution claims to be for; its signature is checked elsewhere."""
    try:
        claimed: Any = json.loads(base64.b64decode(solution))
        return str(claimed["challenge"]["parameters"]["data"]["form"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def secret() -> bytes:
    """What challenges are signed with."""
    return salted_hmac("kb.evidence.puzzle", "challenge", algorithm="sha256").digest()
