"""Comparing traces with what the kernel did."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from ipt_explain.model import Dump
from ipt_explain.trace import Packet, Trace, trace
from ipt_explain.trace.outcome import Ending, Outcome
from tests.kernel.laboratory import Fate, Laboratory, Shot

IMPROBABLE = 1e-6


def foretell(dump: Dump, shot: Shot, laboratory: Laboratory, assume: Iterable[str] = ()) -> Trace:
    """The trace of a packet through the laboratory's node."""
    host = shot.origin == "host"
    packet = Packet(
        shot.source,
        shot.destination,
        shot.protocol,
        shot.port,
        entry="output" if host else "prerouting",
        in_interface=None if host else {"pod": "cni0", "external": "eth0"}[shot.origin],
    )
    return trace(dump, packet, local_addresses=laboratory.local_addresses, out_interface="snk0", assume=assume)


def disagreement(foretold: Trace, observed: Counter[Fate], masquerade_shows: bool = True) -> str:
    """How the kernel's results differ from the trace's, in kind or frequency; "" if they agree.

    `masquerade_shows` is False for packets whose source stays the same when masqueraded.
    """
    expected: dict[Fate, float] = {}
    for outcome in foretold.outcomes:
        for changed, share in _changed_sources(outcome):
            masqueraded = outcome.masqueraded and masquerade_shows and changed
            fate = _fate(outcome.verdict, outcome.delivered, outcome.dnat, masqueraded)
            expected[fate] = expected.get(fate, 0.0) + share
    seen: Counter[Fate] = Counter()
    for fate, count in observed.items():
        seen[Fate(fate.verdict, fate.dnat, fate.masqueraded and masquerade_shows)] += count
    total = sum(seen.values())
    surprising = [fate for fate in seen if not expected.get(fate)]
    if surprising:
        return f"not foretold: {surprising}; foretold: {expected}"
    bins = _bins([(share * total, seen[fate]) for fate, share in expected.items()])
    statistic = sum((count - hoped) ** 2 / hoped for hoped, count in bins)
    if chance_of(statistic, len(bins) - 1) < IMPROBABLE:
        return f"too far off: seen {dict(seen)} of {total}, foretold {expected}"
    return ""


def chance_of(statistic: float, freedom: int) -> float:
    """The chance of a chi-square statistic at least as large (Wilson and Hilferty's approximation)."""
    if freedom <= 0:
        return 1.0 if statistic < 1e-6 else 0.0
    spread = 2 / (9 * freedom)
    return 0.5 * math.erfc(((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread) / math.sqrt(2))


def _bins(pairs: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """Expected and seen counts, with rare ones merged until five are expected, the least that chi-square can judge."""
    bins: list[tuple[float, int]] = []
    hoped, count = 0.0, 0
    for one_hoped, one_count in sorted(pairs):
        hoped, count = hoped + one_hoped, count + one_count
        if hoped >= 5:
            bins.append((hoped, count))
            hoped, count = 0.0, 0
    if hoped and bins:
        last_hoped, last_count = bins.pop()
        bins.append((last_hoped + hoped, last_count + count))
    return bins


def _changed_sources(outcome: object) -> list[tuple[bool, float]]:
    """For each path of an outcome, whether a changed source is visible, and the path's share."""
    if isinstance(outcome, Outcome):
        return [(_changes_the_source(ending), float(ending.share)) for ending in outcome.endings]
    return [(True, outcome.probability)]  # type: ignore[attr-defined]  # of a walk through nftables alone


def _changes_the_source(ending: Ending) -> bool:
    """Whether a rule visibly rewrote the source: SNAT and NETMAP may write the same address."""
    return ending.state.snat or any("masquerade" in step.text.lower() for step in ending.steps)


def _fate(verdict: str, delivered: bool | None, dnat: str | None, masqueraded: bool) -> Fate:
    words = {"ACCEPT": "local" if delivered else "forwarded", "DROP": "dropped", "REJECT": "rejected"}
    return Fate(words.get(verdict, verdict), dnat, masqueraded)
