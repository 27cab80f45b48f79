"""The library in the admin: a correction there reaches the page and the search at once."""

from pathlib import Path

import pytest
from django.test import Client

from kb.guides.models import Guide, UnmatchedError
from kb.guides.search import find

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


def test_a_correction_is_rendered_composed_and_found(library: Path, admin_client: Client) -> None:
    guide = Guide.objects.get(slug="coin")
    url = f"/admin/guides/guide/{guide.pk}/change/"
    data = form_of(admin_client, url) | {"meaning": "Corrected **quokka** words. <script>x</script>"}
    answer = admin_client.post(url, data)
    assert answer.status_code == 302, answer.context["errors"]
    page = admin_client.get(guide.get_absolute_url()).content.decode()
    assert "<strong>quokka</strong>" in page
    assert "<script>x" not in page
    assert find("quokka") == [guide.pk]


def test_guides_cannot_be_deleted_or_renamed(library: Path, admin_client: Client) -> None:
    guide = Guide.objects.get(slug="coin")
    assert admin_client.post(f"/admin/guides/guide/{guide.pk}/delete/", {"post": "yes"}).status_code == 403
    url = f"/admin/guides/guide/{guide.pk}/change/"
    admin_client.post(url, form_of(admin_client, url) | {"slug": "renamed"})
    guide.refresh_from_db()
    assert guide.slug == "coin"


def test_editors_see_what_nothing_fits(library: Path, client: Client, admin_client: Client) -> None:
    client.post("/match/", {"text": "Error: the moon is too loud"})
    assert UnmatchedError.objects.count() == 1
    assert "the moon is too loud" in admin_client.get("/admin/guides/unmatchederror/").content.decode()


def test_the_admin_is_for_staff_alone(library: Path, client: Client) -> None:
    assert client.get("/admin/guides/guide/").status_code == 302
