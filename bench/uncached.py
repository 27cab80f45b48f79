"""The site without the pages kept in front of it: every request reaches Django."""

from django.core.handlers.wsgi import WSGIHandler

from kb.wsgi import django_application


def serving() -> WSGIHandler:
    """Django alone."""
    return django_application
