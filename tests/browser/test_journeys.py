"""What a reader does: paste, search, browse, with a mouse, with keys alone, and without JavaScript."""

import json
import re

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.test_every_page import violations
from tests.checker.gateway import Gateway

pytestmark = pytest.mark.browser

ERROR = """Traceback (most recent call last):
openai.BadRequestError: Error code: 400 - {'error': {'message': 'Budget has been exceeded! Current cost:
 26.075, Max budget: 0.25', 'type': 'budget_exceeded', 'param': None, 'code': '400'}}"""
GUIDE = "/errors/litellm/budget-exceeded-key/"
SECRET = "sk-proj-" + "Zq8" * 12
PASTE = 'form[action="/match/"]'


def paste(page: Page, text: str) -> None:
    """Fills the paste box and sends it."""
    page.locator(f"{PASTE} textarea").first.fill(text)
    page.locator(f"{PASTE} button[type=submit]").first.click()


def expect_the_guide(page: Page) -> None:
    """The result: the guide, the marked part, the numbers, the first fix; and then the guide itself."""
    expect(page.locator("mark", has_text="Budget has been exceeded!")).to_be_visible()
    expect(page.get_by_text("26.075").first).to_be_visible()
    expect(page.get_by_text("0.25").first).to_be_visible()
    link = page.locator(f'main a[href="{GUIDE}"]').first
    expect(link).to_be_visible()
    link.click()
    expect(page).to_have_url(re.compile(GUIDE))
    expect(page.locator("h1")).to_contain_text("Budget has been exceeded!")


def test_a_pasted_error_leads_to_its_guide(strict_page: Page) -> None:
    strict_page.goto("/")
    paste(strict_page, ERROR)
    expect_the_guide(strict_page)


def test_the_same_without_javascript(without_javascript: Page) -> None:
    without_javascript.goto("/")
    paste(without_javascript, ERROR)
    expect_the_guide(without_javascript)


def test_the_same_with_keys_alone(strict_page: Page) -> None:
    page = strict_page
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_contain_text("Skip")
    for _ in range(40):
        if page.locator("textarea:focus").count():
            break
        page.keyboard.press("Tab")
    page.keyboard.insert_text(ERROR)
    page.keyboard.press("Control+Enter")
    expect(page.locator("mark", has_text="Budget has been exceeded!")).to_be_visible()
    for _ in range(60):
        if page.locator(f':focus[href="{GUIDE}"]').count():
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(GUIDE))


def test_the_result_is_announced_and_gets_the_focus(strict_page: Page) -> None:
    strict_page.goto("/")
    paste(strict_page, ERROR)
    expect(strict_page.locator("mark").first).to_be_visible()
    expect(strict_page.locator("h1:focus, h2:focus")).to_contain_text("Budget has been exceeded!")


def test_a_secret_never_leaves_the_browser(strict_page: Page) -> None:
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(f"{request.url} {request.post_data or ''}")

    strict_page.on("request", note)
    strict_page.goto("/")
    escaped = "&quot;password&quot;: &quot;hunter2plus&quot;"
    paste(strict_page, f"{ERROR}\nAuthorization: Bearer {SECRET}\napi_key={SECRET}\n{escaped}")
    expect(strict_page.locator("mark").first).to_be_visible()
    assert any("/match/" in line and "Budget" in line for line in sent)
    assert SECRET not in "".join(sent)
    assert "hunter2plus" not in "".join(sent)
    assert SECRET not in strict_page.content()


def test_without_javascript_the_server_removes_the_secret(without_javascript: Page) -> None:
    without_javascript.goto("/")
    paste(without_javascript, f"{ERROR}\nAuthorization: Bearer {SECRET}")
    expect(without_javascript.locator("mark").first).to_be_visible()
    assert SECRET not in without_javascript.content()


