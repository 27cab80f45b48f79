"""What the pages share."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "kb.web"
    label = "web"
