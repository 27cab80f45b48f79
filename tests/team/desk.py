"""What tests of the editor share: people, and forms as browsers send them."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

EDIT = "/errors/gate/coin/edit/"
HISTORY = "/errors/gate/coin/history/"


def person(name: str, group: str = "Editors") -> Client:
    """Somebody of a group, signed in."""
    user = User.objects.create_user(name)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def form_of(client: Client, url: str = EDIT) -> dict[str, Any]:
    """Every field of the editor as a browser would send it back."""
    form = client.get(url).context["form"]
    return form_data(form)


def form_data(form: Any) -> dict[str, Any]:
    """An editor's form as posted."""
    data = {f"part_{name}": value.replace("\n", "\r\n") for name, value in form.values.items()}
    more = {"shape": form.shape, "revision": form.seen, "began": form.began, "why": form.why}
    return data | more | {"trial_text": form.trial}


def send(client: Client, url: str = EDIT, /, deed: str = "save", **changes: Any) -> Any:
    """Opens the editor, types `changes` (parts by name, and `reason`), presses a button."""
    data = form_of(client, url) | {"deed": deed}
    data["why"] = changes.pop("reason", data["why"])
    return client.post(url, data | {f"part_{name}": value for name, value in changes.items()})


def waiting(author: Client, url: str = EDIT, /, **changes: Any) -> int:
    """A draft that waits for a second reader; its key."""
    answer = send(author, url, "ask", **{"reason": "It was wrong", **changes})
    assert answer.status_code == 302, answer.context["trouble"]
    return int(answer["Location"].strip("/").split("/")[-1])


def publish(reader: Client, key: int) -> Any:
    """What a second reader sends who presses Publish."""
    page = reader.get(f"/drafts/{key}/").context
    data = {"deed": "publish", "revision": page["draft"].revision, "served": page["served"]}
    return reader.post(f"/drafts/{key}/", data)
