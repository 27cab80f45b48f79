"""Probes of those whose budgets stand above a key: its team, user, organization, end user and tags."""

from typing import Any

from kb.probes.credential import Credential
from kb.probes.probe import Known, Probe, Setting, needs_key
from kb.probes.question import Question

_NO_TEAM = "The key belongs to no team, as far as could be read."
_NO_USER = "The key belongs to no user, as far as could be read."
_NO_ORGANIZATION = "Key and team belong to no organization, as far as could be read."


def _team_info(known: Known) -> Question | str:
    return _team("team_info", known, known.credential)


def _team_info_admin(known: Known) -> Question | str:
    return _team("team_info_admin", known, known.admin)


def _team(name: str, known: Known, credential: Credential | None) -> Question | str:
    if not (team := known.of_key("team_id")):
        return _NO_TEAM
    user = known.of_key("user_id")

    def own(body: Any) -> Any:
        """The team and the key's own user in it: the other members, and their keys, are nobody's business."""
        if not isinstance(body, dict):
            return body
        kept = {name: value for name, value in body.items() if name != "keys"}
        kept["team_memberships"] = _of_user(user, kept.get("team_memberships"))
        info = kept.get("team_info")
        if isinstance(info, dict):
            others = {"members", "admins"} & info.keys()
            own_role = _of_user(user, info.get("members_with_roles"))
            kept["team_info"] = {**info, **dict.fromkeys(others), "members_with_roles": own_role}
        return kept

    return Question(probe=name, path="/team/info", query={"team_id": team}, credential=credential, trim=own)


def _of_user(user: str, rows: Any) -> Any:
    if not isinstance(rows, list):
        return rows
    return [row for row in rows if isinstance(row, dict) and user and row.get("user_id") == user]


def _user_info(known: Known) -> Question:
    return Question(probe="user_info", path="/user/info", credential=known.credential, trim=_user)


def _user_info_admin(known: Known) -> Question | str:
    # Never without an id: to an admin LiteLLM then lists every key of the proxy.
    if not (user := known.of_key("user_id")):
        return _NO_USER
    return Question(
        probe="user_info_admin",
        path="/user/info",
        query={"user_id": user},
        credential=known.admin,
        trim=_user,
    )


def _user(body: Any) -> Any:
    """The user without the list of all its keys and teams."""
    if not isinstance(body, dict):
        return body
    return {name: value for name, value in body.items() if name not in {"keys", "teams"}}


def _organization_info(known: Known) -> Question | str:
    organization = known.of_key("organization_id") or known.found(
        ("team_info", "team_info", "organization_id"), ("team_info_admin", "team_info", "organization_id")
    )
    if not organization:
        return _NO_ORGANIZATION
    query = {"organization_id": organization}
    return Question(probe="organization_info", path="/organization/info", query=query, credential=known.admin)


def _customer_info(known: Known) -> Question:
    query = {"end_user_id": known.asked.end_user}
    return Question(probe="customer_info", path="/customer/info", query=query, credential=known.admin)


def _tag_info(known: Known) -> Question:
    return Question(
        probe="tag_info",
        method="POST",
        path="/tag/info",
        body={"names": list(known.asked.tags)},
        credential=known.admin,
    )


def _spend_tags(known: Known) -> Question:
    """Everybody's tags: asked with the admin key alone, and cut down to those that the call has."""
    tags = set(known.asked.tags)
    return Question(
        probe="spend_tags",
        path="/spend/tags",
        credential=known.admin,
        trim=lambda body: [row for row in body if _tag(row) in tags] if isinstance(body, list) else body,
    )


def _tag(row: Any) -> Any:
    return row.get("individual_request_tag") if isinstance(row, dict) else None


def _needs_end_user(setting: Setting) -> str:
    return "" if setting.asked.end_user else "No end user was named."


def _needs_tags(setting: Setting) -> str:
    return "" if setting.asked.tags else "No tags were named."


PROBES = (
    Probe(
        name="team_info",
        shown="GET /team/info?team_id=<the key's team>",
        why="The team's and its members' spend and limits.",
        ask=_team_info,
        rounds=(4,),
        privilege="key",
    ),
    Probe(
        name="team_info_admin",
        shown="GET /team/info?team_id=<the key's team>",
        why="The same, where the proxy refuses to tell the key.",
        ask=_team_info_admin,
        rounds=(4,),
        privilege="admin",
        lacks=needs_key,
    ),
    Probe(
        name="user_info",
        shown="GET /user/info",
        why="The spend and limit of the key's user.",
        ask=_user_info,
        rounds=(4,),
        privilege="key",
    ),
    Probe(
        name="user_info_admin",
        shown="GET /user/info?user_id=<the key's user>",
        why="The same, where the proxy refuses to tell the key.",
        ask=_user_info_admin,
        rounds=(4,),
        privilege="admin",
        lacks=needs_key,
    ),
    Probe(
        name="organization_info",
        shown="GET /organization/info?organization_id=<the key's or its team's>",
        why="The organization's spend and limit.",
        ask=_organization_info,
        rounds=(4, 5),
        privilege="admin",
        lacks=needs_key,
    ),
    Probe(
        name="customer_info",
        shown="GET /customer/info?end_user_id=<the end user>",
        why="The end user's spend and limit.",
        ask=_customer_info,
        rounds=(3,),
        privilege="admin",
        lacks=_needs_end_user,
    ),
    Probe(
        name="tag_info",
        shown="POST /tag/info",
        why="The tags' limits.",
        ask=_tag_info,
        rounds=(3,),
        privilege="admin",
        lacks=_needs_tags,
    ),
    Probe(
        name="spend_tags",
        shown="GET /spend/tags",
        why="What the tags spent; only those of the call are kept.",
        ask=_spend_tags,
        rounds=(3,),
        privilege="admin",
        lacks=_needs_tags,
    ),
)
