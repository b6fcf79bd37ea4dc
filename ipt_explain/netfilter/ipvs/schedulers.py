"""How a virtual server spreads new connections over its real servers in the long run.

Facts: net/netfilter/ipvs/ip_vs_{rr,wrr,lc,wlc,fo,ovf,lblc,lblcr,dh,sh,mh,sed,nq,twos}.c of Linux 6.1. No scheduler
gives a connection to a server of weight 0. rr and wrr take turns: their shares are exact for many connections, but the
next connection's server is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ipt_explain.model.node.ipvs import RealServer, VirtualServer

_HASH_ALL = frozenset({"sh", "dh"})


def _refuses_some(server: VirtualServer) -> bool:
    """Whether some connections are refused although other servers would take them: the hash tables of sh and dh include
    servers of weight 0 (ip_vs_sh_get and ip_vs_dh_schedule)."""
    takes = [real.weight is None or real.weight > 0 for real in server.real_servers]
    return server.scheduler in _HASH_ALL and any(takes) and not all(takes) and "sh-fallback" not in server.flags


def shares(server: VirtualServer) -> tuple[Fraction | None, ...]:
    """Each real server's share of new connections, from 0 to 1, in order.

    None if load, the client or anything else unknown decides. Ignores clients that persistence binds to a server. All
    are 0 if no server takes connections.
    """
    weights = [real.weight for real in server.real_servers]
    ready = [weight is None or weight > 0 for weight in weights]
    known = None not in weights and not _refuses_some(server)
    if ready.count(True) == 1 and known:
        return tuple(Fraction(takes) for takes in ready)
    among = _among_ready(server, ready) if known and any(ready) else [None] * len(ready)
    return tuple(share if takes else Fraction(0) for takes, share in zip(ready, among))


def _among_ready(server: VirtualServer, ready: Sequence[bool]) -> Sequence[Fraction | None]:
    weights = [real.weight or 0 for real in server.real_servers]
    if any(map(_may_overflow, server.real_servers)):
        return [None] * len(ready)
    if server.scheduler == "rr":
        return [Fraction(1, ready.count(True))] * len(ready)
    if server.scheduler == "wrr":
        total = sum(weight for weight, takes in zip(weights, ready) if takes)
        return [Fraction(weight, total) if takes else None for weight, takes in zip(weights, ready)]
    if server.scheduler == "fo" and weights.count(max(weights)) == 1:
        return [Fraction(weight == max(weights)) for weight in weights]
    return [None] * len(ready)


def _may_overflow(real: RealServer) -> bool:
    """Whether a server stops taking connections at an upper limit (`ipvsadm -x`)."""
    return bool(real.upper)
