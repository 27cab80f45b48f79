"""Checks in tests don't wait for a proxy to write its spend."""

import pytest


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.checker.running.WRITE_LAG", 0.01)
