"""The consulting room: live checks of a reader's proxy."""

from django.apps import AppConfig


class CheckerConfig(AppConfig):
    name = "kb.checker"
    label = "checker"
