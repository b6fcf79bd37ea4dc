"""What all tests share: surroundings that do not leak into what the program prints."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.golden_support import golden, pytest_addoption

__all__ = ["golden", "plain_surroundings", "pytest_addoption"]

# No test depends on how busy the machine is.
settings.register_profile("ipt-explain", deadline=None)
settings.load_profile("ipt-explain")

_LEAKS = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "PAGER", "GITHUB_ACTIONS")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colour, width or CI service from the developer's own terminal."""
    for name in _LEAKS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "dumb")
