"""From a text that nothing fits to the draft of a guide, in a real browser: on a phone, in the dark."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser
TEXT = (
    "09:14:22 - LiteLLM Proxy:ERROR: Only proxy admins may ever set disable_global_guardrails on a key, not 7"
)


@pytest.fixture
def desk(strict_page: Page, editor_cookie: Callable[[str], Any]) -> Page:
    """The editor's browser."""
    strict_page.context.add_cookies([editor_cookie("uma-editor")])
    return strict_page


def sound(page: Page) -> None:
    """Nothing that axe finds, and no sideways scroll on a phone."""
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_pasted_text_becomes_the_draft_of_a_guide(desk: Page, scheme: Any) -> None:
    desk.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    desk.goto("/match/")
    desk.get_by_label("The error text").fill(TEXT)
    desk.get_by_role("button", name="Find the culprit").click()
    similar = desk.get_by_role("region", name="Similar, not a match")
    expect(similar.locator("mark").first).to_contain_text("disable global guardrails")
    sound(desk)
    desk.goto("/unmatched/?q=disable_global_guardrails")
    expect(desk.get_by_text("disable_global_guardrails").first).to_be_visible()
    sound(desk)
    desk.get_by_role("link", name="Write this guide").first.click()
    expect(desk.get_by_role("region", name="What the draft begins with")).to_contain_text("only proxy admins")
    sound(desk)
    desk.get_by_label("Name").fill(f"guardrails-of-a-key-{scheme}")
    desk.get_by_role("button", name="Begin the draft").click()
    expect(desk.get_by_label("Signatures", exact=True)).to_have_value(re.compile("only proxy admins"))
