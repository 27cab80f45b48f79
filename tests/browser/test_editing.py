"""Editing in the browser: preview, a second reader, publishing, history; with script and without."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser

GUIDE = "/errors/litellm/llm-timeout/"
EDIT = f"{GUIDE}edit/"
HISTORY = f"{GUIDE}history/"
NO_DRAFTS = "from kb.team.models import Draft; Draft.objects.all().delete()"


@pytest.fixture
def people(
    on_site: Callable[[str], str], editor_cookie: Callable[[str], Any]
) -> Callable[[BrowserContext, str], None]:
    """Signs a browser in as an editor; nobody has a draft."""
    on_site(NO_DRAFTS)

    def sign_in(context: BrowserContext, name: str) -> None:
        context.add_cookies([editor_cookie(name)])

    return sign_in


@pytest.fixture
def desk(page: Page) -> Iterator[Page]:
    """A page on which no script fails; requests that a click on a link cut short are no failure."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    expected = (
        "htmx:afterRequest",
        "htmx:sendAbort",
        "htmx:sendError",
        "Failed to load resource: the server",
    )
    assert [line for line in said if not line.startswith(expected)] == []


def journey(author: Page, reader: Page, word: str, script: bool) -> None:
    """From the guide's page to a published change and back again."""
    author.goto(GUIDE)
    author.get_by_role("link", name="Edit", exact=True).click()
    summary = author.get_by_label("Summary")
    before = summary.input_value()
    summary.fill(f"{before} {word}.")
    if not script:
        author.get_by_role("button", name="Preview").click()
    expect(author.locator(".preview .lead")).to_contain_text(word)
    if not script:
        author.get_by_role("button", name="Check").click()
    expect(author.get_by_text("Nothing is wrong:")).to_be_visible()
    author.get_by_label("What changed, and why").fill(f"Added {word}")
    author.get_by_role("button", name="Ask for a second reader").click()
    expect(author.get_by_text("It waits for a second reader now.")).to_be_visible()

    reader.goto("/drafts/")
    waiting = reader.get_by_role("region", name="Waiting for a second reader")
    expect(waiting).to_contain_text(f"Added {word}")
    waiting.get_by_role("link").first.click()
    expect(reader.locator("ins", has_text=word)).to_be_visible()
    reader.get_by_role("button", name="Publish it").click()
    expect(reader.get_by_text("It is published.")).to_be_visible()
    expect(reader.get_by_text("read by sven").first).to_be_visible()
    expect(reader.locator("ins", has_text=word)).to_be_visible()
    reader.goto(GUIDE)
    expect(reader.locator(".lead").first).to_contain_text(word)

    author.goto(HISTORY)
    author.get_by_role("button", name=re.compile("Bring this back")).first.click()
    expect(author.get_by_text("Nothing is published yet.")).to_be_visible()
    expect(author.get_by_label("Summary")).to_have_value(before)
    author.get_by_role("button", name="Ask for a second reader").click()
    expect(author.get_by_text("It waits for a second reader now.")).to_be_visible()
    reader.goto("/drafts/")
    waiting.get_by_role("link").first.click()
    expect(reader.locator("del", has_text=word)).to_be_visible()
    reader.get_by_role("button", name="Publish it").click()
    reader.goto(GUIDE)
    expect(reader.locator(".lead").first).not_to_contain_text(word)


def test_an_edit_goes_all_the_way_and_is_taken_back(
    desk: Page, new_context: Any, people: Callable[[BrowserContext, str], None]
) -> None:
    other: BrowserContext = new_context()
    people(desk.context, "edith")
    people(other, "sven")
    journey(desk, other.new_page(), "quokkas", script=True)


def test_the_same_without_javascript(
    without_javascript: Page, new_context: Any, people: Callable[[BrowserContext, str], None]
) -> None:
    other: BrowserContext = new_context(java_script_enabled=False)
    people(without_javascript.context, "edith")
    people(other, "sven")
    journey(without_javascript, other.new_page(), "wombats", script=False)


def test_what_is_wrong_is_where_the_keys_are(
    desk: Page, people: Callable[[BrowserContext, str], None]
) -> None:
    people(desk.context, "nora")
    desk.goto(EDIT)
    desk.get_by_role("button", name="Ask for a second reader").click()
    why = desk.get_by_label("What changed, and why")
    expect(why).to_be_focused()
    expect(why).to_have_attribute("aria-invalid", "true")
    expect(why).to_have_accessible_description(re.compile("Say in one line what you changed"))
    desk.context.clear_cookies()
    desk.goto("/sign-in/")
    desk.get_by_label("User name").fill("nobody")
    desk.get_by_label("Password").fill("wrong-and-long-enough")
    desk.get_by_role("button", name="Sign in", exact=True).click()
    expect(desk.get_by_role("alert").filter(has_text="password")).to_be_focused()


