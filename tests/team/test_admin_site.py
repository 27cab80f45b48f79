"""What administrators can't reach in the admin: the rows by which somebody is who they are."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client

pytestmark = pytest.mark.django_db

WHO_SOMEBODY_IS = [
    "account/emailaddress",
    "mfa/authenticator",
    "socialaccount/socialaccount",
    "socialaccount/socialapp",
    "socialaccount/socialtoken",
    "usersessions/usersession",
    "sessions/session",
]


@pytest.mark.parametrize("model", WHO_SOMEBODY_IS)
@pytest.mark.parametrize("superuser", [False, True], ids=["administrator", "superuser"])
def test_nobody_writes_who_somebody_is(client: Client, model: str, superuser: bool) -> None:
    person = User.objects.create_user("ada", password="long enough words", is_superuser=superuser)
    person.groups.add(Group.objects.get(name="Administrators"))
    client.force_login(person)
    for page in ("", "add/", "1/change/"):
        assert client.get(f"/admin/{model}/{page}").status_code == 404
    front = client.get("/admin/").content.decode()
    assert f"/admin/{model}/" not in front
    assert "/admin/guides/tool/" in front


def test_the_admin_shows_these_rooms_and_no_others() -> None:
    assert {model._meta.app_label for model in admin.site._registry} == {
        "audit",
        "auth",
        "checker",
        "django_tasks_database",
        "evidence",
        "guides",
        "notices",
        "team",
    }


def test_groups_are_called_roles_and_say_what_they_may(admin_client: Client) -> None:
    ann = User.objects.create_user("ann")
    page = admin_client.get(f"/admin/auth/user/{ann.pk}/change/").content.decode()
    assert "Roles:" in page
    assert "Editors write guides and notes; Administrators use this admin." in page
    page = admin_client.get("/admin/auth/group/").content.decode()
    assert "decide on reports" in page
    assert "write guides and notes" in page
