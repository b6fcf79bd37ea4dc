"""What nobody needs any more is freed at once, except by a command after whose work the program ends."""

from __future__ import annotations

import weakref

import pytest

from ipt_explain import collector


class _Thing:
    pass


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "_kept", [])


def _kept() -> weakref.ref[_Thing]:
    thing = _Thing()
    collector.keep(thing)
    return weakref.ref(thing)


def test_a_library_keeps_nothing() -> None:
    assert _kept()() is None


def test_a_command_that_ends_the_program_keeps_what_the_last_node_needed() -> None:
    collector.keep_until_exit()
    kept = _kept()
    assert kept() is not None
    collector.free_kept()
    assert kept() is None
