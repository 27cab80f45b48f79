"""JSON of any shape is read here without trust: what can't be read is absent, and nothing raises."""

import math
from typing import Any

_LONGEST_ID = 300


def at(body: Any, *path: str) -> Any:
    """What stands at a path of dict keys; None where there is nothing, or no dict on the way."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def has(body: Any, *path: str) -> bool:
    """Tell whether the path is there, be its value null."""
    parent = at(body, *path[:-1])
    return isinstance(parent, dict) and path[-1] in parent


def number(value: Any) -> float | None:
    """A finite number, also when it was sent as a string; a bool, NaN and 1e400 are none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        read = float(value.strip().lstrip("$") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return read if math.isfinite(read) else None


def text(value: Any) -> str:
    """A short string that means something; LiteLLM's string "None" counts as none."""
    if not isinstance(value, str) or value.strip().lower() in ("", "none", "null"):
        return ""
    return value[:_LONGEST_ID]


def rows(value: Any) -> list[dict[str, Any]]:
    """The dicts of a list; no list has none."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def names(value: Any) -> tuple[str, ...]:
    """The strings of a list; no list has none."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def seconds(value: Any) -> float | None:
    """An ISO 8601 time in UTC as a count of seconds that only differences may be taken of."""
    iso = text(value)
    try:
        year, month, day = (int(part) for part in iso[:10].split("-"))
        hour, minute, second = iso[11:].replace("Z", "").split("+")[0].split(":")
        of_day = int(hour) * 3600 + int(minute) * 60 + float(second)
    except (ValueError, IndexError):
        return None
    if not (1 <= month <= 12 and 1 <= day <= 31 and math.isfinite(of_day)):
        return None
    return _days(year, month, day) * 86400.0 + of_day


def _days(year: int, month: int, day: int) -> int:
    """Days since the civil epoch of Howard Hinnant's algorithm (no calendar module is to be had here)."""
    year -= month <= 2
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year
