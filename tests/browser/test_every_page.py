"""What must hold of every page: nothing for axe to find, no sideways scrolling, small."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

PAGES = {
    "home": "/",
    "browse": "/errors/",
    "browse with filters": "/errors/?hop=budget&q=key",
    "browse without results": "/errors/?q=quokka",
    "browse with a wrong filter": "/errors/?hop=nonsense",
    "founding guide": "/errors/litellm/budget-exceeded-key-stale-spend/",
    "another guide": "/errors/litellm/llm-timeout/",
    "category": "/categories/quota-rate/",
    "coverage": "/coverage/litellm/",
    "coverage of an area": "/coverage/litellm/?area=proxy/auth",
    "what changed": "/coverage/litellm/changes/",
    "what was reworded": "/coverage/litellm/changes/?from=1.84.0&show=reworded",
    "what cannot be compared": "/coverage/litellm/changes/?from=1.84.0&to=1.84.0",
    "match": "/match/",
    "check": "/check/",
    "report": "/errors/litellm/budget-exceeded-key-stale-spend/report/",
    "report something unknown": "/report/",
    "search": "/search/?q=budget",
    "search without results": "/search/?q=quokka",
    "not found": "/errors/litellm/budget-exceded-key/",
}
TEXTS = {
    "a match": '{"error":{"message":"Budget has been exceeded! Current cost: 2.5, Max budget: 2.0"}}',
    "no match": "Error: redis told a joke that nobody recorded",
    "a name that is none": "litellm.LiteLLMCostTrackingBudgetExceededError: redis told a joke",
    "a secret": "litellm.Timeout: api_key=sk-proj-" + "Zq8" * 12,
}


def violations(page: Page) -> list[str]:
    """What axe finds, one line each."""
    found: list[Any] = Axe().run(page).response["violations"]
    return [f"{row['id']}: {[node['html'][:120] for node in row['nodes'][:3]]}" for row in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", list(PAGES))
def test_axe_finds_nothing(strict_page: Page, name: str, scheme: Any) -> None:
    strict_page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    strict_page.goto(PAGES[name])
    assert violations(strict_page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", list(TEXTS))
def test_axe_finds_nothing_on_a_result(strict_page: Page, name: str, scheme: Any) -> None:
    strict_page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    strict_page.goto("/match/")
    strict_page.locator('form[action="/match/"] textarea').first.fill(TEXTS[name])
    strict_page.locator('form[action="/match/"] button[type=submit]').first.click()
    expect(strict_page.get_by_text(re.compile("v1:[0-9a-f]{16}")).first).to_be_visible()
    assert violations(strict_page) == []


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_no_page_scrolls_sideways(strict_page: Page, width: int) -> None:
    strict_page.set_viewport_size({"width": width, "height": 800})
    for name, url in PAGES.items():
        strict_page.goto(url)
        wide = strict_page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} wide at {width}"


def test_every_page_has_one_main_heading_and_a_title(strict_page: Page) -> None:
    titles = set()
    for name, url in PAGES.items():
        strict_page.goto(url)
        assert strict_page.locator("h1").count() == 1, name
        titles.add(strict_page.title())
    assert len(titles) >= 8


def test_a_page_is_small_but_for_its_text(strict_page: Page) -> None:
    sizes: dict[str, int] = {}
    strict_page.on(
        "response",
        lambda answer: sizes.update({answer.url: int(answer.headers.get("content-length", 0))}),
    )
    strict_page.goto("/", wait_until="networkidle")
    assert 0 < sum(sizes.values()) <= 60_000, sizes


def test_nothing_moves_for_readers_who_asked_for_rest(strict_page: Page) -> None:
    strict_page.emulate_media(reduced_motion="reduce")
    strict_page.goto("/errors/litellm/budget-exceeded-key-stale-spend/")
    moving = strict_page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(e => {
            const s = getComputedStyle(e);
            return [s.transitionDuration, s.animationDuration].some(d => parseFloat(d) > 0.01);
        }).length"""
    )
    assert moving == 0


def test_focus_is_always_visible(strict_page: Page) -> None:
    strict_page.goto("/")
    for _ in range(12):
        strict_page.keyboard.press("Tab")
        seen = strict_page.evaluate(
            """() => { const s = getComputedStyle(document.activeElement);
                const outlined = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
                return outlined || s.boxShadow !== 'none' || document.activeElement.tagName }"""
        )
        assert seen is True, seen
