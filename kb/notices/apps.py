"""Tells people and other programs what happened."""

from django.apps import AppConfig


class Notices(AppConfig):
    name = "kb.notices"
    verbose_name = "Notices"
