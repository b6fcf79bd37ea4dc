"""What becomes of a packet in IPVS's hooks.

Facts: ip_vs_ops4 of net/netfilter/ipvs/ip_vs_core.c and ip_vs_nat_send_or_cont of ip_vs_xmit.c, Linux 6.1:

- In LOCAL_IN a packet that arrives for one of the node's addresses is asked after filter and security INPUT (priority
  99) and ahead of nat INPUT (100). In LOCAL_OUT one that the node sends is asked after nat OUTPUT (priority -98) and
  ahead of filter OUTPUT (0).
- A packet that no virtual server takes goes on as if there were no IPVS.
- A packet for another machine goes to LOCAL_OUT from its beginning, with the real server as its destination and the
  interface of the route to it: raw, mangle and filter OUTPUT, and then POSTROUTING, see the endpoint; FORWARD sees
  nothing of it. nat OUTPUT has nothing to decide any more, nat POSTROUTING has. IPVS does not take it again.
- A packet for the node itself goes on in the hook where it is, with the real server as its destination.
- A virtual server that has nobody to send to answers with ICMP's port-unreachable (ip_vs_leave).
"""

from __future__ import annotations

from fractions import Fraction

from ipt_explain.model import Family
from ipt_explain.model.node.facts import VirtualServers
from ipt_explain.model.node.ipvs import Forwarding, RealServer, VirtualServer
from ipt_explain.netfilter.header.addresses import parse_address
from ipt_explain.netfilter.ipvs.lookup import server_index
from ipt_explain.netfilter.ipvs.schedulers import shares
from ipt_explain.netfilter.truth import Truth
from ipt_explain.records import dataclass

LOCAL_IN_PRIORITY = 99
"""Where among INPUT's priorities IPVS asks packets that arrive."""

LOCAL_OUT_PRIORITY = -98
"""Where among OUTPUT's priorities IPVS asks packets that the node sends."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A real server that a packet may be sent to.

    `address` and `port` are where the packet then goes; None where its destination stays what it was (direct routing,
    tunnels). `share` is its share of new connections in the long run, None where load or the client decide.
    """

    real_server: RealServer
    address: int | None
    port: int | None
    share: Fraction | None


@dataclass(frozen=True, slots=True)
class Taken:
    """A packet that a virtual server has taken: to one of `destinations`, or refused where there are none.

    A server of weight 0 is none of them; a client that persistence still binds to it gets there all the same, unless
    the node has expire_quiescent_template set, as kube-proxy does.
    """

    server: VirtualServer
    destinations: tuple[Destination, ...]

    @property
    def refused(self) -> bool:
        """Whether the client gets port-unreachable."""
        return not self.destinations


def take(
    found: VirtualServers, family: Family, protocol: int, address: int, port: int | None, mark: int = 0
) -> Taken | Truth:
    """What IPVS does with the first packet of a connection, in LOCAL_IN or LOCAL_OUT: it takes it; NO: it lets it pass;
    UNKNOWN: one of both."""
    server = server_index(found).find(family, protocol, address, port, mark)
    if isinstance(server, Truth):
        return server
    destinations = tuple(
        _destination(real, port, share)
        for real, share in zip(server.real_servers, shares(server))
        if share is None or share > 0
    )
    return Taken(server, destinations)


def _destination(real: RealServer, port: int | None, share: Fraction | None) -> Destination:
    if real.forwarding in (Forwarding.ROUTING, Forwarding.TUNNEL):
        return Destination(real, None, None, share)
    # A server of a firewall mark or of all ports keeps the port.
    return Destination(real, parse_address(real.address), real.port or port, share)
