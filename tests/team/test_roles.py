"""Who may go where: every address, every role, in public and in private mode, in one table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from kb.checker.models import CheckRun
from kb.evidence import models as evidence
from kb.guides.models import Guide
from kb.team import models as team

pytestmark = pytest.mark.django_db

WHO = ("nobody", "reader", "reporter", "reviewer", "editor", "administrator")
# What each of WHO gets: name [POST] | in public mode | in private mode.
# The draft is the editor's own: nobody else sees it while it is being written.
# 302 leads nobody to the sign-in, 403 says no, 404 there is none for this person, 405 wants a POST.
TABLE = """
sign_in                     | 200 200 200 200 200 200 | 200 200 200 200 200 200
sign_in POST                | 422 422 422 422 422 422 | 422 422 422 422 422 422
account_login               | 200 200 200 200 200 200 | 200 200 200 200 200 200
account_inactive            | 200 200 200 200 200 200 | 200 200 200 200 200 200
mfa_authenticate            | 302 302 302 302 302 302 | 302 302 302 302 302 302
mfa_login_webauthn          | 302 302 302 302 302 302 | 302 302 302 302 302 302
mfa_login_webauthn POST     | 302 302 302 302 302 302 | 302 302 302 302 302 302
openid_connect_login        | 405 405 405 405 405 405 | 405 405 405 405 405 405
openid_connect_login POST   | 404 404 404 404 404 404 | 302 404 404 404 404 404
openid_connect_callback     | 404 404 404 404 404 404 | 302 404 404 404 404 404
sign_out                    | 405 405 405 405 405 405 | 302 405 405 405 405 405
sign_out POST               | 302 302 302 302 302 302 | 302 302 302 302 302 302
account_logout              | 405 405 405 405 405 405 | 302 405 405 405 405 405
me                          | 302 200 200 200 200 200 | 302 200 200 200 200 200
me_export                   | 302 200 200 200 200 200 | 302 200 200 200 200 200
me_erase                    | 302 302 302 302 302 302 | 302 302 302 302 302 302
me_end_others               | 302 405 405 405 405 405 | 302 405 405 405 405 405
me_end_others POST          | 302 302 302 302 302 302 | 302 302 302 302 302 302
me_end_session              | 302 405 405 405 405 405 | 302 405 405 405 405 405
me_end_session POST         | 302 404 404 404 404 404 | 302 404 404 404 404 404
me_tokens                   | 302 302 302 302 302 302 | 302 302 302 302 302 302
me_token_revoke             | 302 405 405 405 405 405 | 302 405 405 405 405 405
me_token_revoke POST        | 302 404 404 404 404 404 | 302 404 404 404 404 404
account_change_password     | 302 200 200 200 200 200 | 302 200 200 200 200 200
account_reauthenticate      | 302 200 200 200 200 200 | 302 200 200 200 200 200
mfa_reauthenticate          | 302 302 302 302 302 302 | 302 302 302 302 302 302
mfa_reauthenticate_webauthn | 302 302 302 302 302 302 | 302 302 302 302 302 302
mfa_index                   | 302 200 200 200 200 200 | 302 200 200 200 200 200
mfa_activate_totp           | 302 302 302 302 302 302 | 302 302 302 302 302 302
mfa_deactivate_totp         | 302 404 404 404 404 404 | 302 404 404 404 404 404
mfa_view_recovery_codes     | 302 404 404 404 404 404 | 302 404 404 404 404 404
mfa_generate_recovery_codes | 302 302 302 302 302 302 | 302 302 302 302 302 302
mfa_list_webauthn           | 302 200 200 200 200 200 | 302 200 200 200 200 200
mfa_add_webauthn            | 302 302 302 302 302 302 | 302 302 302 302 302 302
mfa_remove_webauthn         | 302 302 302 302 302 302 | 302 302 302 302 302 302
mfa_edit_webauthn           | 302 302 302 302 302 302 | 302 302 302 302 302 302
check                       | 200 200 200 200 200 200 | 302 200 200 200 200 200
check POST                  | 422 422 422 422 422 422 | 302 422 422 422 422 422
check_models                | 405 405 405 405 405 405 | 302 405 405 405 405 405
check_models POST           | 200 200 200 200 200 200 | 302 200 200 200 200 200
check_run                   | 200 200 200 200 200 200 | 302 200 200 200 200 200
check_run_delete            | 405 405 405 405 405 405 | 302 405 405 405 405 405
report                      | 200 200 200 200 200 200 | 302 403 200 200 200 200
report POST                 | 200 200 200 200 200 200 | 302 403 200 200 200 200
report_unknown              | 200 200 200 200 200 200 | 302 403 200 200 200 200
report_unknown POST         | 200 200 200 200 200 200 | 302 403 200 200 200 200
receipt                     | 200 200 200 200 200 200 | 302 200 200 200 200 200
draft                       | 200 200 200 200 200 200 | 302 403 200 200 200 200
reports                     | 200 200 200 200 200 200 | 302 200 200 200 200 200
review                      | 302 403 403 200 200 200 | 302 403 403 200 200 200
review POST                 | 302 403 403 422 422 422 | 302 403 403 422 422 422
review_report               | 302 403 403 200 200 200 | 302 403 403 200 200 200
note                        | 302 403 403 403 200 200 | 302 403 403 403 200 200
note POST                   | 302 403 403 403 422 422 | 302 403 403 403 422 422
notes                       | 302 200 200 200 200 200 | 302 200 200 200 200 200
due                         | 302 403 403 403 200 200 | 302 403 403 403 200 200
guide_edit                  | 302 403 403 403 200 200 | 302 403 403 403 200 200
guide_history               | 302 403 403 403 200 200 | 302 403 403 403 200 200
guide_retire                | 302 403 403 403 403 200 | 302 403 403 403 403 200
guide_retire POST           | 302 403 403 403 403 422 | 302 403 403 403 403 422
guide_new                   | 302 403 403 403 200 200 | 302 403 403 403 200 200
drafts                      | 302 403 403 403 200 200 | 302 403 403 403 200 200
guide_draft                 | 302 403 403 403 200 404 | 302 403 403 403 200 404
draft_edit                  | 302 403 403 403 302 404 | 302 403 403 403 302 404
unmatched                   | 302 403 403 403 200 200 | 302 403 403 403 200 200
audit                       | 302 403 403 403 403 200 | 302 403 403 403 403 200
home                        | 200 200 200 200 200 200 | 302 200 200 200 200 200
browse                      | 200 200 200 200 200 200 | 302 200 200 200 200 200
of_tool                     | 302 302 302 302 302 302 | 302 302 302 302 302 302
guide                       | 200 200 200 200 200 200 | 302 200 200 200 200 200
coverage                    | 200 200 200 200 200 200 | 302 200 200 200 200 200
changes                     | 200 200 200 200 200 200 | 302 200 200 200 200 200
category                    | 200 200 200 200 200 200 | 302 200 200 200 200 200
match                       | 200 200 200 200 200 200 | 302 200 200 200 200 200
match POST                  | 422 422 422 422 422 422 | 302 422 422 422 422 422
suggest                     | 405 405 405 405 405 405 | 302 405 405 405 405 405
suggest POST                | 404 404 404 404 404 404 | 302 404 404 404 404 404
search                      | 200 200 200 200 200 200 | 302 200 200 200 200 200
sitemap                     | 200 200 200 200 200 200 | 302 200 200 200 200 200
robots                      | 200 200 200 200 200 200 | 302 200 200 200 200 200
admin:login                 | 302 403 403 403 403 302 | 302 403 403 403 403 302
admin:logout                | 302 302 302 302 302 405 | 302 302 302 302 302 405
admin:logout POST           | 302 302 302 302 302 302 | 302 302 302 302 302 302
"""


def rows() -> dict[str, list[str]]:
    """`name` or `name POST` -> twelve statuses."""
    lines = [line.split("|") for line in TABLE.strip().splitlines()]
    return {line[0].strip(): (line[1] + line[2]).split() for line in lines}


def names(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """(name, pattern) of every address of the site."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern, f"{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}", pattern


