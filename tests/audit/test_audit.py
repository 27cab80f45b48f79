"""The book of who did what: complete, for administrators alone, and safe to open in a spreadsheet."""

import csv
import io

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from kb.audit.book import record
from kb.audit.models import Entry
from kb.guides.models import Tool

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator() -> User:
    """Somebody who may administer."""
    user = User.objects.create_user("ada", password="long enough words")
    user.groups.add(Group.objects.get(name="Administrators"))
    return user


def test_what_is_done_in_the_admin_stands_in_the_book_without_values(client: Client) -> None:
    root = User.objects.create_superuser("root", password="long enough words")
    client.force_login(root)
    tool = Tool.objects.create(slug="gate", name="Gate", summary="Opens.")
    fields = {
        "slug": "gate",
        "name": "Gate",
        "summary": "S3CRET words",
        "homepage": "",
        "source": "",
        "marks": "gatelib",
    }
    prefix = {"releases-TOTAL_FORMS": "0", "releases-INITIAL_FORMS": "0"}
    answer = client.post(f"/admin/guides/tool/{tool.pk}/change/", fields | prefix)
    assert answer.status_code == 302, answer.context["errors"]
    entry = Entry.objects.get(what="admin.changed")
    assert (entry.who, entry.about) == ("root", "tool Gate")
    assert "Summary" in entry.details["change"]
    assert "S3CRET" not in str(entry.details)


def test_signing_in_and_out_is_written_down(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    client.logout()
    assert list(Entry.objects.order_by("pk").values_list("what", "who")) == [
        ("session.began", "ada"),
        ("session.ended", "ada"),
    ]


@pytest.mark.parametrize("role", [None, "Readers", "Reporters", "Reviewers", "Editors"])
def test_nobody_else_sees_the_book(client: Client, role: str | None) -> None:
    if role:
        user = User.objects.create_user("rita", password="long enough words")
        user.groups.add(Group.objects.get(name=role))
        client.force_login(user)
    answer = client.get("/audit/")
    assert answer.status_code == (403 if role else 302)


def test_lines_are_filtered_and_shown_as_plain_text(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    record("guide.published", administrator, "<script>alert(1)</script>", "/errors/x/y/", why="<b>so</b>")
    record("note.changed", administrator, "Another")
    page = client.get("/audit/", {"what": "guide.published"}).content.decode()
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "<b>so" not in page
    assert "Another" not in page
    assert "1 line<" in page


def test_a_spreadsheet_takes_no_cell_for_a_formula(client: Client, administrator: User) -> None:
    client.force_login(administrator)
    for about in ("=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\tx", "fine"):
        record("note.changed", administrator, about)
    body = b"".join(client.get("/audit/?format=csv&what=note.changed"))  # type: ignore[arg-type]
    cells = [row["about"] for row in csv.DictReader(io.StringIO(body.decode()))]
    assert cells == ["fine", "'\tx", "'@SUM(1)", "'-1", "'+1", "'=HYPERLINK(1)"]


def test_a_line_outlives_the_person(administrator: User) -> None:
    record("note.changed", administrator, "x")
    administrator.delete()
    entry = Entry.objects.get()
    assert (entry.by, entry.who) == (None, "ada")
