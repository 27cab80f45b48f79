"""The site without the pages kept in front of it: every request reaches Django."""

from kb.wsgi import django_application as application

__all__ = ["application"]
