"""The sets that kube-proxy makes in IPVS mode, by name.

Facts: pkg/proxy/ipvs/ipset.go and proxier.go (`ipsetInfo`) of kube-proxy 1.14 to 1.36. A set of IPv6 is called KUBE-6-…
in place of KUBE-…; the kernel keeps 31 characters of a name, so that kube-proxy cuts it there.
"""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.records import dataclass

_LONGEST_NAME = 31


class SetRole(Enum):
    """What kube-proxy keeps in a set."""

    CLUSTER_IP = "CLUSTER-IP"
    EXTERNAL_IP = "EXTERNAL-IP"  # external traffic policy Cluster
    EXTERNAL_IP_LOCAL = "EXTERNAL-IP-LOCAL"  # 1.18 and later: of policy Local, in this set alone
    LOAD_BALANCER = "LOAD-BALANCER"
    LOAD_BALANCER_LOCAL = "LOAD-BALANCER-LOCAL"  # those of policy Local, which are in LOAD-BALANCER too
    LOAD_BALANCER_FIREWALL = "LOAD-BALANCER-FW"  # those with source ranges
    SOURCE_RANGES = "LOAD-BALANCER-SOURCE-CIDR"
    OWN_SOURCE = "LOAD-BALANCER-SOURCE-IP"  # the address as its own source, where the node is in a range
    NODE_PORT_TCP = "NODE-PORT-TCP"
    NODE_PORT_UDP = "NODE-PORT-UDP"
    NODE_PORT_SCTP = "NODE-PORT-SCTP-HASH"
    NODE_PORT_SCTP_BITMAP = "NODE-PORT-SCTP"  # up to 1.16
    NODE_PORT_LOCAL_TCP = "NODE-PORT-LOCAL-TCP"
    NODE_PORT_LOCAL_UDP = "NODE-PORT-LOCAL-UDP"
    NODE_PORT_LOCAL_SCTP = "NODE-PORT-LOCAL-SCTP-HASH"
    NODE_PORT_LOCAL_SCTP_BITMAP = "NODE-PORT-LOCAL-SCTP"
    HEALTH_CHECK_NODE_PORT = "HEALTH-CHECK-NODE-PORT"  # 1.21 and later
    BOUND_ADDRESSES = "IPVS-IPS"  # 1.26 and later: all addresses on kube-ipvs0
    LOOP_BACK = "LOOP-BACK"  # each endpoint of this node, as its own client

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class NamedSet:
    """What a set's name tells."""

    role: SetRole
    family: Family


def set_name(role: SetRole, family: Family) -> str:
    """The name that kube-proxy gives to a set."""
    prefix = "KUBE-" if family is Family.IPV4 else "KUBE-6-"
    return f"{prefix}{role.value}"[:_LONGEST_NAME]


_BY_NAME = {set_name(role, family): NamedSet(role, family) for role in SetRole for family in Family}


def named_set(name: str) -> NamedSet | None:
    """What kube-proxy keeps in the set of this name; None for a set that is not its own."""
    return _BY_NAME.get(name)
