"""All data as JSON, and back into an empty instance.

Secrets stay behind: passwords, second factors, tokens, addresses of webhooks. Backups carry them
(`kb.web.backups`).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TextIO

from django.apps import apps
from django.contrib.auth.models import User
from django.core import serializers
from django.core.management.color import no_style
from django.core.serializers.base import DeserializationError, DeserializedObject
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from kb.guides.models import Guide
from kb.guides.search import index
from kb.team.models import Token

FORMAT = 1
# Our own rooms, and people with their groups; sessions, tokens and second factors stay where they are.
ROOMS = ("audit", "guides", "checker", "evidence", "team")
MODELS = ("auth.Group", "auth.User", "notices.Subscription", "socialaccount.SocialAccount")
OPTIONS = {"use_natural_foreign_keys": True, "use_natural_primary_keys": True}


class Exact(DjangoJSONEncoder):
    """Django's, which would cut times to milliseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class Refused(Exception):
    """The file can't be taken in; the message says why, and nothing has changed."""


def moved() -> list[type[models.Model]]:
    """Every model that is exported, those first on which others hang."""
    configs = [apps.get_app_config(room) for room in ROOMS]
    rooms = [(config, [model for model in config.get_models() if model is not Token]) for config in configs]
    named = [apps.get_model(name) for name in MODELS]
    labels = [(apps.get_app_config(model._meta.app_label), [model]) for model in named]
    return serializers.sort_dependencies([*labels, *rooms])


def export(out: TextIO) -> int:
    """Writes all data as one JSON object, a row to a line; says how many rows."""
    head = {"culprit": FORMAT, "migrations": sorted(f"{app}.{name}" for app, name in migrations())}
    out.write(json.dumps(head)[:-1] + ', "rows": [\n')
    count = 0
    with one_moment():
        for row in rows():
            out.write((",\n" if count else "") + json.dumps(row, ensure_ascii=False))
            count += 1
    out.write("\n]}\n")
    return count


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read inside is as it was at one moment, while others go on writing."""
    here: Any = connection
    mode = getattr(here, "transaction_mode", None)
    if here.vendor == "sqlite":
        here.transaction_mode = "DEFERRED"  # the usual one would take the only writer's place
    try:
        with transaction.atomic(durable=True):
            if here.vendor == "postgresql":
                with here.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    finally:
        if here.vendor == "sqlite":
            here.transaction_mode = mode


def rows() -> Iterator[dict[str, Any]]:
    """Every row, as Django's serializers write it; passwords are left out."""
    for model in moved():
        found = model._default_manager.order_by("pk")
        for row in serializers.serialize("python", found.iterator(chunk_size=500), **OPTIONS):
            if model is User:
                row["fields"]["password"] = ""
            yield json.loads(json.dumps(row, cls=Exact))


def migrations() -> set[tuple[str, str]]:
    """The migrations that this version has."""
    return set(MigrationLoader(None).disk_migrations)


def take_in(text: str) -> int:
    """Brings an export into this instance, all of it or nothing; says how many rows. Raises Refused."""
    data = parsed(text)
    if not migrated():
        raise Refused("This database isn't set up yet: run manage.py migrate first, then import again.")
    used = next((model for model in moved() if model._meta.app_label in ROOMS and any_row(model)), None)
    if used is not None:
        raise Refused(
            f"There is data here already ({used._meta.verbose_name_plural}): import into an empty instance."
        )
    try:
        with transaction.atomic():
            count = save(data["rows"])
            refresh()
    except (DeserializationError, DatabaseError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Refused(f"The file breaks off or was changed: {type(error).__name__}: {error}") from error
    return count


def migrated() -> bool:
    """Whether the database has every table of this version."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def any_row(model: type[models.Model]) -> bool:
    """Whether the table has a row; what the book of deeds holds doesn't count."""
    return model._meta.app_label != "audit" and model._default_manager.exists()


def parsed(text: str) -> dict[str, Any]:
    """The export as plain values. Raises Refused if it is none, or one of a newer version."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise Refused(f"This is no JSON, or it breaks off: {error}") from error
    if not isinstance(data, dict) or data.get("culprit") != FORMAT or not isinstance(data.get("rows"), list):
        raise Refused("This is no export of Culprit: make one with manage.py export_data.")
    unknown = set(data.get("migrations", [])) - {f"{app}.{name}" for app, name in migrations()}
    if unknown:
        raise Refused(f"It was made by a newer version (it has {min(unknown)}): install that version first.")
    return data


def save(exported: list[dict[str, Any]]) -> int:
    """Every row into its table, those last whose neighbours weren't there yet."""
    known = {model._meta.label_lower for model in moved()}
    waiting: list[DeserializedObject] = []
    strange = next((row for row in exported if row["model"] not in known), None)
    if strange is not None:
        raise ValueError(f"it has rows of {strange['model']}, which no export has")
    for row in serializers.deserialize(
        "python", exported, handle_forward_references=True, ignorenonexistent=True
    ):
        if isinstance(row.object, User):
            row.object.set_unusable_password()
        row.save()
        if row.deferred_fields:
            waiting.append(row)
    for row in waiting:
        row.save_deferred_fields()
    connection.check_constraints()
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), moved()):
            cursor.execute(statement)
    return len(exported)


def refresh() -> None:
    """What is made from rows: pages and the search index."""
    for guide in Guide.objects.select_related("tool"):
        guide.compose()
        index(guide)
