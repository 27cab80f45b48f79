"""What accepted reports do to a guide's page, in a real browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser
GUIDE = "/errors/litellm/llm-timeout/"
REPORTS = f"{GUIDE}reports/"
MAKE = """
from django.contrib.auth.models import User
from django.db import transaction
from kb.evidence.models import EvidenceReport, State
from kb.evidence.moderation import decide
from kb.guides.models import Guide
guide = Guide.objects.select_related("tool").get(slug="llm-timeout")
places = ("docker", "kubernetes", "pip", "hosted", "other", "")
versions = ("1.84.0", "1.108.7", "1.110.2", "")
with transaction.atomic():
    EvidenceReport.objects.filter(guide=guide).delete()
    for number in range(24):
        found = EvidenceReport.objects.create(
            guide=guide, tool=guide.tool, form=f"shown-{number}",
            state=State.ACCEPTED if number < 23 else State.PENDING,
            version=versions[number % 4], deployment=places[number % 6], store="postgresql", cache="redis",
            fits=("same", "different", "")[number % 3], fix=guide.fixes.last().key, helped="yes",
            text="litellm.Timeout: it took too long", link="https://threads.example/" + "long" * 90,
            story=f"Story {number} <b>plain</b> " + "one-word-without-a-space" * 20,
        )
    decide(found, State.ACCEPTED, "", User.objects.get_or_create(username="decider")[0], 0)
"""


@pytest.fixture(scope="module", autouse=True)
def _told(on_site: Callable[[str], str]) -> None:
    """24 accepted reports on one guide of the running site."""
    on_site(MAKE)


@pytest.fixture
def told(strict_page: Page) -> Page:
    """The guide, once its page has the reports; a worker believes its copy for a quarter of a second."""
    seen = strict_page.get_by_text("24 readers reported")
    strict_page.goto(GUIDE)
    for _ in range(50):
        if not seen.count():
            strict_page.reload()
    expect(seen).to_be_visible()
    return strict_page


def test_the_contents_lead_to_the_section(told: Page) -> None:
    told.set_viewport_size({"width": 1280, "height": 900})
    told.locator("nav.toc").get_by_role("link", name="What readers reported").click()
    expect(told.get_by_role("heading", name="What readers reported")).to_be_in_viewport()
    expect(told.get_by_role("table").filter(has_text="Docker")).to_be_visible()


def test_from_a_guide_to_all_its_reports_and_back_to_a_fix(told: Page) -> None:
    told.get_by_role("link", name="All 24 reports").click()
    expect(told).to_have_url(re.compile(f"{REPORTS}$"))
    told.locator("li.report details").first.locator("summary").click()
    expect(told.get_by_text("litellm.Timeout: it took too long").first).to_be_visible()
    told.get_by_role("link", name="Next").click()
    expect(told.locator("li.report")).to_have_count(4)
    told.locator("li.report .ties a").first.click()
    expect(told).to_have_url(re.compile(f"{GUIDE}#"))


def test_a_choice_filters_at_once_and_stands_in_the_url(told: Page) -> None:
    told.goto(REPORTS)
    told.get_by_label("Outcome").select_option("different")
    expect(told.get_by_role("heading", name="8 reports")).to_be_visible()
    expect(told).to_have_url(re.compile(r"\?outcome=different$"))
    told.reload()
    expect(told.get_by_role("heading", name="8 reports")).to_be_visible()


def test_filters_work_without_javascript(told: Page, without_javascript: Page) -> None:
    without_javascript.goto(REPORTS)
    without_javascript.get_by_label("Version").select_option("1.84.0")
    without_javascript.get_by_role("button", name="Filter").click()
    expect(without_javascript.get_by_role("heading", name="6 reports")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", [GUIDE, REPORTS, f"{REPORTS}?version=nonsense"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    told: Page, path: str, scheme: Any, width: int
) -> None:
    told.set_viewport_size({"width": width, "height": 800})
    told.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    told.goto(path)
    assert violations(told) == []
    assert told.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_the_table_scrolls_inside_and_by_keys(told: Page) -> None:
    told.set_viewport_size({"width": 320, "height": 800})
    box = told.get_by_role("region", name="Where it was seen")
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    box.focus()
    told.keyboard.press("ArrowRight")
    told.wait_for_function("e => e.scrollLeft > 0", arg=box.element_handle())
    assert box.evaluate("e => e.scrollLeft > 0")


def test_it_prints_what_was_told_and_no_buttons(told: Page) -> None:
    told.emulate_media(media="print")
    section = told.locator('section[aria-labelledby="reported"]')
    expect(section.get_by_text("24 readers reported")).to_be_visible()
    expect(section.get_by_role("link", name="Report what you saw")).to_be_hidden()
