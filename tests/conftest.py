"""What all tests share."""

from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from hypothesis import settings as hypothesis_settings

from kb.guides.loading import load
from tests.guides import files

# A busy machine is no failure.
hypothesis_settings.register_profile("culprit", deadline=None)
hypothesis_settings.load_profile("culprit")


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    """No test is throttled by what another one asked for."""
    cache.clear()


@pytest.fixture
def library(db: None, tmp_path: Path) -> Path:
    """A library with the two small guides `coin` and `token`, loaded; its folder."""
    folder = files.two(tmp_path)
    load(folder)
    return folder


@pytest.fixture
def real_library(db: None) -> Path:
    """The library as it is published, loaded."""
    load(settings.CONTENT_DIR)
    return Path(settings.CONTENT_DIR)


@pytest.fixture
def lenient_client() -> Client:
    """A browser that shows the 500 page instead of raising."""
    return Client(raise_request_exception=False)
