"""The garbage collector, out of the way of work that makes many objects and no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_MANY = 100_000


@contextmanager
def collector_paused() -> Iterator[None]:
    """No search for cycles inside the block. A big dump makes a million objects and not one cycle; searching them
    again and again would double the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def cycles_freed() -> Iterator[None]:
    """Free at the end what was made inside and only cycles hold. What there was before is not looked at, so this costs
    next to nothing, however big the dump.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()


def free_cycles() -> None:
    """Free what only cycles hold, where much has been made while the collector was paused: for work that is done again
    and again, node by node. Costs what was made since, not what there is.
    """
    if gc.get_count()[0] > _MANY:
        gc.collect(1)
