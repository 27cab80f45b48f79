"""The door that the server knocks on."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kb.settings")

django_application = get_wsgi_application()

from kb.evidence.edition import edition  # noqa: E402  Django must be ready first
from kb.web.front import Front  # noqa: E402

application = Front(django_application, edition)
