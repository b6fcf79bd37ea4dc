"""What IPVS does with a packet in its hooks.

Facts: ip_vs_ops4 of net/netfilter/ipvs/ip_vs_core.c and ip_vs_nat_send_or_cont of ip_vs_xmit.c, Linux 6.1:

- IPVS sees packets that arrive for one of the node's addresses in LOCAL_IN, after filter and security INPUT (priority
99) and before nat INPUT (100). It sees the node's own packets in LOCAL_OUT, after nat OUTPUT (priority -98) and before
filter OUTPUT (0). - A packet that no virtual server takes continues as if there were no IPVS. - If the real server is
another machine, the packet starts over in LOCAL_OUT with the real server as its destination and the interface of the
route to it: raw, mangle and filter OUTPUT and POSTROUTING see the endpoint, FORWARD does not see the packet. nat OUTPUT
no longer decides anything, nat POSTROUTING does. IPVS does not take the packet again. - If the real server is the node
itself, the packet continues in the same hook with that destination. - A virtual server without usable real servers
answers with ICMP port-unreachable (ip_vs_leave).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import attrgetter

from ipt_explain.model import Family
from ipt_explain.model.node import VirtualServers
from ipt_explain.model.node.ipvs import Forwarding, RealServer, VirtualServer
from ipt_explain.netfilter.header import parse_address
from ipt_explain.netfilter.ipvs.lookup import ServerIndex
from ipt_explain.netfilter.ipvs.schedulers import may_refuse, server_shares
from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import Record

LOCAL_IN_PRIORITY = 99
"""The priority at which IPVS sees arriving packets in INPUT."""

LOCAL_OUT_PRIORITY = -98
"""The priority at which IPVS sees the node's own packets in OUTPUT."""


class Destination(Record):
    """A real server that a packet may be sent to.

    `to` is the packet's new destination, None if it keeps the old one (direct routing, tunnels). `share` is its
    long-run share of new connections, None if load or the client decides.
    """

    real_server: RealServer
    to: Heading | None
    share: Fraction | None


class Taken(Record):
    """A packet that a virtual server has taken: it goes to one of `destinations`, or is refused if there are none.
    `may_be_refused`: it may be refused all the same, as load or the client's address decide. `dealt`: the destinations
    in a row that get an equal share each, with that; None if any share is unknown.

    Servers of weight 0 are left out. A client that persistence binds to one still gets there, unless the node has
    expire_quiescent_template set, as kube-proxy does.
    """

    server: VirtualServer
    destinations: tuple[Destination, ...]
    may_be_refused: bool = False
    dealt: Sequence[tuple[Probability, Sequence[Destination]]] | None = None

    @property
    def refused(self) -> bool:
        """Whether the client gets port-unreachable."""
        return not self.destinations


class Balancers:
    """What a node's virtual servers do with packets. What each does is worked out once."""

    def __init__(self, found: VirtualServers) -> None:
        self.index = ServerIndex(found)
        self._taken: dict[tuple[VirtualServer, int | None], Taken] = {}

    def take(self, family: Family, protocol: int, address: int, port: int | None, mark: int) -> Taken | Truth:
        """What IPVS does with the first packet of a connection in LOCAL_IN or LOCAL_OUT: takes it, or lets it pass
        (NO); UNKNOWN if that is unknown."""
        server = self.index.find(family, protocol, address, port, mark)
        if isinstance(server, Truth):
            return server
        taken = self._taken.get((server, port))
        if taken is None:
            taken = self._taken[server, port] = _taken(server, port)
        return taken


@lru_cache(maxsize=2)
def balancers(found: VirtualServers) -> Balancers:
    """What these virtual servers do, looked up once."""
    return Balancers(found)


def _taken(server: VirtualServer, port: int | None) -> Taken:
    destinations = tuple([
        _destination(real, port, share)
        for real, share in zip(server.real_servers, server_shares(server))
        if share is None or share > 0
    ])
    dealt = [(share, tuple(alike)) for share, alike in groupby(destinations, _SHARE)]
    unknown = any(share is None for share, _ in dealt)
    return Taken(server, destinations, may_refuse(server), None if unknown else dealt)


_SHARE = attrgetter("share")


def _destination(real: RealServer, port: int | None, share: Fraction | None) -> Destination:
    if real.forwarding in (Forwarding.ROUTING, Forwarding.TUNNEL):
        return Destination(real, None, share)
    # A server of a firewall mark or of all ports keeps the port.
    return Destination(real, Heading(parse_address(real.address), real.port or port), share)
