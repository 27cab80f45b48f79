"""A browser and its system in words, out of what it says of itself. Pure; a guess that nothing depends on."""

import re

UNKNOWN = "an unknown browser"
# The first that fits: most browsers name those too that they want to be taken for.
BROWSERS = (
    (r"\bEdg(?:e|A|iOS)?/", "Edge"),
    (r"\b(?:OPR|OPT|OPiOS)/|\bOpera\b", "Opera"),
    (r"\bVivaldi/", "Vivaldi"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\b(?:Firefox|FxiOS)/", "Firefox"),
    (r"\b(?:Headless)?Chrom(?:e|ium)/|\bCriOS/", "Chrome"),
    (r"\bVersion/[\d.]+ .*\bSafari/", "Safari"),
    (r"\b(?:curl|Wget)/", "a command line"),
    (r"\b(?:python-requests|python-httpx|aiohttp|Go-http-client|okhttp|node)\b", "a script"),
)
SYSTEMS = (
    (r"\biPhone\b", "iPhone"),
    (r"\biPad\b", "iPad"),
    (r"\bAndroid\b", "Android"),
    (r"\bWindows\b", "Windows"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bMac(?:intosh| OS X)\b", "macOS"),
    (r"\bLinux\b|\bX11\b", "Linux"),
)


def in_words(agent: str) -> str:
    """Firefox on Windows; as much of it as can be told."""
    browser = next((name for pattern, name in BROWSERS if re.search(pattern, agent)), UNKNOWN)
    system = next((name for pattern, name in SYSTEMS if re.search(pattern, agent)), "")
    return f"{browser} on {system}" if system else browser
