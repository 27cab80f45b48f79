"""A reviewer's work: signing in, the queue by keys and by mouse, decisions, and what goes wrong."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser

PASSWORD = "a long enough word"
QUEUE = "/review/?guide=litellm/budget-exceeded-key"
MAKE = """
import json
from datetime import timedelta
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from kb.evidence.models import EvidenceReport
from kb.guides.models import Guide
user, made = User.objects.get_or_create(username="rita")
if made:
    user.set_password("a long enough word")
    user.save()
    user.groups.add(Group.objects.get(name="Reviewers"))
guide = Guide.objects.select_related("tool").get(slug="budget-exceeded-key")
EvidenceReport.objects.filter(guide=guide).delete()
browser = Client()
browser.force_login(user)
keys = [
    EvidenceReport.objects.create(
        guide=guide, tool=guide.tool, form=f"review-{number}", version="1.84.0", deployment="docker",
        created=timezone.now() - timedelta(hours=9 - number), fits="different", fix=guide.fixes.first().key,
        helped="no", story=f"Story {number} <b>plain</b> " + "one-word-without-a-space" * 12,
        text="Budget has been exceeded! Current cost: 2.5, Max budget: 2.0 " + "x" * 300,
        fingerprint="v1:0123456789abcdef", link="https://threads.example/" + "long" * 40,
        removed={"api_key": 1},
    ).pk
    for number in range(1, 5)
]
print(json.dumps({"session": browser.cookies["sessionid"].value, "keys": keys}))
"""
DECIDE = """
from django.contrib.auth.models import User
from kb.evidence.models import EvidenceReport, State
from kb.evidence.moderation import decide
otto, _ = User.objects.get_or_create(username="otto")
report = EvidenceReport.objects.get(pk="{key}")
decide(report, State.REJECTED, "About another gateway.", otto, report.revision)
"""
STATES = """
import json
from kb.evidence.models import EvidenceReport
rows = EvidenceReport.objects.filter(guide__slug="budget-exceeded-key").order_by("created")
print(json.dumps(list(rows.values_list("state", flat=True))))
"""


@dataclass
class Desk:
    """Four reports that wait, the oldest first, and a way to the running site's database."""

    keys: list[str]
    session: str
    on_site: Callable[[str], str]

    def sign_in(self, page: Page) -> None:
        """A session for the page's browser, without its form."""
        page.context.add_cookies(
            [{"name": "sessionid", "value": self.session, "domain": "127.0.0.1", "path": "/"}]
        )

    def page_of(self, number: int) -> str:
        """The address of the report with that story."""
        return f"/review/{self.keys[number - 1]}/?guide=litellm/budget-exceeded-key"

    def states(self) -> Any:
        """The states of the four, the oldest first."""
        return json.loads(self.on_site(STATES))


@pytest.fixture
def desk(on_site: Callable[[str], str]) -> Desk:
    return Desk(**json.loads(on_site(MAKE)), on_site=on_site)


def fill_in(page: Page) -> None:
    """Fills the sign-in form and sends it."""
    page.get_by_label("User name").fill("rita")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def row_with_focus(page: Page) -> str:
    """The beginning of the story of the row that has the focus."""
    return page.locator("[data-row]:focus-within .story").inner_text()[:7]


def test_from_sign_in_over_the_queue_to_the_next_report_by_keys(strict_page: Page, desk: Desk) -> None:
    page = strict_page
    page.goto(QUEUE)
    expect(page).to_have_url(re.compile("/sign-in/"))
    fill_in(page)
    expect(page).to_have_url(re.compile("/review/"))
    expect(page.get_by_text("Signed in as rita")).to_be_visible()
    expect(page.get_by_role("heading", name="4 reports, the oldest first")).to_be_visible()
    page.keyboard.press("j")
    assert row_with_focus(page) == "Story 1"
    page.keyboard.press("ArrowDown")
    assert row_with_focus(page) == "Story 2"
    page.keyboard.press("k")
    assert row_with_focus(page) == "Story 1"
    page.keyboard.press("x")
    expect(page.locator("[data-row] input:checked")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Story 1 <b>plain</b>")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_role("status").filter(has_text="is accepted")).to_be_visible()
    expect(page.get_by_text("Story 2 <b>plain</b>")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_text("Story 3 <b>plain</b>")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_text("Story 2 <b>plain</b>")).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_role("radio", name="Reject")).to_be_checked()
    page.keyboard.type("a rejection, just so")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="is rejected")).to_be_visible()
    page.keyboard.press("u")
    expect(page.get_by_role("heading", name="2 reports, the oldest first")).to_be_visible()
    assert desk.states() == ["accepted", "rejected", "pending", "pending"]


