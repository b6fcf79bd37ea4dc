"""The sets that kube-proxy makes in IPVS mode, by name.

Facts: pkg/proxy/ipvs/ipset.go and proxier.go (`ipsetInfo`) of kube-proxy 1.14 to 1.36. Names of IPv6 sets begin with
KUBE-6- instead of KUBE-. The kernel allows 31 characters, so kube-proxy cuts longer names.
"""

from __future__ import annotations

from ipt_explain.enums import Enum
from ipt_explain.model import Family

_LONGEST_NAME = 31


class SetRole(Enum):
    """What kube-proxy keeps in a set."""

    CLUSTER_IP = "CLUSTER-IP"
    EXTERNAL_IP = "EXTERNAL-IP"  # external traffic policy Cluster
    EXTERNAL_IP_LOCAL = "EXTERNAL-IP-LOCAL"  # policy Local, since 1.18; not in EXTERNAL-IP
    LOAD_BALANCER = "LOAD-BALANCER"
    LOAD_BALANCER_LOCAL = "LOAD-BALANCER-LOCAL"  # policy Local; also in LOAD-BALANCER
    LOAD_BALANCER_FIREWALL = "LOAD-BALANCER-FW"  # those with source ranges
    SOURCE_RANGES = "LOAD-BALANCER-SOURCE-CIDR"
    OWN_SOURCE = "LOAD-BALANCER-SOURCE-IP"  # the address as its own source, if the node is in a range
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


def set_name(role: SetRole, family: Family) -> str:
    """The name of kube-proxy's set."""
    prefix = "KUBE-" if family is Family.IPV4 else "KUBE-6-"
    return f"{prefix}{role.value}"[:_LONGEST_NAME]
