"""Reports in the admin: read there, decided on elsewhere, deleted by superusers alone."""

from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from kb.evidence.models import Decision, Draft, EvidenceReport, State
from kb.guides.models import Guide
from tests.evidence import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def coin(library: Path) -> Guide:
    return Guide.objects.get(slug="coin")


@pytest.fixture
def staff(client: Client) -> Client:
    """A browser of an administrator with every right on reports, but no superuser."""
    user = User.objects.create_user("stan")
    user.groups.add(Group.objects.get(name="Administrators"))
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="evidence"))
    client.force_login(user)
    return client


def test_a_report_is_read_with_its_history_and_not_changed(coin: Guide, admin_client: Client) -> None:
    report = made.accepted(coin, story="<script>x</script>")
    url = f"/admin/evidence/evidencereport/{report.pk}/change/"
    page = admin_client.get(url).content.decode()
    assert "&lt;script&gt;x" in page
    assert "<script>x" not in page
    assert "Looked at." in page
    assert report.form not in page
    assert 'name="_save"' not in page
    answer = admin_client.post(url, {"story": "Changed", "state": "rejected"})
    report.refresh_from_db()
    assert answer.status_code == 403
    assert (report.story, report.state) == ("<script>x</script>", State.ACCEPTED)


def test_none_is_added_there(coin: Guide, admin_client: Client) -> None:
    assert admin_client.get("/admin/evidence/evidencereport/add/").status_code == 403
    assert admin_client.get("/admin/evidence/decision/").status_code == 404
    assert admin_client.get("/admin/evidence/draft/add/").status_code == 403


def test_lists_and_searches_work(coin: Guide, admin_client: Client) -> None:
    made.report(coin, story="The moon is too loud")
    for query in ("", "?q=moon", "?state__exact=pending"):
        page = admin_client.get(f"/admin/evidence/evidencereport/{query}").content.decode()
        assert "1 evidence report" in page


def test_superusers_alone_delete_and_the_guide_forgets_it(
    coin: Guide, staff: Client, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = made.accepted(coin)
    url = f"/admin/evidence/evidencereport/{report.pk}/"
    composed: list[str] = []
    monkeypatch.setattr(Guide, "compose", lambda guide: composed.append(guide.slug))
    assert staff.get(f"{url}change/").status_code == 200
    assert staff.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert EvidenceReport.objects.exists()
    staff.force_login(admin_user)
    assert staff.post(f"{url}delete/", {"post": "yes"}).status_code == 302
    assert not EvidenceReport.objects.exists()
    assert not Decision.objects.exists()
    assert composed == ["coin"]


def test_superusers_delete_many(coin: Guide, admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [made.accepted(coin).pk for _ in range(3)]
    composed: list[str] = []
    monkeypatch.setattr(Guide, "compose", lambda guide: composed.append(guide.slug))
    given = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    assert admin_client.post("/admin/evidence/evidencereport/", given).status_code == 302
    assert not EvidenceReport.objects.exists()
    assert composed == ["coin"]


def test_what_a_draft_says_is_its_writer_s(coin: Guide, admin_client: Client) -> None:
    draft = Draft.objects.create(guide=coin, fields={"story": "quokka words"})
    listed = admin_client.get("/admin/evidence/draft/").content.decode()
    shown = admin_client.get(f"/admin/evidence/draft/{draft.pk}/change/").content.decode()
    assert "quokka" not in listed + shown
    assert "The coin is spent" in listed
    answer = admin_client.post(f"/admin/evidence/draft/{draft.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not Draft.objects.exists()
