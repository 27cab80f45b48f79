"""The library in the admin: guides to look at, tools with their releases to edit."""

from pathlib import Path

import pytest
from django.test import Client

from kb.guides.models import Guide, Release, Tool, UnmatchedError

pytestmark = pytest.mark.django_db


def form_of(client: Client, url: str) -> dict[str, object]:
    """Every field of an admin form as a browser would send it back."""
    context = client.get(url).context
    data: dict[str, object] = {}
    forms = [context["adminform"].form]
    for formset in context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = value
    return data


def test_a_guide_is_shown_with_the_ways_to_edit_it_and_nothing_to_type(
    library: Path, admin_client: Client
) -> None:
    guide = Guide.objects.get(slug="coin")
    page = admin_client.get(f"/admin/guides/guide/{guide.pk}/change/").content.decode()
    assert "The coin counter passed its limit." in page
    assert 'href="/errors/gate/coin/edit/"' in page
    assert 'href="/errors/gate/coin/history/"' in page
    assert "<textarea" not in page
    assert 'name="meaning"' not in page


def test_a_guide_cannot_be_changed_deleted_renamed_or_added(library: Path, admin_client: Client) -> None:
    guide = Guide.objects.get(slug="coin")
    before = Guide.objects.values().get(pk=guide.pk)
    for way in (f"{guide.pk}/delete", f"{guide.pk}/change", "add"):
        data = {"post": "yes", "slug": "renamed", "meaning": "Other words", "_save": "Save"}
        assert admin_client.post(f"/admin/guides/guide/{way}/", data).status_code == 403, way
    assert Guide.objects.values().get(pk=guide.pk) == before


def test_a_tool_is_made_with_its_releases(library: Path, admin_client: Client) -> None:
    url = "/admin/guides/tool/add/"
    data = form_of(admin_client, url) | {
        "slug": "port", "name": "Port", "summary": "Opens.", "homepage": "port.example",
        "source": "https://port.example/{version}/{path}", "marks": " portlib\n\nPort Exception ",
        "releases-TOTAL_FORMS": "2", "releases-0-version": "1.0", "releases-0-position": "0",
        "releases-1-version": "1.1", "releases-1-position": "1",
    }  # fmt: skip
    assert admin_client.post(url, data).status_code == 302
    tool = Tool.objects.get(slug="port")
    assert (tool.homepage, tool.marks) == ("https://port.example", ["portlib", "Port Exception"])
    assert [release.version for release in tool.releases.all()] == ["1.0", "1.1"]


def test_a_tool_s_name_reaches_its_guides_and_its_slug_stays(library: Path, admin_client: Client) -> None:
    tool = Tool.objects.get(slug="gate")
    url = f"/admin/guides/tool/{tool.pk}/change/"
    data = form_of(admin_client, url) | {"name": "Gatehouse", "slug": "other", "marks": "gatelib"}
    answer = admin_client.post(url, data)
    assert answer.status_code == 302, answer.context["errors"]
    assert "Gatehouse 1.0" in admin_client.get("/errors/gate/coin/").content.decode()


@pytest.mark.parametrize("marks", ["", "  \n "])
def test_a_tool_needs_a_mark(library: Path, admin_client: Client, marks: str) -> None:
    tool = Tool.objects.get(slug="gate")
    url = f"/admin/guides/tool/{tool.pk}/change/"
    answer = admin_client.post(url, form_of(admin_client, url) | {"marks": marks})
    assert answer.status_code == 200
    assert answer.context["errors"]


def test_a_release_that_guides_speak_of_cannot_be_deleted(library: Path, admin_client: Client) -> None:
    tool = Tool.objects.get(slug="gate")
    unused = Release.objects.create(tool=tool, version="3.0", position=2)
    url = f"/admin/guides/tool/{tool.pk}/change/"
    data = form_of(admin_client, url) | {"marks": "gatelib"}
    refused = admin_client.post(url, data | {"releases-0-DELETE": "on"})
    assert "can&#x27;t be deleted" in refused.content.decode()
    assert admin_client.post(url, data | {"releases-2-DELETE": "on"}).status_code == 302
    assert not Release.objects.filter(pk=unused.pk).exists()
    assert tool.releases.count() == 2


def test_editors_see_what_nothing_fits(library: Path, client: Client, admin_client: Client) -> None:
    client.post("/match/", {"text": "Error: the moon is too loud"})
    assert UnmatchedError.objects.count() == 1
    assert "the moon is too loud" in admin_client.get("/admin/guides/unmatchederror/").content.decode()


def test_the_admin_is_for_staff_alone(library: Path, client: Client) -> None:
    assert client.get("/admin/guides/guide/").status_code == 302
