"""Fixtures and settings for all tests: an environment that does not affect the program's output."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest
from hypothesis import settings

import ipt_explain
from tests.golden_support import golden, pytest_addoption

__all__ = ["golden", "plain_surroundings", "pytest_addoption"]

# Tests must not depend on the machine's load.
settings.register_profile("ipt-explain", deadline=None)
settings.load_profile("ipt-explain")

_LEAKS = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM", "PAGER", "GITHUB_ACTIONS")


def pytest_configure(config: pytest.Config) -> None:
    """If Hypothesis gets a seed, make its inputs depend on nothing else.

    It also draws constants of all imported modules (hypothesis.internal.constants_ast), which depend on the tests that a
    worker ran before.
    """
    if config.getoption("hypothesis_seed", None) is not None:
        for module in pkgutil.walk_packages(ipt_explain.__path__, "ipt_explain."):
            if not module.name.endswith("__main__"):
                import_module(module.name)


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No colour, width or CI service from the developer's own terminal."""
    for name in _LEAKS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "dumb")
