"""What the database itself refuses."""

from django.db import models


def one_of(field: str, choices: type[models.TextChoices]) -> models.CheckConstraint:
    """The database refuses a value that isn't in the closed list."""
    return models.CheckConstraint(
        condition=models.Q(**{f"{field}__in": choices.values}),
        name=f"%(app_label)s_%(class)s_{field}",
    )


def not_blank(field: str) -> models.CheckConstraint:
    """The database refuses an empty text."""
    return models.CheckConstraint(
        condition=~models.Q(**{field: ""}), name=f"%(app_label)s_%(class)s_{field}_not_blank"
    )
