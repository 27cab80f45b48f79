"""The door that the server knocks on."""

import os
from threading import Thread

from django.core.wsgi import get_wsgi_application
from django.db import connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings")

django_application = get_wsgi_application()

from kb.evidence.edition import edition  # noqa: E402  Django must be ready first
from kb.guides.matching import prepare  # noqa: E402
from kb.web.front import Front  # noqa: E402

application = Front(django_application, edition)


def serving() -> Front:
    """The application in a process that serves: what its first pasted text needs is made ready meanwhile."""
    Thread(target=made_ready, daemon=True).start()
    return application


def made_ready() -> None:
    try:
        prepare()
    finally:
        connection.close()
