"""A second tool from nothing: made in the admin, its guide published, and it works everywhere."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from kb.guides import contracts, shelf
from kb.guides.loading import load, publish
from kb.guides.models import Guide, Tool
from kb.guides.source import parse
from tests.guides import files
from tests.guides.test_admin import form_of

pytestmark = pytest.mark.django_db

PORT = "/errors/port/coin/"
TEXT = "portlib: The coin is spent: 3 of 2"
FACTS = {
    "slug": "port", "name": "Port", "summary": "Another gateway.", "homepage": "https://port.example/",
    "source": "https://code.example/port/{version}/{path}", "marks": "portlib",
}  # fmt: skip

RELEASES = {
    "releases-TOTAL_FORMS": "2", "releases-INITIAL_FORMS": "0",
    "releases-0-version": "1.0", "releases-0-position": "0",
    "releases-1-version": "2.0", "releases-1-position": "1",
}  # fmt: skip


@pytest.fixture
def port(library: Path, admin_client: Client) -> Tool:
    """The tool `port`, made in the admin beside `gate`, with the releases 1.0 and 2.0."""
    url = "/admin/guides/tool/add/"
    answer = admin_client.post(url, form_of(admin_client, url) | FACTS | RELEASES)
    assert answer.status_code == 302, answer.context["errors"]
    tool = Tool.objects.get(slug="port")
    assert [release.version for release in tool.releases.all()] == ["1.0", "2.0"]
    return tool


def words(about: str = "coin") -> str:
    """A guide that asks for its tool's marks; recorded exchanges are for tools with a folder."""
    text = files.guide(about, title=f"The {about} of Port is spent")
    text = text.replace('origin = "lab:1.0/coin"', 'origin = "code:code-coin"')
    text = text.replace(
        f'kind = "lab"\ncapture = "1.0/{about}"', 'kind = "docs"\nurl = "https://port.example/d"'
    )
    text = text.replace(f"'''The {about} is spent: 3 of 2'''", f"'''{TEXT}'''")
    text = text.replace('all_of = ["The', 'in_tool = true\nall_of = ["The')
    return text.replace("counter passed its limit", "counter of Port passed its limit")


@pytest.fixture
def guide(port: Tool) -> Guide:
    """A guide of `port`, of the same slug as one of `gate`, published as the browser's editor does."""
    source = shelf.tool_source(port)
    made = parse(words(), "coin", "coin.md")
    source.guides["coin"] = made
    assert contracts.check([source]) == []
    with transaction.atomic():
        publish(source, Guide(tool=port, slug="coin"), made, User.objects.get(username="admin"), "It is new")
    return Guide.objects.get(tool=port)


def test_it_has_a_page_of_its_own(guide: Guide, client: Client) -> None:
    page = client.get(PORT).content.decode()
    assert "The coin of Port is spent" in page
    assert "Port 1.0, 2.0" in page
    assert "https://code.example/port/1.0/gate/coin.py" in page
    assert "The coin of Port is spent" not in client.get("/errors/gate/coin/").content.decode()


def test_it_is_browsed_and_found_in_its_category(guide: Guide, client: Client) -> None:
    form = client.get("/errors/").content.decode()
    assert '<option value="port">Port</option>' in form
    listed = client.get("/errors/?tool=port").context["page"]
    assert [found.get_absolute_url() for found in listed] == [PORT]
    both = client.get("/errors/?version=1.0").context["page"]
    assert {found.tool.slug for found in both} == {"gate", "port"}
    assert PORT in client.get("/categories/quota-rate/").content.decode()


def test_search_finds_it(guide: Guide, client: Client) -> None:
    assert PORT in client.get("/search/?q=Port coin").content.decode()


def test_a_text_with_its_own_marks_leads_to_it(guide: Guide, client: Client) -> None:
    Guide.objects.filter(tool__slug="gate").update(retired=guide.updated)
    assert PORT in client.post("/match/", {"text": TEXT}).content.decode()
    other = client.post("/match/", {"text": "gatelib: The coin is spent: 3 of 2"})
    assert other.context["answer"]["verdict"] == "none"


def test_two_guides_of_one_slug_are_told_apart(guide: Guide, client: Client) -> None:
    answer = client.post("/match/", {"text": TEXT}).context["answer"]
    assert {(row["tool"], row["url"]) for row in answer["matches"]} == {
        ("gate", "/errors/gate/coin/"),
        ("port", PORT),
    }
    alone = client.post("/match/", {"text": "gatelib: The coin is spent: 3 of 2"}).context["answer"]
    assert [row["tool"] for row in alone["matches"]] == ["gate"]


def test_samples_are_checked_by_tool_too(guide: Guide, library: Path) -> None:
    sources = {source.slug: source for source in shelf.tools()}
    near = sources["port"].guides["coin"].text.replace("near_miss = true\n", "")
    sources["port"].guides["coin"] = parse(near, "coin", "port/coin.md")
    said = [str(problem) for problem in contracts.check_samples(list(sources.values()))]
    assert any("port/coin.md" in line and "recognised by nothing" in line for line in said), said


def test_readers_can_report_on_it(guide: Guide, client: Client) -> None:
    page = client.get(f"{PORT}report/").content.decode()
    assert "The coin of Port is spent" in page


def test_an_address_that_is_nearly_right_names_both(guide: Guide, client: Client) -> None:
    page = client.get("/errors/port/coins/")
    assert page.status_code == 404
    assert {found.get_absolute_url() for found in page.context["suggestions"]} >= {PORT, "/errors/gate/coin/"}


def test_loading_the_other_tool_s_files_leaves_it_alone(guide: Guide, library: Path) -> None:
    before = Guide.objects.filter(pk=guide.pk).values().get()
    load(library)
    assert Guide.objects.filter(pk=guide.pk).values().get() == before


def test_a_source_template_is_filled_in_and_never_evaluated(port: Tool) -> None:
    port.source = "https://x.example/{version.__class__}/{0}/{path}/{version}"
    assert (
        shelf.tool_source(port).code_url("1.0", "a.py")
        == "https://x.example/{version.__class__}/{0}/a.py/1.0"
    )


def test_its_guides_have_notes_and_become_due(guide: Guide, admin_client: Client) -> None:
    form = {
        "words": "Ours",
        "owner": "",
        "next_review": "2020-01-01",
        "runbook": "",
        "proxies": "",
        "seen": "0",
    }
    assert admin_client.post(f"{PORT}note/", form).status_code == 302
    assert "Ours" in admin_client.get(PORT).content.decode()
    assert "Ours" not in admin_client.get("/errors/gate/coin/").content.decode()
    assert PORT in admin_client.get("/due/?why=overdue").content.decode()
