"""How much of what a release can say to its users is answered by guides, and by which."""

from django.db import models

from kb.guides.models.guide import Tool


class Coverage(models.Model):
    """One area of one release: how many errors it can raise, and for which of them there is a guide.

    `guides` is slug -> how many errors it answers; `texts` has those that nothing recognises, as
    [path, function, class, status, text].
    """

    tool = models.ForeignKey(Tool, on_delete=models.CASCADE, related_name="coverage")
    version = models.CharField(max_length=40)
    area = models.CharField(max_length=80)
    errors = models.PositiveIntegerField()
    answered = models.PositiveIntegerField()
    general = models.PositiveIntegerField(help_text="Recognised by a general signature alone")
    guides = models.JSONField(default=dict)
    texts = models.JSONField(default=list)
    stamp = models.CharField(
        max_length=100, help_text="Of the signatures and the releases it was counted with"
    )

    class Meta:
        ordering = ["area"]
        verbose_name_plural = "coverage"
        constraints = [
            models.UniqueConstraint(fields=["tool", "version", "area"], name="one_coverage_per_area"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.version}: {self.area}"

    @property
    def parts(self) -> list[str]:
        """The area's name, cut where a line may break."""
        return self.area.split("/")

    @property
    def unknown(self) -> int:
        """Errors that nothing recognises."""
        return self.errors - self.answered - self.general


class Recognised(models.Model):
    """Which guide answers what the releases of a tool say; counted together with its coverage.

    `texts` is the key of a text (`kb.guides.answering.key_of`) -> [slug, whether by a general signature].
    """

    tool = models.OneToOneField(Tool, on_delete=models.CASCADE, related_name="recognised")
    texts = models.JSONField(default=dict)

    class Meta:
        verbose_name_plural = "recognised"

    def __str__(self) -> str:
        return f"{self.tool}: {len(self.texts)} texts of releases"
