"""How far the work is, for whoever shows it to a person who waits.

Work that takes long on a large dump says what it does and how much of that is done, which costs an assignment. A
process does one thing at a time, so there is one stage that counts, the latest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Stage:
    """What is being done, in a word or two, and how much of it: `done` of `total`, in any unit."""

    __slots__ = ("done", "name", "total")

    def __init__(self, name: str, total: int) -> None:
        self.name = name
        self.total = total
        self.done = 0

    @property
    def text(self) -> str:
        """`reading 40 %`."""
        return f"{self.name} {100 * self.done // self.total} %" if self.total else self.name


class _Now:
    stage: Stage | None = None
    hide: Callable[[], None] | None = None


def begin(name: str, total: int) -> Stage:
    """A new stage, the one that counts from now on. Whoever does the work sets its `done`."""
    _Now.stage = Stage(name, total)
    return _Now.stage


def each_of(items: Sequence[Item], name: str) -> Iterator[Item]:
    """The items, as a stage of so many steps."""
    stage = begin(name, len(items))
    for stage.done, item in enumerate(items):
        yield item


def now() -> Stage | None:
    """The stage that counts, None before the first."""
    return _Now.stage


def shown(hide: Callable[[], None]) -> None:
    """Somebody shows the progress on a terminal until `hide` is called."""
    _Now.hide = hide


def hide() -> None:
    """Take the progress off the terminal, for good: now something else is printed there."""
    hiding, _Now.hide = _Now.hide, None
    if hiding is not None:
        hiding()
