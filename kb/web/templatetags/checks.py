"""What templates need to say what a check asked, what came back, and what follows from it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from kb.web.templatetags.words import label

register = template.Library()

SURENESS = {
    "proved": "What was measured decides it.",
    "known_shape": "What was seen has the form of a documented fault.",
    "consistent": "Nothing that was seen speaks against it.",
    "undecided": "More than one cause fits; what would settle it stands below.",
}
STATUSES = {
    "healthy": "Healthy",
    "fault": "Fault",
    "unrecognised": "Not recognised",
    "not_reached": "Not reached",
}
GLYPHS = {"healthy": "yes", "fault": "no", "unrecognised": "partly", "not_reached": "not_reached"}
SCOPES = {
    "key": "Key",
    "key_window": "Key, for a time",
    "key_model": "Key, for one model",
    "team": "Team",
    "team_window": "Team, for a time",
    "team_member": "Member of the team",
    "user": "User",
    "end_user": "End user",
    "org": "Organization",
    "project": "Project",
    "tag": "Tag",
    "provider": "Provider",
    "deployment": "Deployment",
    "global": "Whole proxy",
}
CATEGORIES = {
    "account_auth": "Account and auth",
    "quota_rate": "Quota and rate",
    "model_provider": "Model and provider",
    "local_runtime": "Local runtime",
    "deployment_config": "Deployment and config",
}
PRIVILEGES = {
    "none": "Without a key",
    "key": "With the virtual key",
    "admin": "With the admin key",
}
PROBES = {
    "check": "The check itself",
    "target": "May it be called",
    "name": "Find its name",
    "connection": "Reach its port",
    "tls": "Trust its certificate",
    "liveliness": "Is it alive",
    "readiness": "Is it ready",
    "models_unkeyed": "Is it LiteLLM at all",
    "readiness_details": "Version, cache, database",
    "key_info": "The key\u2019s record",
    "team_info": "The team\u2019s record",
    "user_info": "The user\u2019s record",
    "spend_logs": "What the key spent",
    "models": "Models the key may use",
    "call": "The test call",
    "customer_info": "The end user\u2019s record",
    "provider_budgets": "Budgets of providers",
    "organization_info": "The organization\u2019s record",
    "spend_tags": "What the tags spent",
    "tag_info": "The tags\u2019 records",
    "budget_list": "All budgets",
    "cache_ping": "Does the cache answer",
    "global_spend": "What the whole proxy spent",
}
UNNEEDED = ("tls", "models_unkeyed", "waiting")  # they hide nothing where they weren't asked
TROUBLES = {
    "target_refused": "not allowed from here",
    "name_not_resolved": "name not found",
    "timed_out": "no answer in time",
    "tls_untrusted": "certificate not trusted",
    "tls_expired": "certificate expired",
    "tls_wrong_name": "certificate of another name",
    "tls_not_spoken": "no TLS spoken",
    "closed_early": "hung up",
    "too_large": "answer too large",
    "not_http": "no HTTP spoken",
    "broken": "the check broke",
}
FIGURES = {"spend": "recorded", "enforced_spend": "enforced", "max_budget": "limit"}
NOTHING = "\u2013"
PLACES = 6  # of a dollar: what a single token costs can still be seen


def part(thing: Any, name: str) -> Any:
    """A field of an object, or of the same as JSON."""
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


@register.filter
def sureness(word: str) -> str:
    """What a confidence rests on, in one sentence."""
    return SURENESS.get(word, "")


@register.filter
def status(word: str) -> str:
    """A verdict's status as people read it."""
    return STATUSES.get(word) or label(word)


@register.filter
def glyph(word: str) -> str:
    """The shape of a verdict's status."""
    return GLYPHS.get(word, "partly")


@register.filter
def scope(word: str) -> str:
    """Whose budget it is."""
    return SCOPES.get(word) or label(word)


@register.filter
def category(word: str) -> str:
    """A category as people read it."""
    return CATEGORIES.get(word) or label(word)