def test_the_same_without_javascript(without_javascript: Page, desk: Desk) -> None:
    page = without_javascript
    desk.sign_in(page)
    page.goto(QUEUE)
    expect(page.get_by_text("Keys on this page")).to_be_hidden()
    page.locator("[data-row] h3 a").first.click()
    page.get_by_role("radio", name="Accept").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("status").filter(has_text="is accepted")).to_be_visible()
    expect(page.get_by_text("Story 2 <b>plain</b>")).to_be_visible()
    page.get_by_role("radio", name="Reject").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("alert")).to_contain_text("Say why it is rejected")
    expect(page.get_by_label("Reject")).to_be_checked()
    page.get_by_label("Reason").fill("Not this error.")
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Story 3 <b>plain</b>")).to_be_visible()
    page.get_by_role("link", name="Review").last.click()
    page.get_by_role("checkbox", name=re.compile("Tick the report")).first.check()
    page.get_by_role("radio", name="Accept").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("status").filter(has_text="1 report is accepted now.")).to_be_visible()
    assert desk.states() == ["accepted", "rejected", "accepted", "pending"]
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Signed in as")).to_have_count(0)


def test_keys_decide_on_ticked_rows(strict_page: Page, desk: Desk) -> None:
    page = strict_page
    desk.sign_in(page)
    page.goto(QUEUE)
    for key in ("j", "x", "j", "x", "r"):
        page.keyboard.press(key)
    page.keyboard.type("Both are about another gateway.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="2 reports are rejected now.")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("status").filter(has_text="1 report is accepted now.")).to_be_visible()
    assert desk.states() == ["rejected", "rejected", "accepted", "pending"]


def test_rejecting_many_needs_a_reason_and_keeps_the_ticks(strict_page: Page, desk: Desk) -> None:
    page = strict_page
    desk.sign_in(page)
    page.goto(QUEUE)
    page.get_by_role("checkbox", name=re.compile("Tick the report")).first.check()
    page.get_by_role("radio", name="Reject").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("alert").filter(has_text="Say why it is rejected")).to_be_visible()
    expect(page.locator("[data-row] input:checked")).to_have_count(1)
    assert violations(page) == []


def test_keys_are_shown_and_can_be_switched_off(strict_page: Page, desk: Desk) -> None:
    page = strict_page
    desk.sign_in(page)
    page.goto(desk.page_of(1))
    page.keyboard.press("?")
    expect(page.get_by_text("back to the list")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Use these keys in this browser").uncheck()
    page.reload()
    page.keyboard.press("?")
    page.keyboard.press("r")
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_role("radio", name="Reject")).not_to_be_checked()
    expect(page.get_by_text("back to the list")).to_be_hidden()
    expect(page.get_by_text("Story 1 <b>plain</b>")).to_be_visible()
    assert desk.states() == ["pending"] * 4


def test_keys_that_are_typed_into_a_field_decide_nothing(strict_page: Page, desk: Desk) -> None:
    page = strict_page
    desk.sign_in(page)
    page.goto(desk.page_of(1))
    page.get_by_label("Reason").fill("")
    page.keyboard.type("a r u j k x ?")
    expect(page.get_by_label("Reason")).to_have_value("a r u j k x ?")
    page.keyboard.press("Control+a")
    expect(page.get_by_text("Story 1 <b>plain</b>")).to_be_visible()
    assert desk.states() == ["pending"] * 4


def test_who_comes_too_late_sees_what_happened(strict_page: Page, desk: Desk) -> None:
    page = strict_page
    desk.sign_in(page)
    page.goto(desk.page_of(1))
    page.get_by_role("radio", name="Accept").check()
    page.get_by_label("Reason").fill("It fits well.")
    desk.on_site(DECIDE.format(key=desk.keys[0]))
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("heading", name="Somebody was here before you")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("Rejected by otto")
    expect(page.get_by_role("alert")).to_contain_text("About another gateway.")
    expect(page.get_by_label("Reason")).to_have_value("It fits well.")
    assert violations(page) == []
    page.get_by_role("radio", name="Accept").check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_role("status").filter(has_text="is accepted")).to_be_visible()
    assert desk.states()[0] == "accepted"


def test_words_that_were_missed_are_removed(strict_page: Page, desk: Desk) -> None:
    page = strict_page
    desk.sign_in(page)
    page.goto(desk.page_of(1))
    page.get_by_text("Remove words").click()
    page.get_by_label("Words, exactly as they stand").fill("Current cost: 2.5")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Budget has been exceeded! <removed>, Max")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="1 passage removed")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(strict_page: Page, desk: Desk, scheme: Any) -> None:
    page = strict_page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto("/sign-in/")
    assert violations(page) == []
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Give your password.")).to_be_visible()
    assert violations(page) == []
    desk.sign_in(page)
    for path in (QUEUE, "/review/?state=superseded", "/review/?state=nonsense", desk.page_of(1)):
        page.goto(path)
        assert violations(page) == [], path


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_no_page_scrolls_sideways(strict_page: Page, desk: Desk, width: int) -> None:
    page = strict_page
    page.set_viewport_size({"width": width, "height": 800})
    desk.sign_in(page)
    for path in ("/sign-in/", QUEUE, "/review/?state=all", desk.page_of(1)):
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} wide at {width}"
