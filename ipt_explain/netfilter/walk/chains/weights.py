"""How many packets enter each visit: shares that flow down from callers to callees."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.netfilter.probability import ALWAYS, Probability, product, products, total
from ipt_explain.netfilter.walk.chains.visit import Call, Visit


def spread_weights(finished: Sequence[Visit]) -> None:
    """Let every visit know how many packets enter it. Callers come after their callees in the order finished."""
    heaviest: dict[Visit, Probability] = {}
    for visit in reversed(finished):
        for callee, call in visit.calls:
            weights = _weights(visit, call)
            callee.weights = _added(callee.weights, weights)
            largest = weights[0] if isinstance(weights, list) else weights
            if callee.caller is None or largest > heaviest[callee]:
                heaviest[callee] = largest
                callee.caller = call


def _weights(visit: Visit, call: Call) -> Probability | list[Probability]:
    """The shares of packets that a call lets into a chain, one for all rows or one a row."""
    weights, shares, origin = visit.weights, call.shares, call.origin
    if isinstance(weights, list):
        own = weights if origin is None else [weights[row] for row in origin]
        if isinstance(shares, Sequence):
            return products(own, shares)
        return own if shares is ALWAYS else products(own, [shares] * len(own))
    if isinstance(shares, Sequence):
        return list(shares) if weights is ALWAYS else products([weights] * len(shares), shares)
    return product(weights, shares)


def _added(
    held: Probability | list[Probability], more: Probability | list[Probability]
) -> Probability | list[Probability]:
    if not isinstance(held, list) and not held:
        return more
    if not isinstance(held, list) and not isinstance(more, list):
        return total(held, more)
    count = len(held) if isinstance(held, list) else len(more) if isinstance(more, list) else 0
    one = held if isinstance(held, list) else [held] * count
    other = more if isinstance(more, list) else [more] * count
    return list(map(total, one, other))
