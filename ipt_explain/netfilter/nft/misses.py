"""Which packets a rule cannot match because of their destination, for thousands at once."""

from __future__ import annotations

from ipt_explain.model import nft
from ipt_explain.netfilter.header import network_bits
from ipt_explain.netfilter.whereabouts import Bits

DESTINATION_ADDRESSES = (nft.Payload("ip", "daddr"), nft.Payload("ip6", "daddr"))


def destination_of(rule: nft.Rule) -> Bits | None:
    """The network that a rule's destination must be in; None if the rule does not test it before changing packets, or
    tests for anything but one address or network."""
    for statement in rule.statements:
        if not isinstance(statement, nft.Match):
            return None
        if statement.left in DESTINATION_ADDRESSES and statement.operator is nft.Operator.EQUAL:
            wanted = statement.right
            text = f"{wanted.base}/{wanted.length}" if isinstance(wanted, nft.Prefix) else wanted
            try:
                return network_bits(text) if isinstance(text, str) else None
            except ValueError:
                return None
    return None
