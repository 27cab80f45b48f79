"""The site, but anybody may check and report as often as they like."""

import os
from unittest.mock import patch

os.environ["DJANGO_SETTINGS_MODULE"] = "kb.settings"

from kb.wsgi import serving

patch.multiple("kb.checker.views", PER_PERSON=1_000_000, PER_TARGET=1_000_000).start()
patch.multiple("kb.evidence.views", POSTS=1_000_000, EVERYONE=1_000_000, PERSON=()).start()

__all__ = ["serving"]
