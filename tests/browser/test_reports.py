"""What a reader does who reports: from a match to the form, its drafts and the receipt."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import ROOT, free_port, wait_for
from tests.browser.test_every_page import violations
from tests.browser.test_journeys import ERROR, SECRET, paste

pytestmark = pytest.mark.browser
AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
FORM = "/errors/litellm/budget-exceeded-key/report/"
OTHER = "/errors/litellm/llm-timeout/report/"
UNDER_THREE_SECONDS = re.compile("quicker than a person types")
DUMP = """
from django.db import connection
with connection.cursor() as cursor:
    for name in connection.introspection.table_names(cursor):
        cursor.execute(f'SELECT * FROM "{name}"')
        print(cursor.fetchall())
"""


def send(page: Page) -> None:
    """Sends the form, as often as it says that this was too quick for a person."""
    for _ in range(60):
        with page.expect_navigation(timeout=60_000):
            page.get_by_role("button", name="Send the report").click()
        if not page.get_by_text(UNDER_THREE_SECONDS).count():
            return
    raise AssertionError("the form stays too quick")


def from_match_to_receipt(page: Page, story: str) -> None:
    """The journey: paste, say that it is to be reported, fill in, send, read the receipt."""
    page.goto("/")
    paste(page, f"{ERROR} for {SECRET}")
    page.get_by_role("button", name="Report this as evidence").click()
    expect(page).to_have_url(re.compile(FORM))
    expect(page.locator("#id_text")).to_have_value(re.compile("Budget has been exceeded!"))
    expect(page.locator("#id_text")).to_have_value(re.compile("<api_key>"))
    page.get_by_label("as the guide says").check()
    page.locator("#id_story").fill(story)
    page.locator("#id_version").fill("v1.84.0")
    page.locator("#id_deployment").select_option("docker")
    page.locator("#id_fix").select_option(index=1)
    page.locator("#id_helped").select_option("yes")
    send(page)
    expect(page).to_have_url(re.compile(r"/reports/[\w-]+/$"))
    expect(page.locator("h1")).to_have_text("Your report waits for review")
    for words in ("1.84.0", "Docker", "as the guide says", re.compile(r"Removed .* \d API keys?\.")):
        expect(page.locator("main").get_by_text(words).first).to_be_visible()
    expect(page.locator("main .plain_text")).to_have_text(story.replace(SECRET, "<api_key>"))


def test_from_a_match_to_the_receipt(strict_page: Page) -> None:
    from_match_to_receipt(strict_page, "With scripts.")
    assert violations(strict_page) == []
    assert strict_page.evaluate("Object.keys(localStorage)") == []
    receipt = strict_page.url
    strict_page.reload()
    assert strict_page.url == receipt


def test_the_same_without_javascript(without_javascript: Page) -> None:
    from_match_to_receipt(without_javascript, f"Without scripts, my key is {SECRET}")


def test_what_nothing_fits_is_reported_as_unknown(strict_page: Page) -> None:
    strict_page.goto("/match/")
    paste(strict_page, "Error: redis told a joke that nobody recorded")
    strict_page.get_by_role("button", name="Report this as evidence").click()
    expect(strict_page).to_have_url(re.compile("/report/$"))
    expect(strict_page.locator("#id_text")).to_have_value(re.compile("redis told a joke"))
    send(strict_page)
    expect(strict_page.get_by_text("something unknown in LiteLLM")).to_be_visible()


def test_a_form_that_is_refused_says_what_to_do_and_keeps_everything(strict_page: Page) -> None:
    page = strict_page
    page.goto(FORM)
    page.locator("#id_story").fill("kept words")
    page.locator("#id_link").fill("https://user:hunter2@threads.example/")
    page.locator("#id_fix").select_option(index=1)
    send(page)
    expect(page.locator("[data-wrong]:focus")).to_contain_text("Nothing was sent yet.")
    expect(page.locator("#id_link[aria-invalid]")).not_to_have_value(re.compile("hunter2"))
    expect(page.locator("#id_story")).to_have_value("kept words")
    page.get_by_role("link", name="Did it help?").click()
    expect(page.locator("#id_helped:focus, #id_helped:target")).to_be_visible()
    assert page.title().startswith("Error: ")
    assert violations(page) == []
    expect(page.locator("[data-unfinished]")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_draft_is_kept_and_gone_on_with(strict_page: Page, without_javascript: Page, scripts: bool) -> None:
    page = strict_page if scripts else without_javascript
    page.goto(OTHER)
    page.locator("#id_story").fill(f"Half a story, with scripts: {scripts}.")
    page.locator("#id_cache").select_option("redis")
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page).to_have_url(re.compile(r"/reports/drafts/[\w-]+/$"))
    expect(page.get_by_text("This is a draft.")).to_be_visible()
    draft = page.url
    page.goto("/")
    page.goto(draft)
    expect(page.locator("#id_story")).to_have_value(re.compile("Half a story"))
    expect(page.locator("#id_cache")).to_have_value("redis")
    if scripts:
        assert violations(page) == []
    send(page)
    expect(page.locator("h1")).to_have_text("Your report waits for review")
    page.goto(draft)
    expect(page.locator("h1")).to_have_text("No such page")


def test_an_unfinished_report_survives_a_crash_of_the_browser(strict_page: Page) -> None:
    page = strict_page
    page.goto(OTHER)
    page.locator("#id_story").fill(f"Not yet sent, {SECRET}")
    page.get_by_label("differently").check()
    page.goto(FORM)
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "Not yet sent" in kept
    assert SECRET not in kept
    expect(page.locator("[data-unfinished]")).to_be_hidden()
    page.goto(OTHER)
    expect(
        page.get_by_text(re.compile(r"An unfinished report from .*\d\d.* is in this browser"))
    ).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Restore it").click()
    expect(page.locator("#id_story")).to_have_value("Not yet sent, <api_key>")
    expect(page.get_by_label("differently")).to_be_checked()
    page.goto(OTHER)
    page.get_by_role("button", name="Discard it").click()
    assert page.evaluate("Object.keys(localStorage)") == []
    page.goto(OTHER)
    expect(page.locator("[data-unfinished]")).to_be_hidden()


def test_a_key_typed_into_any_field_leaves_the_browser_nowhere(
    strict_page: Page, on_site: Callable[[str], str]
) -> None:
    page, sent = strict_page, []

    def note(request: Request) -> None:
        sent.append(f"{request.url} {request.post_data or ''}")

    page.on("request", note)
    page.goto(FORM)
    for field in ("text", "story", "version"):
        page.locator(f"#id_{field}").fill(f"1.84.0, my key={SECRET} and {AWS_SECRET}")
    page.locator("#id_link").fill(f"https://threads.example/?key={SECRET}")
    send(page)
    page.locator("#id_link").fill("https://threads.example/")
    send(page)
    expect(page.locator("h1")).to_have_text("Your report waits for review")
    held = on_site(DUMP)
    assert "my key=<api_key>" in held
    for text in (*sent, page.content(), held, page.evaluate("JSON.stringify(localStorage)")):
        assert SECRET not in text
        assert AWS_SECRET not in text
    assert len(sent) > 2


def test_the_same_without_javascript_leaves_it_nowhere_on_the_site(
    without_javascript: Page, on_site: Callable[[str], str]
) -> None:
    page = without_javascript
    page.goto(FORM)
    for field in ("text", "story", "version"):
        page.locator(f"#id_{field}").fill(f"1.84.0, another key={SECRET}")
    send(page)
    expect(page.locator("h1")).to_have_text("Your report waits for review")
    held = on_site(DUMP)
    assert "another key=<api_key>" in held
    assert SECRET not in held
    assert SECRET not in page.content()


def test_with_keys_alone(strict_page: Page) -> None:
    page = strict_page
    page.goto(FORM)
    page.locator("#id_text").focus()
    page.keyboard.type("Budget has been exceeded! With keys alone.")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(page.locator('input[name="fits"]:checked')).to_be_focused()
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.textContent"))
    assert "subject" not in reached
    wanted = ["story", "fix", "helped", "version", "deployment", "pods", "store", "cache", "link", "do", "do"]
    assert [name for name in reached if name in wanted][: len(wanted)] == wanted


@pytest.fixture(scope="module")
def puzzled_url(site_environment: dict[str, str], base_url: str) -> Iterator[str]:
    """The same site served by another process, which asks for a proof of work."""
    port = free_port()
    environment = {**site_environment, "PORT": str(port), "CULPRIT_ALTCHA": "1"}
    server = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--no-worker"], cwd=ROOT, env=environment
    )
    try:
        wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_where_the_site_asks_for_it_the_browser_works_out_a_proof(
    strict_page: Page, puzzled_url: str
) -> None:
    page = strict_page
    page.goto(puzzled_url + FORM)
    page.locator("#id_story").fill("Proved to be no robot.")
    expect(page.get_by_text("The proof that you are no robot is ready.")).to_be_visible(timeout=60_000)
    assert violations(page) == []
    send(page)
    expect(page.locator("h1")).to_have_text("Your report waits for review")


def test_who_sends_before_the_proof_is_ready_sends_when_it_is(strict_page: Page, puzzled_url: str) -> None:
    page = strict_page
    page.goto(puzzled_url + FORM)
    page.evaluate("document.querySelector('#id_story').value = 'In a hurry.'")
    page.get_by_role("button", name="Send the report").click()
    expect(page.get_by_text(UNDER_THREE_SECONDS).or_(page.get_by_text("waits for review"))).to_be_visible(
        timeout=60_000
    )
    assert not page.get_by_text("missing or wrong").count()


def test_without_javascript_the_form_says_that_it_needs_it_and_keeps_drafts(
    without_javascript: Page, puzzled_url: str
) -> None:
    page = without_javascript
    page.goto(puzzled_url + FORM)
    expect(page.get_by_text("This form needs JavaScript.")).to_be_visible()
    page.locator("#id_story").fill("kept words")
    send(page)
    expect(page.get_by_text("The proof that keeps robots out is missing or wrong.")).to_be_visible()
    page.get_by_role("button", name="Keep as a draft").click()
    expect(page.locator("#id_story")).to_have_value("kept words")
    expect(page.get_by_text("This is a draft.")).to_be_visible()
