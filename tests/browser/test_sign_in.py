"""Signing in on a private site in a real browser: password, lock-out, app, passkey, the identity provider."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT, free_port, wait_for
from tests.browser.test_every_page import violations
from tests.team.provider import CLIENT, SECRET, Provider, running
from tests.team.provider import PASSWORD as COMPANY_PASSWORD

pytestmark = pytest.mark.browser

PASSWORD = "a long enough word"
MAKE = """
from django.contrib.auth.models import Group, User
user = User.objects.create_user({name!r}, password={password!r})
user.groups.add(Group.objects.get(name={group!r}))
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def provider(port: int) -> Iterator[Provider]:
    """A real provider that leads back to the private site."""
    with running(f"http://127.0.0.1:{port}/sign-in/with/company/callback/") as found:
        yield found


@pytest.fixture(scope="module")
def environment(port: int, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A private site that knows the provider, on a database of its own."""
    folder: Path = tmp_path_factory.mktemp("private")
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
        "PORT": str(port),
        "CULPRIT_PRIVATE": "1",
        "CULPRIT_SECOND_FACTOR": "1",
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_NAME": "Example Login",
        "OIDC_ROLES": "docs=editor,it=administrator",
    }


@pytest.fixture(scope="module")
def site(environment: dict[str, str], port: int) -> Iterator[str]:
    """Its address, while it runs."""
    server = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment)
    try:
        wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def make(site: str, environment: dict[str, str]) -> Callable[[str, str], None]:
    """Makes an account: name, group."""

    def account(name: str, group: str = "Readers") -> None:
        lines = MAKE.format(name=name, password=PASSWORD, group=group)
        subprocess.run(
            [sys.executable, "manage.py", "shell", "--no-imports", "--command", lines],
            cwd=ROOT, env=environment, check=True,
        )  # fmt: skip

    return account


def sign_in(page: Page, site: str, name: str, password: str = PASSWORD) -> None:
    """Fills the form in and sends it."""
    page.goto(f"{site}/sign-in/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def well_made(page: Page, name: str) -> None:
    """axe finds nothing, in light and dark; nothing scrolls sideways on a small telephone. Keeps pictures."""
    shots = os.environ.get("CULPRIT_PICTURES")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        assert violations(page) == [], f"{name} {scheme}"
        for width in (320, 360, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} wide at {width}"
            if shots and width > 320:
                page.screenshot(path=f"{shots}/{name}-{scheme}-{width}.png", full_page=True)


def app_code(page: Page) -> str:
    """What an authenticator app shows for the key on the page."""
    secret = page.locator(".secret").inner_text()
    return format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))


def test_a_stranger_is_led_to_the_sign_in_and_then_back(
    strict_page: Page, site: str, make: Callable[..., None]
) -> None:
    make("rolf")
    page = strict_page
    page.goto(f"{site}/errors/litellm/llm-timeout/")
    expect(page).to_have_url(re.compile(r"/sign-in/\?next=/errors/litellm/llm-timeout/"))
    well_made(page, "sign-in")
    page.get_by_label("User name").fill("rolf")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site}/errors/litellm/llm-timeout/")
    page.goto(f"{site}/me/")
    well_made(page, "me")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in/"))


def test_five_wrong_passwords_lock_the_name_in_all_processes(
    strict_page: Page, site: str, make: Callable[..., None]
) -> None:
    make("lena")
    for _ in range(5):
        sign_in(strict_page, site, "lena", "wrong")
        expect(strict_page.get_by_role("alert").last).to_contain_text("don't belong together")
    sign_in(strict_page, site, "lena")
    expect(strict_page.get_by_role("alert").last).to_contain_text("Wait five minutes")
    assert strict_page.get_by_label("User name").input_value() == "lena"
    well_made(strict_page, "locked")


def test_an_editor_sets_up_an_app_before_anything_else(
    strict_page: Page, site: str, make: Callable[..., None]
) -> None:
    make("edda", "Editors")
    page = strict_page
    sign_in(page, site, "edda")
    expect(page.get_by_text("Set one up now")).to_be_visible()
    well_made(page, "second-factor")
    page.get_by_role("link", name="Set up an app").click()
    well_made(page, "confirm")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    well_made(page, "app")
    page.get_by_label("Six digits from the app").fill(app_code(page))
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    well_made(page, "codes")
    code = page.locator(".codes code").first.inner_text()
    page.goto(f"{site}/review/")
    expect(page.locator("h1")).to_have_text("Review")
    page.get_by_role("button", name="Sign out").click()

    sign_in(page, site, "edda")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    well_made(page, "asked")
    page.get_by_label("Code of your authenticator app").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("h1")).to_have_text("Review")


def test_a_passkey_is_added_and_signs_in_alone(
    browser: Browser, site: str, make: Callable[..., None]
) -> None:
    make("pavel", "Reviewers")
    local = site.replace("127.0.0.1", "localhost")  # browsers know no passkeys of addresses
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    devices: Any = context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    sign_in(page, local, "pavel")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("What you call it").fill("Laptop")
    page.get_by_label("Sign in with it alone").check()
    well_made(page, "passkey")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto(f"{local}/me/second-factor/passkeys/")
    expect(page.get_by_text("Laptop")).to_be_visible()
    well_made(page, "passkeys")
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{local}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("h1")).to_have_text("Review")
    assert [line for line in said if "status of 4" not in line] == []
    context.close()


def test_without_a_passkey_the_page_says_so(browser: Browser, site: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site}/sign-in/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-trouble]")).to_contain_text("HTTPS")
    context.close()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_the_whole_way_through_the_identity_provider(
    browser: Browser, site: str, provider: Provider, script: bool
) -> None:
    provider.know("mary", ["docs"], "mary@example.com")
    context = browser.new_context(java_script_enabled=script)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{site}/errors/?hop=budget")
    page.get_by_role("button", name="Sign in with Example Login").click()
    expect(page.get_by_role("heading", name="Company sign-in")).to_be_visible()
    page.get_by_label("Name").fill("mary")
    page.get_by_label("Password").fill(COMPANY_PASSWORD)
    page.get_by_role("button", name="Let me in").click()
    expect(page).to_have_url(f"{site}/errors/?hop=budget")
    expect(page.get_by_text("Signed in as mary")).to_be_visible()
    page.goto(f"{site}/review/")  # no second factor asked of whom the provider signs in
    expect(page.locator("h1")).to_have_text("Review")
    page.goto(f"{site}/me/")
    expect(page.get_by_text("Role: editor")).to_be_visible()
    assert [line for line in said if "status of 404" not in line] == []  # the provider has no icon
    context.close()


def test_a_session_that_is_ended_elsewhere_is_over(
    browser: Browser, site: str, make: Callable[..., None]
) -> None:
    make("sara")
    desk, telephone = browser.new_context(), browser.new_context()
    here, there = desk.new_page(), telephone.new_page()
    sign_in(here, site, "sara")
    sign_in(there, site, "sara")
    here.goto(f"{site}/me/")
    here.get_by_role("button", name="End all others").click()
    expect(here.get_by_text("1 other session has ended.")).to_be_visible()
    there.goto(f"{site}/errors/")
    expect(there).to_have_url(re.compile("/sign-in/"))
    here.goto(f"{site}/me/erase/")
    here.get_by_label("Your password").fill(PASSWORD)
    here.get_by_role("button", name="Go on").click()
    well_made(here, "erase")
    here.get_by_label("Your user name").fill("sara")
    here.get_by_role("button", name="Erase my account").click()
    expect(here.locator("h1")).to_have_text("Your account is erased")
    desk.close()
    telephone.close()


def test_htmx_goes_to_the_sign_in_when_a_session_has_ended(
    browser: Browser, site: str, make: Callable[..., None]
) -> None:
    make("hanna")
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, site, "hanna")
    page.goto(f"{site}/errors/")
    context.clear_cookies()
    page.locator("#site_q").fill("budget")
    expect(page).to_have_url(re.compile(r"/sign-in/\?next=/errors/"))
    context.close()
