"""Secrets leave a text here and nothing else does: LiteLLM's own words and masked keys stay.

All patterns are RE2's, so a hostile text costs time linear in its length. A pattern only proposes;
what a value must look like to be a secret is said in `_is_secret`.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import re2

from kb.diagnosis.breaks import key_breaks, without
from kb.diagnosis.canonical import canonical, terminal_breaks

KINDS = (
    "api_key",
    "key_hash",
    "bearer_token",
    "jwt",
    "aws_key",
    "email",
    "url_credential",
    "password",
    "private_key",
)

_ANSI = r"\x1b\[[0-9;:?]*[A-Za-z]"
# What may stand before a token: no letter or digit, unless it ends an escape or a colour code.
_BEFORE = r"(?:^|[^A-Za-z0-9]|\\[nrtbf]|\\u[0-9a-fA-F]{4}|\[[0-9;:?]*m|%[0-9A-F]{2})"
_NO_BASE64 = _BEFORE.replace("[^A-Za-z0-9]", "[^A-Za-z0-9/+]")
_CHAR = rf"(?:[A-Za-z0-9_-]|{_ANSI})"
_GAP = rf"(?:[ \t]|{_ANSI})*"
_SEPARATOR = rf"(?:\\*[\"'`])?{_GAP}(?:[:=]|=>){_GAP}"
# A quoted value ends at the quote that opened it; in escaped JSON that quote has a backslash too.
_QUOTED = "|".join(
    (
        r"\\\\\\\"(?:[^\"\\\n]|\\\\\\\\|\\[^\"\\\n])*",
        r"\\\"(?:\\\\\\\"|\\[^\"\n]|[^\"\\\n])*",
        r"\\'(?:\\\\\\'|\\[^'\n]|[^'\\\n])*",
        r"\"(?:[^\"\\\n]|\\.)*",
        r"'(?:[^'\\\n]|\\.)*",
    )
)
_BARE = rf"(?:[^\s\pZ\p{{Cf}}\"'`&,;<>\\{{}}()\[\]\x1b]|{_ANSI})+"

_KEY_NAMES = (
    r"[A-Za-z0-9_]*api[_-]?key|x-goog-api-key|[A-Za-z0-9_]*(?:master|salt|license)_key"
    r"|ocp-apim-subscription-key|subscription[ _-]key|litellm_license"
)
_LOGIN_NAMES = r"[A-Za-z0-9_]*(?:password|passwd|passphrase|pgpass)|pwd"
_TICKET_NAMES = r"[A-Za-z0-9_-]*(?:client[_-]?secret|secret|secret_key|token)|sig|signature|x-amz-signature"
_AWS_NAMES = r"aws_?secret_?access_?key|aws_?session_?token|x-amz-security-token|secretaccesskey"

# A character of a URL's credentials where all of it is percent-encoded: no slash, question or number sign.
_ESCAPED = r"(?:[A-Za-z0-9._~+*!$,;=-]|%(?:[014-9a-f][0-9a-f]|2[0-24-9a-e]|3[0-9a-e]))"
# Addresses whose path is the secret.
_WEBHOOKS = (
    r"hooks\.slack\.com\\*/(?:services|workflows|triggers)\\*/|discord(?:app)?\.com\\*/api\\*/webhooks\\*/"
    r"|\.webhook\.office\.com\\*/webhookb2\\*/"
)

_MOST_ROUNDS = 4
# Words that stand where a secret would in source lines and in settings that hold none.
_NO_SECRET = frozenset({
    "none", "null", "nil", "true", "false", "str", "string", "undefined", "optional",
    "required", "api_key", "apikey", "key", "password", "token", "secret", "bearer", "basic",
    "value", "kwargs", "self", "env", "not", "dynamic_api_key", "litellm_api_key", "master_key",
})  # fmt: skip
# Code, settings that only point to a secret, masks and placeholders.
_POINTER = (
    r"(?i)(?:os\.|self\.|litellm\.|kwargs|settings\.|config\.|os_environ).*"
    r"|\$\{[^{}]+\}|(?-i:\$[A-Z_]+)|<[\w -]+>|[\w-]{0,12}(?:\.{3}|\*{3,})[\w-]{0,12}"
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without secrets, and how many of each kind left it (every kind is a key)."""

    text: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One form of secret: `pattern`'s group 1 stays, group 2 goes if `is_secret` says so."""

    kind: str
    marks: tuple[str, ...]
    pattern: str
    is_secret: Callable[[str], bool]


def redact(text: str) -> Redacted:
    """Replace every secret by `<kind>`; redacting the result again changes nothing.

    A secret that a terminal broke at its width, or a key that was broken anywhere in a long line, is found
    too; then the text loses these breaks.
    `text` has to be `readable()`. Takes time linear in its length.
    """
    found = redact_whole(text)
    breaks = tuple(sorted({*terminal_breaks(text), *key_breaks(text)}))
    if breaks:
        whole = redact_whole(without(text, breaks))
        if whole.text.replace("\n", "") != found.text.replace("\n", ""):
            return whole
    return found


