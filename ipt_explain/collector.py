"""Pauses garbage collection during work that makes many objects and no cycles, and spares objects that end with the
program anyway."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 100_000
_kept: list[list[object]] = []
"""None, or one after `keep_until_exit`."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Pause the garbage collector inside the block. A big dump makes a million objects without a cycle; scanning them
    repeatedly would double the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def free_cycles() -> None:
    """Free cycles if many objects were made while the collector was paused: for work that repeats node by node. The
    cost depends on what was made since the last call, not on all objects."""
    if gc.get_count()[0] > _MANY:
        gc.collect(1)


def keep_until_exit() -> None:
    """Let `keep` keep objects from now on: for a command that ends the program after its work, not for a library."""
    _kept[:] = [[]]


def keep(*objects: object) -> None:
    """Keep objects that are no longer needed until `free_kept` or the program's end. Freeing what a large node was
    explained with, object by object, takes half as long as writing the answer."""
    for kept in _kept:
        kept.extend(objects)


def free_kept() -> None:
    """Free what was kept: for work that repeats node by node."""
    for kept in _kept:
        kept.clear()
