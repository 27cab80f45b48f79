"""What readers report, and what reviewers decide."""

from django.apps import AppConfig


class Evidence(AppConfig):
    name = "kb.evidence"
    verbose_name = "Evidence"