def redact_whole(text: str) -> Redacted:
    """The same for a text that no terminal broke, such as a program's answer."""
    counts = dict.fromkeys(KINDS, 0)
    # A placeholder may uncover another form, so look again while anything changes.
    for _ in range(_MOST_ROUNDS):
        before = text
        for rule in _rules(text):
            text = _without(text, _secrets(text, rule), rule, counts)
        text = _without_wrapped(text, counts)
        if text == before:
            break
    return Redacted(text, counts)


def _without_wrapped(text: str, counts: dict[str, int]) -> str:
    """The text without what only its plain reading shows to be a secret, as in HTML or in CSV."""
    plain = canonical(text)
    if plain.unwrapped == text:
        return text
    for rule in _rules(plain.unwrapped):
        spans = [plain.source_span(*span) for span in _secrets(plain.unwrapped, rule)]
        if spans:
            text = _without(text, spans, rule, counts)
            plain = canonical(text)
    return text


def _rules(text: str) -> list[_Rule]:
    """The rules that have a mark in the text, or need none."""
    low = text.lower()
    return [rule for rule in _RULES if not rule.marks or any(map(low.__contains__, rule.marks))]


def _secrets(text: str, rule: _Rule) -> Iterator[tuple[int, int]]:
    """Where secrets of one form begin and end."""
    for match in _compiled(rule).finditer(text):
        start, end = match.span(2)
        secret = text[start:end]
        if rule.is_secret(secret):
            opening, closing = _frame(secret)
            yield start + opening, end - closing


