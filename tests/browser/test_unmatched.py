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
MAKE = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group, User
user, _ = User.objects.get_or_create(username="uma-editor")
user.groups.add(Group.objects.get(name="Editors"))
store = import_module(settings.SESSION_ENGINE).SessionStore()
store[SESSION_KEY] = str(user.pk)
store[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
store[HASH_SESSION_KEY] = user.get_session_auth_hash()
store.save()
print(store.session_key)
"""


@pytest.fixture(scope="module")
def session(on_site: Callable[[str], str]) -> str:
    """The session of an editor on the running site."""
    return on_site(MAKE).split()[-1]


@pytest.fixture
def desk(strict_page: Page, session: str, base_url: str) -> Page:
    """The editor's browser."""
    cookie: Any = {"name": "sessionid", "value": session, "url": base_url}
    strict_page.context.add_cookies([cookie])
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