@pytest.fixture
def people(db: None) -> dict[str, User | None]:
    """One person of each role."""
    found: dict[str, User | None] = {"nobody": None}
    for who in WHO[1:]:
        found[who] = User.objects.create_user(who, password="x")
        found[who].groups.add(Group.objects.get(name=f"{who.capitalize()}s"))  # type: ignore[union-attr]
    return found


@pytest.fixture
def things(library: Path, people: dict[str, User | None]) -> dict[str, dict[str, Any]]:
    """What stands in the addresses, for real objects."""
    guide = Guide.objects.select_related("tool").get(slug="coin")
    report = evidence.EvidenceReport.objects.create(tool=guide.tool, guide=guide, form="f", story="It broke.")
    draft = evidence.Draft.objects.create(guide=guide, fields={"story": "Half."})
    edit = team.Draft.objects.create(
        tool=guide.tool, guide=guide, slug="coin", text="words", base="words", by=people["editor"]
    )
    run = CheckRun.objects.create(asked={}, diagnosis=DIAGNOSIS)
    of_guide = {"tool": "gate", "slug": "coin"}
    return {
        **dict.fromkeys(
            ("guide", "report", "reports", "note", "guide_edit", "guide_history", "guide_retire"), of_guide
        ),
        "of_tool": {"tool": "gate"},
        "guide_new": {"tool": "gate"},
        "guide_draft": {"pk": edit.pk},
        "draft_edit": {"pk": edit.pk},
        "category": {"slug": "quota-rate"},
        "coverage": {"tool": "gate"},
        "changes": {"tool": "gate"},
        "receipt": {"id": report.pk},
        "review_report": {"id": report.pk},
        "draft": {"id": draft.pk},
        "check_run": {"id": run.pk},
        "check_run_delete": {"id": run.pk},
        "openid_connect_login": {"provider_id": "company"},
        "openid_connect_callback": {"provider_id": "company"},
        **{
            name: {"pk": 1}
            for name in ("me_end_session", "me_token_revoke", "mfa_remove_webauthn", "mfa_edit_webauthn")
        },
    }


