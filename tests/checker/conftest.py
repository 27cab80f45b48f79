"""Checks in tests don't wait for a proxy to write its spend, and stay on the test's own connection."""

import pytest


@pytest.fixture(autouse=True)
def _as_in_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kb.checker.running.WRITE_LAG", 0.01)
    monkeypatch.setattr("kb.checker.running.close_old_connections", lambda: None)