@register.filter
def probe_name(name: object) -> str:
    """What a probe asks: with `_admin` and `_again` at its end, by whom and when."""
    word = str(name)
    for end, said in (("_again", ", again"), ("_admin", ", as admin")):
        if word.endswith(end):
            return probe_name(word.removesuffix(end)) + said
    return PROBES.get(word) or label(word)


@register.simple_tag
def outcome(reply: Any) -> dict[str, str]:
    """How a question ended, as a shape and a word. An error is an answer, but no pass."""
    ended, code, trouble = (part(reply, name) for name in ("outcome", "status", "trouble"))
    if ended == "not_run":
        return {"glyph": "not_reached", "word": "cancelled" if trouble == "cancelled" else "not asked"}
    if code:
        shape, word = ("yes", "answered") if code < 400 else ("partly", "refused" if code < 500 else "error")
        return {"glyph": shape, "word": word}
    if ended == "ok":
        return {"glyph": "yes", "word": "works"}
    return {
        "glyph": "no",
        "word": TROUBLES.get(trouble) or (label(trouble).lower() if trouble else "no answer"),
    }


def probe_row(reply: Any) -> SafeString:
    """One answer as it comes in, as a row of the list. No template: many checks at once have thousands."""
    ended = outcome(reply)
    got = format_html("{}", ended["word"])
    if reply.status:
        got += format_html(' <span class="mono">{}</span>', reply.status)
    if reply.ms:
        got += format_html(' <span class="ms">in {} ms</span>', reply.ms)
    return format_html(
        '<li class="probe"><svg viewBox="0 0 20 20" aria-hidden="true"><use href="#g_{}" /></svg>'
        '<span class="what">{}{}</span><span class="got">{}</span>{}</li>',
        ended["glyph"],
        probe_name(reply.probe),
        format_html(" <code>{}</code>", reply.request) if reply.request else "",
        got,
        format_html('<span class="why">{}</span>', reply.why) if reply.why else "",
    )


@register.simple_tag
def by_privilege(steps: Iterable[Any]) -> list[tuple[str, str, list[Any]]]:
    """(word, title, steps) for each privilege that a plan takes, the least first."""
    groups: dict[str, list[Any]] = {word: [] for word in PRIVILEGES}
    for step in steps:
        groups.setdefault(str(part(step, "privilege") or "none"), []).append(step)
    return [(word, PRIVILEGES.get(word) or label(word), rows) for word, rows in groups.items() if rows]


@register.filter
def asked(probes: Iterable[Any]) -> list[Any]:
    """The questions that were put, answered or not."""
    return [row for row in probes if part(row, "outcome") != "not_run"]


@register.simple_tag
def unanswered(probes: Iterable[Any]) -> list[tuple[str, list[str]]]:
    """(reason, what was not learned for it) for each reason; without what nobody needed to ask."""
    reasons: dict[str, list[str]] = {}
    for row in probes:
        name, ended = part(row, "name"), part(row, "outcome")
        if ended == "failed" or (ended == "not_run" and name not in UNNEEDED):
            why = part(row, "why") or outcome(row)["word"].capitalize()
            reasons.setdefault(why, []).append(probe_name(name))
    return list(reasons.items())


@register.filter
def telling(rows: Iterable[Mapping[str, Any]]) -> bool:
    """Is there anything in a table of budgets?"""
    return any(row["blocks"] or not untold(row) for row in rows)


@register.filter
def went_through(probes: Iterable[Any]) -> bool:
    """Did the test call get its answer?"""
    return any(part(row, "name") == "call" and part(row, "status") == 200 for row in probes)


def number(value: Any) -> float | None:
    """A number that can be shown, else None."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return float(value) if fits else None


def decimals(value: float) -> int:
    """How many decimals a sum of dollars needs, two at least."""
    return max(2, len(f"{value:.{PLACES}f}".rstrip("0").partition(".")[2]))


@register.filter
def dollars(value: Any) -> str:
    """$10.20; a dash for what isn't known."""
    amount = number(value)
    if amount is None:
        return NOTHING
    return f"${amount:,.{decimals(amount)}f}".replace("$-", "\u2212$")


