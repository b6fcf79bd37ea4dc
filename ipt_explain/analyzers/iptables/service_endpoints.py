"""The endpoints of a service port, from the balancers that lead to them."""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.iptables.balancing import Spread
from ipt_explain.analyzers.iptables.endpoints import Destination
from ipt_explain.services.columns import Columns, columns, in_columns, nothing
from ipt_explain.services.ports import Endpoint, Scope

_FIELDS = ("address", "port", "name", "marked", "packets", "evidence")
Led = tuple[Columns[Destination], Sequence[float | None]]
"""Where connections to a ClusterIP may end, each with its chance."""


def endpoints_of(spreads: Sequence[Spread], cluster: Spread | None, fragment: bool) -> Columns[Endpoint]:
    """All endpoints to which a balancer of a service port leads, with their chances (0..1) at the ClusterIP.

    `cluster` is the ClusterIP's balancer, one of `spreads`; None if there is none or the input does not show it. In a
    `fragment`, what the input does not show may exist.
    """
    # If the input does not show where the ClusterIP leads, that may be any endpoint.
    elsewhere = None if fragment and (cluster is None or cluster.unmatched is None) else 0.0
    led, chances = _led(spreads, cluster, elsewhere)
    addresses, ports, names, marked, packets, evidence = columns(led, _FIELDS)
    none = nothing(len(names))
    hairpins = [each or None for each in marked] if fragment else marked
    local: set[str] = set()
    timeouts: dict[str, int | None] = {}
    for spread in spreads:
        if spread.scope is Scope.LOCAL:
            local.update(spread.destinations.column("name"))
        for affinity in spread.affinity:
            timeouts.setdefault(affinity.chain, affinity.seconds)
    return Columns(
        Endpoint,
        address=addresses,
        port=ports,
        chain=names,
        probability=chances,
        local=[name in local or None for name in names] if local else none,
        hairpin=hairpins,
        affinity_timeout=list(map(timeouts.get, names)) if timeouts else none,
        packets=none if packets.count(None) == len(packets) else packets,
        evidence=evidence,
        marked=hairpins,
    )


def _led(spreads: Sequence[Spread], cluster: Spread | None, elsewhere: float | None) -> Led:
    """All destinations, each chain once, in the order met. `elsewhere` is the chance of those to which the ClusterIP
    does not lead.
    """
    if len(spreads) == 1:
        led = spreads[0].destinations
        names = led.column("name")
        if len(set(names)) == len(names):
            return led, spreads[0].shares if spreads[0] is cluster else [elsewhere] * len(names)
    found: dict[str, Destination] = {}
    chances: dict[str, float | None] = {}
    for spread in spreads:
        for destination, share in zip(spread.destinations, spread.shares):
            name = destination.name
            if name not in found:
                found[name] = destination
                chances[name] = share if spread is cluster else elsewhere
            elif spread is cluster:
                before = chances[name]
                chances[name] = None if before is None or share is None else before + share
    return in_columns(list(found.values()), Destination), list(chances.values())
