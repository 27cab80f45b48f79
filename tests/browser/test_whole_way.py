"""The whole way of a report: match, form, receipt, review, the guide's counts, and the notices."""

import json
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from standardwebhooks import Webhook

from tests.browser.test_reports import from_match_to_receipt
from tests.notices.receivers import Receiver

pytestmark = pytest.mark.browser

GUIDE = "/errors/litellm/budget-exceeded-key/"
MAKE = """
from django.contrib.auth.models import Group, User
from kb.evidence.models import EvidenceReport
from kb.guides.models import Guide
from kb.notices.models import Subscription
guide = Guide.objects.get(slug="budget-exceeded-key")
EvidenceReport.objects.filter(guide=guide).delete()
guide.compose()
user, _ = User.objects.get_or_create(username="whole")
user.set_password("a long enough word")
user.save()
user.groups.add(Group.objects.get(name="Reviewers"))
Subscription.objects.all().delete()
print(Subscription.objects.create(
    name="whole way", kind="webhook", address="{url}", events=["report.new", "report.decided"]
).secret)
"""


def on_the_way(page: Page, story: str, on_site: Callable[[str], str]) -> None:
    """From the pasted error to the counts on the guide, with both notices received."""
    with Receiver() as receiver:
        secret = on_site(MAKE.replace("{url}", receiver.url)).strip()
        from_match_to_receipt(page, story)
        receipt = page.url
        page.goto(GUIDE)
        expect(page.get_by_text(story)).to_have_count(0)

        page.goto("/review/?guide=litellm/budget-exceeded-key")
        page.get_by_label("User name").fill("whole")
        page.get_by_label("Password").fill("a long enough word")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.locator("[data-row] h3 a").first.click()
        expect(page.get_by_text(story)).to_be_visible()
        page.get_by_role("radio", name="Accept").check()
        page.get_by_role("button", name="Decide").click()
        expect(page.get_by_role("status").filter(has_text="is accepted")).to_be_visible()

        page.context.clear_cookies()
        page.goto(receipt)
        expect(page.get_by_text(re.compile("accepted")).first).to_be_visible()
        page.goto(GUIDE)
        reported = page.locator('section[aria-labelledby="reported"]')
        expect(reported.get_by_text(story)).to_be_visible()
        expect(reported.get_by_text("1 reader reported")).to_be_visible()

        for _ in range(2):
            assert receiver.arrived.acquire(timeout=60), receiver.got
        told = [Webhook(secret).verify(got.body, got.headers) for got in receiver.got]
        assert [notice["type"] for notice in told] == ["report.new", "report.decided"]
        assert "sk-" not in json.dumps(told)


def test_a_report_goes_the_whole_way(strict_page: Page, on_site: Callable[[str], str]) -> None:
    on_the_way(strict_page, "The whole way with scripts.", on_site)


def test_a_report_goes_the_whole_way_without_javascript(
    without_javascript: Page, on_site: Callable[[str], str]
) -> None:
    on_the_way(without_javascript, "The whole way without scripts.", on_site)