def test_the_editor_saves_as_it_goes_and_two_tabs_keep_both_texts(
    desk: Page, people: Callable[[BrowserContext, str], None]
) -> None:
    page = desk
    people(page.context, "edith")
    page.goto(EDIT)
    other = page.context.new_page()
    other.goto(EDIT)
    page.get_by_label("Title", exact=True).fill("Saved by itself")
    expect(page.get_by_text("Saved at")).to_be_visible()
    other.get_by_label("Title", exact=True).fill("From the other tab")
    told = other.get_by_role("status").filter(has_text="was saved in another tab")
    expect(told).to_be_visible()
    # What the panels answer afterwards doesn't take the warning away.
    other.wait_for_load_state("networkidle")
    expect(told).to_be_visible()
    other.once("dialog", lambda dialog: dialog.accept())
    other.get_by_role("button", name="Save the draft").click()
    expect(other.get_by_role("alert").filter(has_text="Not saved")).to_be_visible()
    expect(other.locator("ins", has_text="From the other tab").first).to_be_visible()
    expect(other.get_by_label("Title", exact=True)).to_have_value("From the other tab")


def test_a_problem_leads_to_its_field(desk: Page, people: Callable[[BrowserContext, str], None]) -> None:
    page = desk
    people(page.context, "edith")
    page.goto(EDIT)
    page.get_by_role("textbox", name="What it means", exact=True).fill("Nobody knows.")
    link = page.get_by_role("link", name="What it means, line 1").first
    expect(link).to_be_visible()
    link.click()
    expect(page).to_have_url(re.compile("#part_means$"))
    expect(page.get_by_role("textbox", name="What it means", exact=True)).to_be_in_viewport()


def test_signatures_are_tried_beside_the_form(
    desk: Page, people: Callable[[BrowserContext, str], None]
) -> None:
    page = desk
    people(page.context, "edith")
    page.goto(EDIT)
    page.get_by_text("Try the signatures").click()
    page.get_by_label("An error text").fill("the quokka timer ran out api_key=sk-proj-" + "Zq8" * 12)
    page.get_by_role("button", name="Try on this text").click()
    expect(page.locator("#edit_try")).to_contain_text("Nothing fits")
    signatures = page.get_by_role("textbox", name="Signatures", exact=True)
    signatures.fill(
        signatures.input_value() + '\n\n[[signature]]\nid = "quokka"\nall_of = ["the quokka timer"]'
    )
    page.get_by_role("button", name="Try on this text").click()
    expect(page.locator("#edit_try")).to_contain_text("This guide wins")
    page.get_by_role("button", name="Try on all stored texts").click()
    expect(page.locator("#edit_try")).to_contain_text("samples of all guides")


def pages(page: Page) -> list[str]:
    """The addresses of all pages of the editor, with a draft that changes much and breaks something."""
    page.goto(EDIT)
    page.get_by_label("Title", exact=True).fill("Another title, " + "long" * 20)
    page.get_by_label("FAQ").fill("### A question? {#q}\n\nNo source.")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("Saved at")).to_be_visible()
    draft = page.get_by_role("link", name="What this draft changes").get_attribute("href")
    assert draft
    return [EDIT, draft, "/drafts/", HISTORY, "/tools/litellm/new/"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(desk: Page, people: Callable[[BrowserContext, str], None], scheme: Any) -> None:
    people(desk.context, "edith")
    desk.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    for url in pages(desk):
        desk.goto(url)
        if url == EDIT:
            expect(desk.locator(".preview h1")).to_be_visible()
            expect(desk.locator(".edit_found").first).to_be_visible()
        assert violations(desk) == [], url


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_no_page_scrolls_sideways(
    desk: Page, people: Callable[[BrowserContext, str], None], width: int
) -> None:
    people(desk.context, "edith")
    desk.set_viewport_size({"width": width, "height": 800})
    for url in pages(desk):
        desk.goto(url)
        if url == EDIT:
            expect(desk.locator(".preview h1")).to_be_visible()
        wide = desk.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{url} is {wide} wide at {width}"


def test_a_new_guide_begins_without_a_list_of_its_gaps_and_its_button_stays_in_sight(
    desk: Page, people: Callable[[BrowserContext, str], None]
) -> None:
    people(desk.context, "edith")
    desk.goto("/tools/litellm/new/")
    desk.get_by_label("Name").fill("quite-a-new-guide")
    desk.get_by_role("button", name="Begin the draft").click()
    save = desk.get_by_role("button", name="Save the draft")
    expect(save).to_be_in_viewport()
    expect(desk.get_by_text("Nothing is checked before you save")).to_be_visible()
    expect(desk.locator(".error, .edit_found")).to_have_count(0)
    assert violations(desk) == []
    desk.get_by_label("Title").fill("A new guide")
    desk.get_by_label("FAQ").scroll_into_view_if_needed()
    expect(save).to_be_in_viewport()
    save.click()
    expect(desk.locator(".callout.done")).to_contain_text("Saved at")
    expect(desk.get_by_text("None of them keeps you from saving.")).to_be_visible()
    assert violations(desk) == []