def test_who_comes_back_finds_what_was_typed_but_no_secret(strict_page: Page) -> None:
    box = strict_page.locator(f"{PASTE} textarea").first
    strict_page.goto("/")
    box.fill(f"half a thought about api_key={SECRET}")
    strict_page.locator('a[href="/errors/"]').first.click()
    expect(strict_page).to_have_url(re.compile("/errors/$"))
    strict_page.go_back()
    expect(box).to_have_value("half a thought about api_key=<api_key>")

    paste(strict_page, "words that nothing fits")
    expect(strict_page).to_have_url(re.compile("/match/$"))
    strict_page.go_back()
    expect(strict_page).to_have_url(re.compile(r":\d+/$"))
    expect(box).to_have_value("words that nothing fits")

    strict_page.goto("/")
    expect(box).to_have_value("")


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_box_says_what_to_do(strict_page: Page, text: str) -> None:
    strict_page.goto("/match/")
    paste(strict_page, text)
    strict_page.wait_for_timeout(300)
    shown = strict_page.get_by_text("Paste an error text first.").count()
    native = strict_page.locator("textarea:invalid").count()
    assert shown or native


def test_a_text_above_one_megabyte_is_refused_and_kept(strict_page: Page) -> None:
    strict_page.goto("/match/")
    box = strict_page.locator(f"{PASTE} textarea").first
    box.evaluate("(box) => { box.value = 'kept words '.repeat(100000) }")
    strict_page.locator(f"{PASTE} button[type=submit]").first.click()
    expect(strict_page.get_by_text(re.compile(r"1,100,0\d\d bytes")).first).to_be_visible()
    kept = strict_page.locator(f"{PASTE} textarea").first.input_value()
    assert kept.startswith("kept words kept words")
    assert len(kept) > 1_000_000


def test_what_nothing_fits_offers_search_results_named_as_such(strict_page: Page) -> None:
    strict_page.goto("/match/")
    paste(strict_page, "Error: redis told a joke that nobody recorded")
    expect(strict_page.get_by_role("heading", name="Nothing we know fits")).to_be_visible()
    expect(strict_page.get_by_text(re.compile("search results", re.IGNORECASE)).first).to_be_visible()
    expect(strict_page.get_by_text(re.compile("v1:[0-9a-f]{16}")).first).to_be_visible()


def test_the_slash_key_searches_and_arrows_choose(strict_page: Page) -> None:
    page = strict_page
    page.goto("/")
    page.locator("h1").click()
    page.keyboard.press("/")
    page.keyboard.type("stale spend")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/errors/litellm/budget-exceeded-key-stale-spend/"))


def test_search_without_javascript(without_javascript: Page) -> None:
    page = without_javascript
    page.goto("/")
    page.locator('header input[name="q"]').fill("stale spend")
    page.locator('header input[name="q"]').press("Enter")
    expect(page).to_have_url(re.compile(r"/search/\?q=stale"))
    expect(page.locator('main a[href*="budget-exceeded-key-stale-spend"]').first).to_be_visible()


def test_filters_live_in_the_url_and_survive_going_back(strict_page: Page) -> None:
    page = strict_page
    page.goto("/errors/")
    everything = page.locator("#count_title").inner_text()
    page.locator('select[name="hop"]').select_option("budget")
    expect(page).to_have_url(re.compile("hop=budget"))
    expect(page.locator('main a[href*="/budget-exceeded-key/"]').first).to_be_visible()
    expect(page.locator("#count_title")).not_to_have_text(everything)
    page.reload()
    expect(page.locator('select[name="hop"]')).to_have_value("budget")
    page.go_back()
    expect(page.locator("#count_title")).to_have_text(everything)


def test_filters_without_javascript(without_javascript: Page) -> None:
    page = without_javascript
    page.goto("/errors/")
    everything = page.locator("#count_title").inner_text()
    page.locator('select[name="hop"]').select_option("budget")
    page.locator("main form button[type=submit]").first.click()
    expect(page).to_have_url(re.compile("hop=budget"))
    expect(page.locator("#count_title")).not_to_have_text(everything)


def test_the_theme_can_be_pinned_and_stays(strict_page: Page) -> None:
    page = strict_page
    page.emulate_media(color_scheme="light")
    page.goto("/")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_role("radio", name=re.compile("dark", re.IGNORECASE)).or_(
        page.get_by_role("button", name=re.compile("dark", re.IGNORECASE))
    ).first.click(force=True)
    dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    page.goto("/errors/")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == dark