DIAGNOSIS: dict[str, Any] = {
    "ruleset": "r", "target": "http://127.0.0.1:4000",
    "fixes": [], "findings": [], "probes": [], "budgets": [],
    "proxy": {"version": None, "database": None, "cache": None},
    "verdict": {
        "status": "healthy", "cause": None, "slug": None, "category": None, "hop": None, "stale": None,
        "confidence": "consistent", "sentence": "Nothing is wrong.",
    },
}  # fmt: skip


def got(user: User | None, path: str, method: str) -> int:
    """What a browser of this person gets."""
    client = Client()
    if user:
        client.force_login(user)
    return int((client.post if method == "POST" else client.get)(path).status_code)


def test_every_address_is_in_the_table() -> None:
    known = {row.partition(" ")[0] for row in rows()}
    there = {name for name, _ in names(get_resolver()) if not name.startswith("admin:")}
    assert there - known == set(), "decide who may go there, and add it to the table"
    assert known - there - {"admin:login", "admin:logout"} == set()


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_the_table_holds(
    private: bool, things: dict[str, Any], people: dict[str, User | None], settings: Any
) -> None:
    settings.CULPRIT_PRIVATE = private
    found, expected = {}, {}
    for row, statuses in rows().items():
        name, _, method = row.partition(" ")
        path = reverse(name, kwargs=things.get(name))
        cache.clear()
        found[row] = " ".join(str(got(people[who], path, method)) for who in WHO)
        expected[row] = " ".join(statuses[6 * private :][:6])
    assert {row: found[row] for row in found if found[row] != expected[row]} == {}


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_the_admin_is_the_administrators_alone(
    private: bool, things: dict[str, Any], people: dict[str, User | None], settings: Any
) -> None:
    settings.CULPRIT_PRIVATE = private
    for name, pattern in names(get_resolver()):
        if not name.startswith("admin:") or name in rows():
            continue
        try:
            path = reverse(
                name, args=["1"] * (str(pattern.pattern).count("<") or pattern.pattern.regex.groups)
            )
        except NoReverseMatch:
            continue  # the admin's catch-all, which has no name
        statuses = [got(people[who], path, "GET") for who in WHO]
        assert statuses[:5] == [302] * 5, name
        assert statuses[5] < 500, name


def test_an_administrator_works_in_the_admin(people: dict[str, User | None], client: Client) -> None:
    client.force_login(people["administrator"])  # type: ignore[arg-type]
    for path in (
        "",
        "auth/user/",
        "auth/user/add/",
        "auth/group/",
        "guides/guide/",
        "evidence/evidencereport/",
    ):
        assert client.get(f"/admin/{path}").status_code == 200, path
