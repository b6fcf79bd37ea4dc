"""How a virtual server spreads new connections over its real servers in the long run.

Facts: net/netfilter/ipvs/ip_vs_{rr,wrr,lc,wlc,fo,ovf,lblc,lblcr,dh,sh,mh,sed,nq,twos}.c of Linux 6.1. No scheduler
gives a connection to a server of weight 0. rr and wrr take turns: their shares are exact for many connections, but the
next connection's server is unknown. The hash tables of sh and dh include servers of weight 0, that of mh those that
once had another weight: without a fallback, connections that hash to them are refused. ovf passes over servers that
have more active connections than their weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

from ipt_explain.model.node.ipvs import RealServer, VirtualServer
from ipt_explain.netfilter.probability import ALWAYS, NEVER

_HASHING = frozenset({"sh", "dh", "mh"})
_FALLBACK = frozenset({"sh-fallback", "mh-fallback", "flag-1"})
_share = lru_cache(maxsize=1024)(Fraction)  # thousands of servers share alike


def may_refuse(server: VirtualServer) -> bool:
    """Whether some connections may be refused although some servers take connections: those that hash to a server of
    weight 0, or all if every server is at its limit."""
    takes = [real for real in server.real_servers if real.weight is None or real.weight > 0]
    if not takes:
        return False
    hashing = server.scheduler in _HASHING and _FALLBACK.isdisjoint(server.flags)
    if hashing and (len(takes) < len(server.real_servers) or any(map(_may_overflow, takes))):
        return True
    return server.scheduler == "ovf" or all(map(_may_overflow, takes))


@lru_cache(maxsize=4)  # asked for several times in turn
def server_shares(server: VirtualServer) -> tuple[Fraction | None, ...]:
    """Each real server's share of new connections, from 0 to 1, in order.

    None if load, the client or anything else unknown decides. Ignores clients that persistence binds to a server. All
    are 0 if no server takes connections.
    """
    weights = [real.weight for real in server.real_servers]
    ready = [weight is None or weight > 0 for weight in weights]
    known = None not in weights and not may_refuse(server)
    if ready.count(True) == 1 and known:
        return tuple([ALWAYS if takes else NEVER for takes in ready])
    among = _among_ready(server, ready) if known and any(ready) else [None] * len(ready)
    return tuple([share if takes else NEVER for takes, share in zip(ready, among)])


def _among_ready(server: VirtualServer, ready: Sequence[bool]) -> Sequence[Fraction | None]:
    weights = [real.weight or 0 for real in server.real_servers]
    if any(map(_may_overflow, server.real_servers)):
        return [None] * len(ready)
    if server.scheduler == "rr":
        return [_share(1, ready.count(True))] * len(ready)
    if server.scheduler == "wrr":
        total = sum(weight for weight, takes in zip(weights, ready) if takes)
        return [_share(weight, total) if takes else None for weight, takes in zip(weights, ready)]
    if server.scheduler == "fo" and weights.count(max(weights)) == 1:
        return [ALWAYS if weight == max(weights) else NEVER for weight in weights]
    return [None] * len(ready)


def _may_overflow(real: RealServer) -> bool:
    """Whether a server stops taking connections at an upper limit (`ipvsadm -x`)."""
    return bool(real.upper)
