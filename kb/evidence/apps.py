"""What readers report, and what reviewers decide."""

from django.apps import AppConfig


class Evidence(AppConfig):
    name = "kb.evidence"
    verbose_name = "Evidence"

    def ready(self) -> None:
        from kb.evidence.retention import forget
        from kb.notices.tasks import swept

        swept.connect(forget, dispatch_uid="evidence retention")