def _without(text: str, spans: Iterable[tuple[int, int]], rule: _Rule, counts: dict[str, int]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in spans:
        pieces += (text[done:start], f"<{rule.kind}>")
        done = end
        counts[rule.kind] += 1
    return "".join((*pieces, text[done:])) if pieces else text


def _frame(secret: str) -> tuple[int, int]:
    """How many characters of opening quote and of closing punctuation are not the secret."""
    opening = len(secret) - len(secret.lstrip("\\\"'"))
    body = secret[opening:]
    closing = 0 if opening else len(body) - len(body.rstrip(".:!?"))
    return opening, closing


def _bare(secret: str) -> str:
    opening, closing = _frame(secret)
    return secret[opening : len(secret) - closing]


def _is_token(secret: str) -> bool:
    """Short runs after `sk-` are words (sk-learn) unless they hold a digit; `*` marks a mask."""
    plain = re2.sub(_ANSI, "", secret)
    if "**" in plain or plain.endswith("*"):
        return False
    tail = plain.partition("-")[2] or plain
    return len(tail) >= 20 or (len(tail) >= 4 and any(map(str.isdigit, tail)))


def _is_value(secret: str) -> bool:
    """A value after a telling name is a secret unless it is code, a mask or a placeholder."""
    body = _bare(secret).strip()
    plain = body.lower().strip("*")
    return bool(plain) and plain not in _NO_SECRET and re2.fullmatch(_POINTER, body) is None


def _is_long_value(secret: str) -> bool:
    return len(_bare(secret)) >= 6 and _is_value(secret)


def _is_credential(secret: str) -> bool:
    body = _bare(secret)
    return _is_value(secret) and (len(body) >= 20 or any(map(str.isdigit, body)))


def _is_random(secret: str) -> bool:
    """Long, of letters and digits or of letters in changing case: words and counts after a colon are not."""
    body = _bare(secret)
    mixed = bool(re2.search("[0-9]", body) and re2.search("[A-Za-z]", body))
    return _is_value(secret) and len(body) >= 16 and (mixed or _turns(body) >= 0.4 * len(body))


def _is_aws_secret(secret: str) -> bool:
    """Forty characters of base64 whose cases and digits take turns, as those of no path or name do."""
    return (
        any(map(str.isdigit, secret))
        and not secret.isupper()
        and not secret.islower()
        and _turns(secret) >= 15
    )


def _turns(body: str) -> int:
    """How often a letter of one case, a digit or a sign follows one of another kind."""
    kinds = [(letter.isupper(), letter.islower(), letter.isdigit()) for letter in body]
    return sum(one != other for one, other in itertools.pairwise(kinds))


def _always(secret: str) -> bool:
    return True


def _named(names: str, value: str) -> str:
    return rf"(?i)({_BEFORE}(?:{names}){_SEPARATOR})({value})"


_ANY_VALUE = f"{_QUOTED}|{_BARE}"
_RULES = (
    _Rule(
        "private_key",
        ("private key-",),
        r"(?s)()(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?-----END [A-Z0-9 ]*PRIVATE KEY-----)",
        _always,
    ),
    _Rule(
        "private_key",
        ("private key-",),
        r"()(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?:\s|\\[nr]|[A-Za-z0-9+/=]{16,})*)",
        _always,
    ),
    _Rule(
        "bearer_token",
        ("authorization",),
        rf"(?i)(authorization{_SEPARATOR}(?:\\*[\"'])?(?:(?:bearer|basic|token|apikey)[ \t]+)?)"
        rf"({_BARE})",
        _is_value,
    ),
    _Rule(
        "bearer_token",
        ("bearer", "basic"),
        rf"(?i)({_BEFORE}(?:bearer|basic)(?:[ \t]|%20|\+|{_ANSI})+)"
        rf"((?:[A-Za-z0-9._~+/=-]|{_ANSI}){{8,}})",
        _is_credential,
    ),
    _Rule(
        "jwt",
        ("eyj",),
        rf"({_BEFORE})(eyJ[A-Za-z0-9_-]{{6,}}\.[A-Za-z0-9_-]{{6,}}(?:\.[A-Za-z0-9_-]*)?)",
        _always,
    ),
    _Rule(
        "aws_key",
        ("akia", "asia", "abia", "acca"),
        rf"({_BEFORE})((?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{{16}})",
        _always,
    ),
    _Rule(
        "aws_key",
        ("access", "session", "security-token"),
        _named(_AWS_NAMES, _ANY_VALUE),
        _is_long_value,
    ),
    _Rule(
        "url_credential",
        ("://",),
        r"(?i)([a-z][a-z0-9+.-]*:(?:\\?/){2})([^\s/?#\"'`<>\\]+)@",
        _always,
    ),
    _Rule("url_credential", ("%3a%2f%2f",), rf"(?i)([a-z][a-z0-9+.-]*%3A%2F%2F)({_ESCAPED}+)%40", _always),
    _Rule("url_credential", ("hook",), rf"(?i)({_WEBHOOKS})({_CHAR}(?:{_CHAR}|[@./=]|\\+/){{8,}})", _always),
    _Rule(
        "api_key",
        ("sk-",),
        rf"({_BEFORE})(sk-{_CHAR}{{4,}}\*?)",
        _is_token,
    ),
    _Rule(
        "api_key",
        (
            "aiza", "gsk_", "hf_", "xai-", "r8_", "pplx-", "nvapi-", "ghp_", "gho_", "ghs_", "ghu_",
            "github_pat_", "glpat-", "xox", "fw_", "csk-", "tgp_", "dapi", "ya29.",
            "culprit_",
        ),
        rf"({_BEFORE})("
        rf"AIza{_CHAR}{{20,}}|gsk_{_CHAR}{{16,}}|hf_{_CHAR}{{16,}}|xai-{_CHAR}{{16,}}"
        rf"|r8_{_CHAR}{{16,}}|pplx-{_CHAR}{{16,}}|nvapi-{_CHAR}{{16,}}|gh[opsu]_{_CHAR}{{16,}}"
        rf"|github_pat_{_CHAR}{{16,}}|glpat-{_CHAR}{{12,}}|xox[abeprs]-{_CHAR}{{10,}}"
        rf"|fw_{_CHAR}{{20,}}|csk-{_CHAR}{{20,}}|tgp_v1_{_CHAR}{{16,}}|dapi[0-9a-f]{{32}}"
        rf"|ya29\.{_CHAR}{{16,}}|culprit_{_CHAR}{{32,}})",
        _always,
    ),
    _Rule(
        "aws_key",
        (),
        rf"({_NO_BASE64})([A-Za-z0-9/+]{{40}})(?:[^A-Za-z0-9/+=]|$)",
        _is_aws_secret,
    ),
    _Rule("key_hash", (), rf"({_BEFORE})([0-9a-fA-F]{{64,}})", _always),
    _Rule(
        "api_key",
        ("key", "license"),
        _named(_KEY_NAMES, _ANY_VALUE),
        _is_long_value,
    ),
    _Rule("api_key", ("key=",), rf"(?i)([?&]key=)({_BARE})", _is_long_value),
    _Rule(
        "password",
        ("pass", "pwd"),
        _named(_LOGIN_NAMES, _ANY_VALUE),
        _is_value,
    ),
    _Rule(
        "password",
        ("secret", "token", "sig"),
        rf"(?i)({_BEFORE}(?:{_TICKET_NAMES})(?:\\*[\"'])?{_GAP}[:=]{_GAP})({_QUOTED})",
        _is_long_value,
    ),
    _Rule(
        "password",
        ("secret", "token", "sig"),
        rf"(?i)({_BEFORE}(?:{_TICKET_NAMES})=)({_BARE})",
        _is_long_value,
    ),
    _Rule(
        "password",
        ("secret", "token"),
        rf"(?i)({_BEFORE}(?:{_TICKET_NAMES}):{_GAP})({_BARE})",
        _is_random,
    ),
    _Rule(
        "email",
        ("@",),
        rf"({_BEFORE})([A-Za-z0-9][A-Za-z0-9._%+-]*@"
        r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,})",
        _always,
    ),
)  # fmt: skip

_patterns: dict[str, Any] = {}


def _compiled(rule: _Rule) -> Any:
    """Compile on first use and keep: re2's own cache holds 128 patterns for the whole process."""
    if rule.pattern not in _patterns:
        options = re2.Options()
        options.max_mem = 64 << 20
        _patterns[rule.pattern] = re2.compile(rule.pattern, options)
    return _patterns[rule.pattern]
