"""Which packets reach an endpoint of their Service, for many packets at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import contains, not_

from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.walk.flock import Flock


class Reached:
    """Looks up flocks of a crowd: `endpoints` are those of each packet's Service."""

    def __init__(self, endpoints: Sequence[frozenset[Heading]]) -> None:
        self.endpoints = endpoints
        self._latest: tuple[Flock, tuple[frozenset[int], frozenset[int]]] | None = None

    def by(self, flock: Flock) -> tuple[frozenset[int], frozenset[int]]:
        """The packets that reach an endpoint, and the others. From each vantage point mostly the same packets reach the
        same endpoints.
        """
        if self._latest is None or not flock.same_packets(self._latest[0]):
            reached = list(map(contains, map(self.endpoints.__getitem__, flock.who), flock.to))
            found = frozenset(compress(flock.who, reached)), frozenset(compress(flock.who, map(not_, reached)))
            self._latest = Flock(flock.who, flock.to, flock.shares), found
        return self._latest[1]
