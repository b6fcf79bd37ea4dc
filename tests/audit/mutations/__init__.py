"""Planting faults in healthy dumps, one at a time, without regard to what the audit looks for.

Each mutation changes what happens to traffic and names the chains that it touches or the services that it affects. A
seed makes failures repeatable.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.audit.mutations import affinity, balancing, endpoints, external, filtering, hooks, marks, services
from tests.audit.mutations.faults import MUTATORS, Dump, Mutation

__all__ = ["KINDS", "Dump", "Mutation", "mutations"]

KINDS = (hooks, balancing, endpoints, affinity, marks, services, external, filtering)
"""Importing these modules registers their mutators."""


def mutations(text: str, seed: int) -> Iterator[Mutation]:
    """One mutation of each kind that is possible in a dump."""
    dump = Dump.of(text)
    for name, function in MUTATORS.items():
        mutation = function(dump, random.Random(f"{seed} {name}"))
        if mutation is not None:
            yield mutation
