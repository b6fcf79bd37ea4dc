"""IPVS, the kernel's transport load balancer: virtual servers and the real servers that they send connections to."""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.model.kernel import Family
from ipt_explain.records import Record


class Forwarding(Enum):
    """How packets get to a real server; the names are those of `ipvsadm -L`."""

    MASQUERADING = "Masq"  # the destination is rewritten: what kube-proxy uses
    ROUTING = "Route"  # sent on with the virtual address in it
    TUNNEL = "Tunnel"  # the same inside another packet
    LOCAL = "Local"  # the node itself


class RealServer(Record):
    """A server that a virtual server sends connections to.

    `weight` is None if the listing has other columns (`ipvsadm -L --stats`). At weight 0 it gets no new connections,
    nor above `upper` connections.
    """

    address: str
    port: int
    forwarding: Forwarding | None
    weight: int | None
    line: int
    upper: int | None = None


class Persistence(Record):
    """A client stays with its real server until it has been silent for `seconds`; clients whose addresses agree in the
    first `prefix_length` bits (None: in all) count as one."""

    seconds: int
    prefix_length: int | None = None


class VirtualServer(Record, eq=False):
    """One address, protocol and port that IPVS serves, or one firewall mark.

    `protocol` is `tcp`, `udp` or `sctp`; it, `address` and `port` are None for a server of a `fwmark`. Port 0 stands
    for all. `scheduler` is None if the listing has other columns; then `persistence` is unknown, too.
    """

    family: Family
    protocol: str | None
    address: str | None
    port: int | None
    fwmark: int | None
    scheduler: str | None
    flags: tuple[str, ...]
    persistence: Persistence | None
    real_servers: tuple[RealServer, ...]
    line: int
