"""Who may do what: roles are groups, rights are permissions. A role has the rights of the ones before it."""

from django.db import models


class Role(models.TextChoices):
    """From the fewest rights to the most; the label is the group's name."""

    READER = "reader", "Readers"
    REPORTER = "reporter", "Reporters"
    REVIEWER = "reviewer", "Reviewers"
    EDITOR = "editor", "Editors"
    ADMINISTRATOR = "administrator", "Administrators"


REPORT = "evidence.add_evidencereport"
DECIDE = "evidence.decide"
WRITE = "guides.write"
ADMINISTER = "team.administer"

RIGHTS: dict[Role, tuple[str, ...]] = {
    Role.READER: (),
    Role.REPORTER: (REPORT,),
    Role.REVIEWER: (REPORT, DECIDE),
    Role.EDITOR: (REPORT, DECIDE, WRITE),
    Role.ADMINISTRATOR: (REPORT, DECIDE, WRITE, ADMINISTER),
}
