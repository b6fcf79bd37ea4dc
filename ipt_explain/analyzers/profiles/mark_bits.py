"""The meaning of single mark bits on this node: from the chains that set them, or Kubernetes' defaults."""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.analyzers.names import MARK_DROP, MARK_MASQ
from ipt_explain.model import Ruleset
from ipt_explain.netfilter.marks import change_by

# `--iptables-masquerade-bit` 14 and the kubelet's `--iptables-drop-bit` 15.
DEFAULT_MARKS: Mapping[int, str] = {0x4000: "the masquerade mark", 0x8000: "the drop mark"}

_MARKING_CHAINS: Mapping[str, str] = {
    MARK_MASQ: "the masquerade mark",
    MARK_DROP: "the drop mark",
    "CNI-HOSTPORT-SETMARK": "the CNI portmap plugin's masquerade mark",
}


def mark_names(ruleset: Ruleset) -> Mapping[int, str]:
    """Names of single mark bits: those that the ruleset's marking chains set.

    Kubernetes' default bits for a fragment without such chains.
    """
    names: dict[int, str] = {}
    for chain_name, meaning in _MARKING_CHAINS.items():
        for rule in ruleset.rules("nat", chain_name):
            change = change_by(rule)
            if change is not None and change.flip == change.clear != 0:  # sets bits, and leaves all others alone
                names.setdefault(change.flip, meaning)
    return DEFAULT_MARKS if ruleset.fragment and not names else names