@register.simple_tag
def aligned(name: str, row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> str:
    """A sum of dollars with figure spaces at its end, so that the points of its column stand in line."""
    amount = number(row[name])
    if amount is None:
        return NOTHING
    others = [number(other[name]) for other in rows]
    most = max(decimals(one) for one in others if one is not None)
    return dollars(amount) + "\u2007" * (most - decimals(amount))


@register.filter
def moment(text: str | None) -> SafeString | str:
    """A time that a proxy gave, as people read it; as it stands if it is none."""
    if not text:
        return NOTHING
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    zone = " UTC" if not time.utcoffset() else time.strftime(" %z")
    return format_html(
        '<time datetime="{}">{} {}</time>', text, f"{time.day} {time:%b %Y, %H:%M}", zone.strip()
    )


@register.simple_tag
def gauge(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Recorded and enforced spend against the limit, in percent of the largest; None without numbers."""
    spend, enforced, limit = (number(row.get(name)) for name in FIGURES)
    if spend is None or enforced is None or limit is None or min(spend, enforced, limit) < 0:
        return None
    most = max(spend, enforced, limit) * 1.04
    if not most:
        return None
    rows = [
        (name, value, share(value, most)) for name, value in (("Recorded", spend), ("Enforced", enforced))
    ]
    return {"rows": rows, "limit": share(limit, most)}


def share(value: float, most: float) -> str:
    """A width in percent; what is more than nothing can be seen."""
    return f"{max(value / most * 100, 0.4):.1f}" if value else ""


@register.simple_tag
def telling_budget(diagnosis: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The budget that blocks, else the first one with a limit that could be read."""
    rows: Sequence[Mapping[str, Any]] = diagnosis["budgets"]
    read = [row for row in rows if row["readable"] and row["max_budget"] is not None]
    return next((row for row in rows if row["blocks"]), read[0] if read else None)


@register.filter
def untold(row: Mapping[str, Any]) -> bool:
    """A budget that could not be read, and of which the error says nothing either."""
    return not row["readable"] and all(number(row[name]) is None for name in FIGURES)


@register.simple_tag
def deciding(diagnosis: Mapping[str, Any]) -> Any:
    """The finding that the verdict rests on, if there is one."""
    rows = (row for row in diagnosis["findings"] if row["state"] == "supported")
    return next((row for row in rows if row["cause"] == diagnosis["verdict"]["cause"]), None)


@register.simple_tag
def also_found(diagnosis: Mapping[str, Any]) -> list[Any]:
    """What holds besides the verdict."""
    own = diagnosis["verdict"]["cause"]
    return [row for row in diagnosis["findings"] if row["state"] == "supported" and row["cause"] != own]


@register.filter
def guide_of(finding: Mapping[str, Any], guides: Mapping[str, Any]) -> Any:
    """The guide of a finding, if it is published."""
    return guides.get(finding.get("slug", ""))


@register.simple_tag
def again_url(run: Any) -> str:
    """The form, with what was asked filled in, so that the result is compared with this run."""
    asked = run.asked
    given = {
        "address": asked.get("target"),
        "model": asked.get("model"),
        "end_user": asked.get("end_user"),
        "tags": ", ".join(asked.get("tags") or ()),
        "previous": run.pk,
    }
    return f"{reverse('check')}?{urlencode({name: value for name, value in given.items() if value})}"


@register.filter
def figure(name: str) -> str:
    """A number that two runs are compared by: `key 88dc spend` is Key 88dc, recorded."""
    first, _, rest = name.partition(" ")
    middle, _, last = rest.rpartition(" ")
    if last not in FIGURES:
        return label(name)
    return f"{scope(first)}{' ' if middle else ''}{middle}, {FIGURES[last]}"


@register.filter
def reading(value: Any) -> str:
    """One side of a comparison: dollars, a word, or nothing."""
    if value is None or value == "":
        return NOTHING
    if number(value) is not None:
        return dollars(value)
    return STATUSES.get(str(value)) or str(value)
