"""Notes and what is due, in a real browser: on a wide screen, on a phone, in the dark, without script."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_every_page import violations

pytestmark = pytest.mark.browser
GUIDE = "/errors/litellm/llm-timeout/"
NOTE = f"{GUIDE}note/"
PAGES = (GUIDE, NOTE, "/notes/", "/due/?why=overdue", "/due/?why=release", "/due/?why=unowned")
MAKE = """
from datetime import date
from django.contrib.auth.models import User
from kb.guides.models import Guide, Tool
from kb.team.due import cited_words
from kb.team.models import Note, ReleaseFile
from kb.web.markdown import render
user = User.objects.get(username="erin-editor")
user.first_name, user.last_name = "Erin", "Fox"
user.save()
words = "**Ask the platform team first.** The EU proxy waits:\\n\\n1. See `router_settings`.\\n2. Raise it."
Note.objects.all().delete()
for slug in ("llm-timeout", "redis-connection-error"):
    Note.objects.create(
        guide=Guide.objects.get(slug=slug), words=words, words_html=render(words), owner=user, by=user,
        runbook="https://wiki.example.com/runbooks/" + "a-long-path/" * 12, revision=1,
        proxies="eu-prod, us-prod, " + "x" * 60, next_review=date(2026, 1, 31),
    )
tool = Tool.objects.get(slug="litellm")
ReleaseFile.objects.all().delete()
for row in cited_words(tool):
    digest = "there" if "timeout" in row.path else ""
    file, _ = ReleaseFile.objects.get_or_create(
        tool=tool, version="1.110.2", path=row.path, defaults={"sha256": digest}
    )
    file.words[row.words] = False
    file.save()
"""


@pytest.fixture(scope="module")
def cookie(on_site: Callable[[str], str], editor_cookie: Callable[[str], Any]) -> Any:
    """What makes a browser the editor's, who has two notes and a noted release on the running site."""
    cookie = editor_cookie("erin-editor")
    on_site(MAKE)
    return cookie


@pytest.fixture
def desk(strict_page: Page, cookie: Any) -> Page:
    """The editor's browser."""
    strict_page.context.add_cookies([cookie])
    return strict_page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("url", PAGES)
def test_axe_finds_nothing(desk: Page, url: str, scheme: Any) -> None:
    desk.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    desk.goto(url)
    expect(desk.locator("h1")).to_have_count(1)
    assert violations(desk) == []


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_no_page_scrolls_sideways(desk: Page, width: int) -> None:
    desk.set_viewport_size({"width": width, "height": 800})
    for url in PAGES:
        desk.goto(url)
        wide = desk.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{url} is {wide} wide at {width}"


def test_an_editor_changes_a_note_with_the_keyboard(desk: Page) -> None:
    desk.goto(GUIDE)
    expect(desk.get_by_role("region", name="Our notes")).to_contain_text("Erin Fox")
    desk.get_by_role("link", name="Edit note").press("Enter")
    words = desk.get_by_label("What your team knows of it")
    words.fill("Now it waits **60 s**.")
    desk.get_by_label("Next review").fill("2026-02-28")
    words.press("Tab")
    desk.get_by_role("button", name="Save the note").press("Enter")
    ours = desk.get_by_role("region", name="Our notes")
    expect(ours).to_contain_text("The note is saved.")
    expect(ours.locator("strong")).to_have_text("60 s")
    expect(ours).to_contain_text("28 February 2026")
    desk.reload()
    expect(ours).not_to_contain_text("The note is saved.")


def test_two_editors_meet_and_nothing_is_lost(desk: Page, new_context: Any, cookie: Any) -> None:
    context = new_context(java_script_enabled=False)
    context.add_cookies([cookie])
    other = context.new_page()
    for page in (desk, other):
        page.goto(NOTE)
    other.get_by_label("What your team knows of it").fill("What the other one wrote")
    other.get_by_role("button", name="Save the note").click()
    desk.get_by_label("What your team knows of it").fill("What I wrote")
    desk.get_by_role("button", name="Save the note").click()
    expect(desk.get_by_role("alert").first).to_contain_text("What the other one wrote")
    expect(desk.get_by_label("What your team knows of it")).to_have_value("What I wrote")
    assert violations(desk) == []
    desk.get_by_role("button", name="Save the note").click()
    expect(desk.get_by_role("region", name="Our notes")).to_contain_text("What I wrote")


def test_from_what_is_due_to_the_note_and_back(desk: Page) -> None:
    desk.goto("/due/?why=overdue")
    row = desk.get_by_role("listitem").filter(has_text="review was due").first
    row.get_by_role("link", name="Owner and date").click()
    desk.get_by_label("Next review").fill("2999-01-01")
    desk.get_by_role("button", name="Save the note").click()
    expect(desk.get_by_role("heading", name="Due for review")).to_be_visible()
    expect(desk.get_by_text("The note is saved.")).to_be_visible()


def test_readers_without_an_account_see_none_of_it(strict_page: Page, cookie: Any) -> None:
    strict_page.goto(GUIDE)
    expect(strict_page.get_by_text("Our notes")).to_have_count(0)
    strict_page.goto("/notes/")
    expect(strict_page.get_by_label("Password")).to_be_visible()
