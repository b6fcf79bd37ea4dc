"""The progress of long work, for a display that shows it to a waiting user.

Work that takes long on a large dump records what it does and how much is done, at the cost of an assignment. A process
does one thing at a time, so only the latest stage counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Work:
    """Current work in a word or two, with `done` of `total`, in any unit."""

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
    stage: Work | None = None
    known: Sequence[str] = ()
    hide: Callable[[], None] | None = None


def begin(name: str, total: int) -> Work:
    """Start a new stage, which replaces the last. The work itself sets its `done`."""
    _Now.stage = Work(name, total)
    return _Now.stage


def each_of(items: Sequence[Item], name: str) -> Iterator[Item]:
    """Iterate over the items as a stage of that many steps."""
    stage = begin(name, len(items))
    for stage.done, item in enumerate(items):
        yield item


def now() -> Work | None:
    """The current stage, None before the first."""
    return _Now.stage


def known() -> Sequence[str]:
    """The first lines of the output, if they are known."""
    return _Now.known


def know(lines: Sequence[str]) -> None:
    """Have the first lines of the output displayed above the stage, until they are printed."""
    _Now.known = lines


def shown(hide: Callable[[], None]) -> None:
    """Register the function that erases a displayed progress; `hide` calls it."""
    _Now.hide = hide


def is_shown() -> bool:
    """Whether there is a display."""
    return _Now.hide is not None


def hide() -> None:
    """Erase the progress for good, before other output."""
    hiding, _Now.hide = _Now.hide, None
    if hiding is not None:
        hiding()
