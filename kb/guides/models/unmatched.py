"""What was pasted and nothing fitted."""

from django.db import models
from django.utils import timezone

from kb.guides.models.constraints import not_blank


class UnmatchedError(models.Model):
    """A text that nothing we know fits, redacted and masked, its words kept: what editors miss."""

    fingerprint = models.CharField(max_length=40, unique=True)
    normal_form = models.TextField()
    count = models.PositiveIntegerField(default=1)
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-last_seen"]
        constraints = [not_blank("normal_form")]

    def __str__(self) -> str:
        return self.normal_form[:80]
