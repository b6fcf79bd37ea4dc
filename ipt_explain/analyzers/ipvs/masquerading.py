"""Which connections to ClusterIPs IPVS mode masquerades: the rule for kube-proxy's set of ClusterIPs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ipt_explain.analyzers.ipvs.set_names import SetRole, set_name
from ipt_explain.analyzers.names import MARK_MASQ, SERVICES
from ipt_explain.model import Extent, Family, Ruleset

_SETS = frozenset(set_name(SetRole.CLUSTER_IP, family) for family in Family)
_NOT_FROM = re.compile(r"! -s (\S+)")
_OTHER_CONDITION = re.compile(r"(?:! )?-(?:i|m physdev .*--physdev-in) \S+")


def cluster_ip_masquerade(rulesets: Iterable[Ruleset]) -> tuple[bool | None, str | None]:
    """Whether all connections to ClusterIPs are masqueraded (None if no text shows it), and the condition if only some
    are."""
    shown = False
    for ruleset in rulesets:
        shown = shown or ruleset.extent("nat", SERVICES) is Extent.WHOLE
        for rule in ruleset.rules("nat", SERVICES):
            name, _, directions = (rule.match("set", "--match-set") or "").partition(" ")
            if rule.target != MARK_MASQ or name not in _SETS:
                continue
            network = _NOT_FROM.search(rule.text)
            if network is not None:
                return False, network[1]
            other = _OTHER_CONDITION.search(rule.text)
            if other is not None:
                return False, other[0]
            return directions.startswith("dst") or "dst,dst" in rule.text, None
    return (False if shown else None), None
