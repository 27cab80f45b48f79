"""What browsers say of themselves, in words."""

import pytest

from kb.team.browsers import in_words

MOZILLA = "Mozilla/5.0"
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (f"{MOZILLA} (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox on Linux"),
        (
            f"{MOZILLA} (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            f"{MOZILLA} (Windows NT 10.0) {WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Edge on Windows",
        ),
        (
            f"{MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.1 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT} Version/18.1 Mobile Safari/604.1",
            "Safari on iPhone",
        ),
        (
            f"{MOZILLA} (iPhone; CPU iPhone OS 18_1 like Mac OS X) {WEBKIT} CriOS/131.0 Mobile",
            "Chrome on iPhone",
        ),
        (f"{MOZILLA} (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0", "Firefox on Android"),
        (
            f"{MOZILLA} (Linux; Android 14) {WEBKIT} SamsungBrowser/26.0 Chrome/122.0 Mobile",
            "Samsung Internet on Android",
        ),
        (f"{MOZILLA} (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/131.0 Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.5.0", "a command line"),
        ("python-requests/2.32", "a script"),
        ("", "an unknown browser"),
        ("<script>alert(1)</script>", "an unknown browser"),
        ("Macaroni on Xerox", "an unknown browser"),
    ],
)
def test_a_browser_and_its_system(agent: str, words: str) -> None:
    assert in_words(agent) == words
