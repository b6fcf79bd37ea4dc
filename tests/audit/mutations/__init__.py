"""Healthy dumps made unhealthy, one fault at a time, by someone who does not know what the audit looks for.

Each mutation changes what happens to traffic and names where that shows: the chain it touches, or the service it
hurts. They are drawn with a seed, so that a failure can be repeated.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.audit.mutations import affinity, balancing, endpoints, external, filtering, hooks, marks, services
from tests.audit.mutations.faults import MUTATORS, Dump, Mutation

__all__ = ["KINDS", "Dump", "Mutation", "mutations"]

KINDS = (hooks, balancing, endpoints, affinity, marks, services, external, filtering)
"""The modules whose mutators are registered by being imported."""


def mutations(text: str, seed: int) -> Iterator[Mutation]:
    """One mutation of each kind that a dump allows."""
    dump = Dump.of(text)
    for name, function in MUTATORS.items():
        mutation = function(dump, random.Random(f"{seed} {name}"))
        if mutation is not None:
            yield mutation
