"""Balancing chains whose counters do not match their probabilities.

Only the first packet of a connection crosses table nat, so a rule's packets are the connections it took. A full sync
resets the counters of all rules of a chain together (kube-proxy declares the chain again), so they stay comparable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ipt_explain.analyzers.iptables.balancing import BalancerReader, Spread
from ipt_explain.analyzers.iptables.endpoints import EndpointForms
from ipt_explain.analyzers.names import BALANCING_ROLES, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Rule
from ipt_explain.records import Record

FEWEST = 200
"""Connections below which a chain is not judged."""
FEWEST_EXPECTED = 5.0
"""A chi-square test needs this many expected connections in each class."""
CHANCE = 1e-6
"""How unlikely a distribution must be."""
DEVIATION = 0.25
"""How far off an endpoint must be: an unlikely difference may still be small."""


class Skew(Record):
    """A chain that did not spread evenly: the rule that deviates most, and the others. Counts are connections."""

    rule: Rule
    others: tuple[Rule, ...]
    observed: int
    expected: float
    total: int


@fact
def skews(context: RulesetContext) -> tuple[Skew, ...]:
    """Every balancing chain of a ruleset whose counters chance cannot explain."""
    nat = context.table("nat")
    if nat is None:
        return ()
    reader = BalancerReader(nat, context.plans, EndpointForms(context.plans))
    chains = [chain for name, chain in nat.chains.items() if role_of(name) in BALANCING_ROLES]
    reader.read_ahead([chain.name for chain in chains])
    return tuple(skew for chain in chains if (skew := _skew(chain, reader.read(chain.name, None))) is not None)


def _skew(chain: Chain, spread: Spread) -> Skew | None:
    counted = [chain.packets_of(number) for number in spread.balancing]
    shares = [share for share in spread.shares if share is not None]
    if len(counted) < 2 or len(shares) < len(counted) or counted[-1] is None:
        return None
    counts = [packets or 0 for packets in counted]
    total = sum(counts)
    if total < FEWEST or min(shares) * total < FEWEST_EXPECTED or not math.isclose(sum(shares), 1.0):
        return None
    expected = [share * total for share in shares]
    furthest = max(range(len(counts)), key=lambda index: abs(counts[index] - expected[index]) / expected[index])
    deviation = abs(counts[furthest] - expected[furthest]) / expected[furthest]
    if deviation < DEVIATION or _chi_square_chance(counts, expected) > CHANCE:
        return None
    rules = [chain.rule(number) for number in spread.balancing]
    others = tuple(rule for rule in rules if rule is not rules[furthest])
    return Skew(rules[furthest], others, counts[furthest], expected[furthest], total)


def _chi_square_chance(observed: Sequence[float], expected: Sequence[float]) -> float:
    """The chance of a deviation at least this large (Wilson and Hilferty's approximation, 1931)."""
    freedom = len(observed) - 1
    distance = sum((seen - likely) ** 2 / likely for seen, likely in zip(observed, expected))
    spread = 2.0 / (9.0 * freedom)
    deviate = ((distance / freedom) ** (1.0 / 3.0) - (1.0 - spread)) / math.sqrt(spread)
    return 0.5 * math.erfc(deviate / math.sqrt(2.0))
