"""Pausing the garbage collector for work that makes many objects and no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 100_000


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
