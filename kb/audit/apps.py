"""The book of who did what."""

from django.apps import AppConfig


class Audit(AppConfig):
    name = "kb.audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from kb.audit import watching

        watching.connect()