def test_a_command_is_copied_with_a_key(strict_page: Page) -> None:
    page = strict_page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(GUIDE)
    button = page.get_by_role("button", name=re.compile("copy", re.IGNORECASE)).first
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("copied", re.IGNORECASE)).first).to_be_visible()
    assert "Budget has been exceeded!" in page.evaluate("navigator.clipboard.readText()")


def test_every_link_within_a_guide_leads_somewhere(strict_page: Page) -> None:
    strict_page.goto("/errors/litellm/budget-exceeded-key-stale-spend/")
    broken = strict_page.evaluate(
        """() => [...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href'))
            .filter(href => href.length > 1 && !document.getElementById(decodeURIComponent(href.slice(1))))"""
    )
    assert broken == []
    doubled = strict_page.evaluate(
        """() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
            return ids.filter((id, n) => ids.indexOf(id) !== n) }"""
    )
    assert doubled == []


def test_structured_values_are_the_ones_of_the_command(strict_page: Page) -> None:
    message = "Budget has been exceeded! Team=t-1 Current cost: 3.5, Max budget: 2.0"
    body = json.dumps({"error": {"message": message}})
    strict_page.goto("/match/")
    paste(strict_page, body)
    expect(strict_page.locator('main a[href="/errors/litellm/budget-exceeded-team/"]').first).to_be_visible()
    expect(strict_page.locator("dd", has_text="t-1").first).to_be_visible()


def test_a_check_of_a_proxy_ends_in_the_founding_verdict(strict_page: Page) -> None:
    page = strict_page
    with Gateway("1.84.0", "stale_team_scoped_key") as gateway:
        page.goto("/check/")
        page.locator('input[name="address"]').fill(gateway.url)
        page.locator('input[name="key"]').fill(SECRET)
        page.locator('input[name="model"]').fill("lab-model")
        page.locator("main form[method=post] button[type=submit]").first.click()
        expect(page).to_have_url(re.compile("/check/runs/"), timeout=30_000)
    expect(page.locator("h1")).to_contain_text("The key's own budget blocked this call")
    expect(page.get_by_text("blocked this call").first).to_be_visible()
    assert SECRET not in page.content()
    assert violations(page) == []


def test_a_check_without_javascript(without_javascript: Page) -> None:
    page = without_javascript
    with Gateway("1.84.0", "stale_team_scoped_key") as gateway:
        page.goto("/check/")
        page.locator('input[name="address"]').fill(gateway.url)
        page.locator('input[name="key"]').fill(SECRET)
        page.locator('input[name="model"]').fill("lab-model")
        page.locator("main form[method=post] button[type=submit]").first.click()
        expect(page).to_have_url(re.compile("/check/runs/"), timeout=30_000)
    expect(page.locator("h1")).to_contain_text("The key's own budget blocked this call")


def test_a_refused_check_keeps_what_was_typed(strict_page: Page) -> None:
    page = strict_page
    page.goto("/check/")
    page.locator('input[name="end_user"]').fill("kept words")
    page.locator("main form[method=post] button[type=submit]").first.click()
    expect(page.get_by_text("Give the proxy's address").first).to_be_visible()
    expect(page.locator('input[name="end_user"]')).to_have_value("kept words")


def test_the_commands_take_the_model_of_the_form_and_no_answers_are_asked_for(strict_page: Page) -> None:
    page = strict_page
    page.goto("/check/")
    page.locator("#offline summary").click()
    commands = page.locator("[data-commands]")
    for typed, written in (("gpt-5", "gpt-5"), ("it's $(x)", """'it'"'"'s $(x)'"""), ("", "...")):
        page.locator('input[name="model"]').fill(typed)
        expect(commands).to_contain_text(f"export LITELLM_MODEL={written}\n", use_inner_text=True)
    page.get_by_role("button", name="Judge these answers").click()
    expect(page.locator("#answers_errors")).to_have_text("Paste what the commands printed.")
    expect(page.locator("#id_answers")).to_be_focused()
