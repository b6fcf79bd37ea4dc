"""Other programs that write rules on a Kubernetes node: their chains' names and comments.

From the sources of each project. A chain's name had the same purpose in all versions seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ipt_explain.patterns import lazy_pattern

_Known = tuple[str, str]

EXACT: Mapping[str, _Known] = {
    # Docker
    "DOCKER": ("Docker", "published ports and access to containers"),
    "DOCKER-USER": ("Docker", "left for the administrator's own rules before Docker's"),
    "DOCKER-FORWARD": ("Docker", "forwarding to and from containers (28 or later)"),
    "DOCKER-CT": ("Docker", "accepts known connections to containers (28 or later)"),
    "DOCKER-BRIDGE": ("Docker", "sends packets on to the chains of each bridge (28 or later)"),
    "DOCKER-INTERNAL": ("Docker", "keeps internal networks apart (28 or later)"),
    "DOCKER-INGRESS": ("Docker", "published ports of Swarm services"),
    "DOCKER-ISOLATION": ("Docker", "keeps bridge networks apart"),
    "DOCKER_OUTPUT": ("kind", "leads containers' DNS questions to Docker's resolver"),
    "DOCKER_POSTROUTING": ("kind", "rewrites answers of Docker's resolver"),
    # CNI plugins
    "CNI-HOSTPORT-DNAT": ("CNI portmap", "looks up host ports"),
    "CNI-HOSTPORT-SETMARK": ("CNI portmap", "marks host port connections to be masqueraded"),
    "CNI-HOSTPORT-MASQ": ("CNI portmap", "masquerades marked host port connections"),
    "CNI-HOSTPORT-SNAT": ("CNI portmap", "masquerades host port connections (older versions)"),
    "CNI-FORWARD": ("CNI firewall", "accepts forwarded packets of pods"),
    "CNI-ADMIN": ("CNI firewall", "left for the administrator's own rules"),
    "CNI-ISOLATION-STAGE-1": ("CNI firewall", "keeps bridge networks apart"),
    "CNI-ISOLATION-STAGE-2": ("CNI firewall", "keeps bridge networks apart"),
    # Container runtimes' host ports
    "KUBE-HOSTPORTS": ("CRI-O or dockershim", "looks up host ports of pods"),
    "CRIO-HOSTPORTS-MASQ": ("CRI-O", "masquerades connections to host ports"),
    # Pod networks
    "FLANNEL": ("flannel", "masquerades what pods send outside the pod network (older versions)"),
    "FLANNEL-POSTRTG": ("flannel", "masquerades what pods send outside the pod network"),
    "FLANNEL-FWD": ("flannel", "accepts forwarded packets of the pod network"),
    "WEAVE": ("Weave Net", "masquerades what pods send outside the pod network"),
    "WEAVE-EXPOSE": ("Weave Net", "lets outside traffic into exposed networks"),
    "WEAVE-CANARY": ("Weave Net", "stays empty: if it vanishes, somebody flushed the rules"),
    "KIND-MASQ-AGENT": ("kindnet", "masquerades what pods send outside the cluster"),
    "IP-MASQ": ("ip-masq-agent", "masquerades what pods send outside the cluster"),
    "IP-MASQ-AGENT": ("ip-masq-agent", "masquerades what pods send outside the cluster"),
    "SWIFT": ("Azure CNI", "rewrites the source of what pods send outside"),
    "SWIFT-POSTROUTING": ("Azure CNI", "rewrites the source of what pods send outside"),
    # Host firewalls and others
    "INPUT_direct": ("firewalld", "rules given directly by the administrator"),
    "FORWARD_direct": ("firewalld", "rules given directly by the administrator"),
    "OUTPUT_direct": ("firewalld", "rules given directly by the administrator"),
    "PREROUTING_direct": ("firewalld", "rules given directly by the administrator"),
    "POSTROUTING_direct": ("firewalld", "rules given directly by the administrator"),
    "ts-input": ("Tailscale", "accepts packets of the VPN"),
    "ts-forward": ("Tailscale", "marks and accepts forwarded packets of the VPN"),
    "ts-postrouting": ("Tailscale", "masquerades marked packets of the VPN"),
}

PREFIXES: Mapping[str, _Known] = {
    "DOCKER-ISOLATION-STAGE-": ("Docker", "keeps bridge networks apart"),
    "CNI-DN-": ("CNI portmap", "the host ports of one container"),
    "CNI-SN-": ("CNI portmap", "masquerades the host ports of one container"),
    "KUBE-HP-": ("CRI-O or dockershim", "one host port: rewrites the destination to the pod"),
    "CRIO-MASQ-": ("CRI-O", "masquerades connections to one host port"),
    "KUBE-ROUTER-": ("kube-router", "entry to its network policies or its own Service proxy"),
    "KUBE-POD-FW-": ("kube-router", "network policies that apply to one pod"),
    "KUBE-NWPLCY-": ("kube-router", "one network policy"),
    "cali-fw-": ("Calico", "policies for what one pod or host endpoint sends"),
    "cali-tw-": ("Calico", "policies for what one pod receives"),
    "cali-fh-": ("Calico", "policies for what the node receives on one interface"),
    "cali-th-": ("Calico", "policies for what the node sends on one interface"),
    "cali-pi-": ("Calico", "one policy, inbound"),
    "cali-po-": ("Calico", "one policy, outbound"),
    "cali-pri-": ("Calico", "one profile, inbound"),
    "cali-pro-": ("Calico", "one profile, outbound"),
    "cali-nat-outgoing": ("Calico", "masquerades what pods send outside the pod network"),
    "cali-from-": ("Calico", "sends packets to the policies of their source"),
    "cali-to-": ("Calico", "sends packets to the policies of their destination"),
    "cali-": ("Calico", "network policy and pod routing"),
    "CILIUM_": ("Cilium", "marks, proxies and masquerades packets around Cilium's eBPF programs"),
    "OLD_CILIUM_": ("Cilium", "left over from an unfinished swap of Cilium's rules"),
    "WEAVE-NPC": ("Weave Net", "network policies"),
    "WEAVE-IPSEC-": ("Weave Net", "encryption between nodes"),
    "ANTREA-": ("Antrea", "pod routing, node ports, egress and policies"),
    "AWS-SNAT-CHAIN-": ("AWS VPC CNI", "rewrites the source of what pods send outside the VPC"),
    "AWS-CONNMARK-CHAIN-": ("AWS VPC CNI", "marks connections so that replies leave by the interface they came in"),
    "ISTIO_": ("Istio", "redirects a pod's traffic through its proxy; normally inside the pod, not on the node"),
    "OPENSHIFT-": ("OpenShift SDN", "pod masquerading, egress and host firewall"),
    "OVN-KUBE-": ("OVN-Kubernetes", "Service and egress traffic between the node and OVN"),
    "AZURE-NPM": ("Azure NPM", "network policies"),
    "SUBMARINER-": ("Submariner", "traffic between clusters"),
    "INPUT_ZONES": ("firewalld", "finds the zone of a packet"),
    "FORWARD_IN_ZONES": ("firewalld", "finds the zone of a packet"),
    "FORWARD_OUT_ZONES": ("firewalld", "finds the zone of a packet"),
    "PREROUTING_ZONES": ("firewalld", "finds the zone of a packet"),
    "POSTROUTING_ZONES": ("firewalld", "finds the zone of a packet"),
    "ufw-user-": ("ufw", "the administrator's own rules"),
    "ufw6-user-": ("ufw", "the administrator's own rules"),
    "ufw-": ("ufw", "the host firewall's fixed rules"),
    "ufw6-": ("ufw", "the host firewall's fixed rules"),
    "f2b-": ("fail2ban", "addresses that one jail has banned"),
    "fail2ban-": ("fail2ban", "addresses that one jail has banned"),
    "NETAVARK-DN-": ("Podman (netavark)", "published ports of one network"),
    "NETAVARK-": ("Podman (netavark)", "published ports and access to containers"),
    "NETAVARK_": ("Podman (netavark)", "published ports and access to containers"),
    "LIBVIRT_": ("libvirt", "virtual networks: DHCP, DNS, forwarding, masquerading"),
}

POLICY_ENGINES = frozenset(
    {"Antrea", "Azure NPM", "Calico", "Cilium", "kube-network-policies", "kube-router", "Weave Net"}
)
"""Owners of chains that drop what NetworkPolicies forbid."""

# Names whose beginning alone is too short to be sure.
PATTERNS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (lazy_pattern(r"CNI-[0-9a-f]{16,}\Z"), "CNI bridge or ptp", "masquerades what one container sends outside"),
    (lazy_pattern(r"IN_[a-z][\w-]*\Z"), "firewalld", "what one zone lets in"),
    (lazy_pattern(r"FWD[IO]?_[a-z][\w-]*\Z"), "firewalld", "what one zone forwards"),
    (lazy_pattern(r"PRE_[a-z][\w-]*\Z"), "firewalld", "what one zone does before routing"),
    (lazy_pattern(r"POST_[a-z][\w-]*\Z"), "firewalld", "what one zone does after routing"),
)

# How a comment begins, who writes it, and what its rules are for.
COMMENTS: tuple[tuple[str, str, str], ...] = (
    ("kubernetes service", "kube-proxy", "Services"),
    ("kubernetes externally-visible service", "kube-proxy", "Services"),
    ("kubernetes postrouting rules", "kube-proxy", "masquerading of Service connections"),
    ("kubernetes forwarding", "kube-proxy", "forwarding of Service connections"),
    ("kubernetes load balancer firewall", "kube-proxy", "source ranges of load balancers"),
    ("kubernetes health check", "kube-proxy", "health checks of load balancers"),
    ("kubernetes ipvs access filter", "kube-proxy (IPVS mode)", "access to the node by Service addresses"),
    ("kube-proxy firewall rules", "kube-proxy (IPVS mode)", "source ranges of load balancers"),
    ("kubernetes firewall for dropping marked packets", "kubelet", "dropping of marked packets"),
    ("block incoming localnet connections", "kube-proxy and kubelet", "protection of loopback addresses"),
    ("handle ClusterIPs; NOTE", "kube-proxy (userspace mode, removed in 1.26)", "Services"),
    ("handle service NodePorts; NOTE", "kube-proxy (userspace mode, removed in 1.26)", "node ports"),
    ("kube hostport portals", "CRI-O or dockershim", "host ports"),
    ("SNAT for localhost access to hostports", "CRI-O or dockershim", "host ports"),
    ("kubenet: ", "kubelet (kubenet)", "masquerading of what pods send outside"),
    ("cali:", "Calico", "network policy and pod routing"),
    ("cilium-feeder: ", "Cilium", "entry to Cilium's chains"),
    ("cilium: ", "Cilium", "Cilium's own rules"),
    ("flanneld ", "flannel", "the pod network"),
    ("kube-router netpol", "kube-router", "network policies"),
    ("kube-router", "kube-router", "network policies"),
    ("Antrea: ", "Antrea", "the pod network"),
    ("kind-masq-agent: ", "kindnet", "masquerading of what pods send outside"),
    ("ip-masq-agent: ", "ip-masq-agent", "masquerading of what pods send outside"),
    ("AWS SNAT CHAIN", "AWS VPC CNI", "rewriting of what pods send outside"),
    ("AWS, ", "AWS VPC CNI", "the pod network"),
    ("NodeLocal DNS Cache: ", "node-local-dns", "DNS of pods, kept out of connection tracking"),
    ("CNI portfwd ", "CNI portmap", "host ports"),
    ("CNI firewall plugin ", "CNI firewall", "forwarding of pods' packets"),
    ('dnat name: "', "CNI portmap", "host ports of one container"),
    ('name: "', "CNI bridge or ptp", "masquerading of what one container sends outside"),
    ("generated for LXD network", "LXD", "a virtual network"),
    ("managed by lxd", "LXD", "a virtual network"),
)
