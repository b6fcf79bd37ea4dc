"""Differences between kube-proxy's releases besides Services, which are expected while a cluster is upgraded.

Facts: iptablesJumpChains and the filter and nat rules of pkg/proxy/iptables/proxier.go from 1.14 to 1.34, checked
against captured dumps of seven releases; kubelet's chains (pkg/kubelet/kubelet_network_linux.go) up to 1.27.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ipt_explain.compare.differences import Difference, DifferenceKind, Value

_OF_SOME_RELEASES = tuple(
    re.compile(pattern)
    for pattern in (
        r"-A (?:INPUT|FORWARD|OUTPUT) .*-j KUBE-PROXY-FIREWALL$",  # from 1.25
        r"-A INPUT .*-j KUBE-NODEPORTS$",  # from 1.20: health check node ports
        r"-A FORWARD .*-j KUBE-EXTERNAL-SERVICES$",  # from 1.16
        r"-A INPUT .*-j KUBE-SERVICES$",  # up to 1.15
        r"-A (?:INPUT|OUTPUT) -j KUBE-FIREWALL$",  # kubelet's, which kube-proxy writes from 1.27
        r"-A KUBE-FORWARD .*-m conntrack --ctstate (?:RELATED,ESTABLISHED|INVALID)",  # with networks up to 1.17, nfacct
        r"-A KUBE-FIREWALL ",  # the packet mark up to 1.24, localnet from 1.19
        r"-A KUBE-MARK-DROP -j MARK ",  # up to 1.24
        r"-A KUBE-POSTROUTING .*-j MASQUERADE(?: --random-fully)?$",  # depends on iptables
        r".* -m nfacct ",  # from 1.31
    )
)


def as_releases_do(difference: Difference) -> bool:
    """Whether releases alone explain a difference between nodes with different ones."""
    if difference.kind not in (DifferenceKind.HOOK, DifferenceKind.VERDICT, DifferenceKind.MASQUERADE):
        return False
    gone, come = list(_rules(difference.before)), list(_rules(difference.after))
    masquerades = [any(rule.endswith(("MASQUERADE", "--random-fully")) for rule in rules) for rules in (gone, come)]
    # Releases masquerade in different ways; a node that does not masquerade at all is at fault.
    if masquerades[0] != masquerades[1]:
        return False
    return all(any(pattern.match(rule) for pattern in _OF_SOME_RELEASES) for rule in (*gone, *come))


def _rules(value: Value) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return (str(each) for each in value) if isinstance(value, list) else ()
