"""What tests of the team's room share."""

from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from tests.team import desk


@pytest.fixture
def shelf(library: Path, settings: Settings) -> Path:
    """The small library, with its folder as the site's content."""
    settings.CONTENT_DIR = library
    return library


@pytest.fixture
def author(shelf: Path) -> Client:
    """An editor who writes."""
    return desk.person("author")


@pytest.fixture
def second(shelf: Path) -> Client:
    """Another editor, who reads."""
    return desk.person("second")


@pytest.fixture
def boss(shelf: Path) -> Client:
    """An administrator."""
    return desk.person("boss", "Administrators")
