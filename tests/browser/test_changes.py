"""Two releases held against each other: choosing them, with and without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
URL = "/coverage/litellm/changes/"


def test_a_choice_compares_at_once_and_stands_in_the_url(strict_page: Page) -> None:
    page = strict_page
    page.goto(URL)
    page.get_by_label("From", exact=True).select_option("1.72.6")
    expect(page.get_by_role("heading", name=re.compile(r"^1\.72\.6 to "))).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?from=1\.72\.6&to=[\d.]+$"))
    page.get_by_label("To", exact=True).select_option("1.72.6")
    expect(page.get_by_text("1.72.6 is on both sides.")).to_be_visible()
    page.get_by_label("To", exact=True).select_option("1.84.0")
    expect(page.get_by_role("heading", name=re.compile(r"^1\.72\.6 to 1\.84\.0: \d+ new"))).to_be_visible()
    page.get_by_label("Words", exact=True).fill("quokka")
    expect(page.get_by_role("heading", name=re.compile("passes these filters"))).to_be_visible()
    expect(page).to_have_url(re.compile("q=quokka"))


def test_two_releases_are_compared_without_javascript(without_javascript: Page) -> None:
    page = without_javascript
    page.goto(URL)
    page.get_by_label("From", exact=True).select_option("1.84.0")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name=re.compile(r"^1\.84\.0 to "))).to_be_visible()
    page.get_by_role("link", name=re.compile(r"All \d+ that are new")).click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text(re.compile("Page 2 of"))).to_be_visible()
    expect(page.get_by_label("From", exact=True)).to_have_value("1.84.0")
