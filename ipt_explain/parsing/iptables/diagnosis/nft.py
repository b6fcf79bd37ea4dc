"""nftables' own syntax, as `nft list ruleset` and `nft -j` print it."""

from __future__ import annotations

from ipt_explain.parsing.iptables.diagnosis.signs import sign

_PART = "this is part of an nftables table, and the line `table FAMILY NAME {` around it is not in the text"
_PART_REMEDY = (
    "Give what `nft list table ip kube-proxy` prints, or `nft list chain ip kube-proxy NAME` for some of its chains. "
    "Lines that `grep` takes out of a table do not show which chain they are in."
)
_BROKEN = "an nftables table begins here, but not as nft prints it"
_PROXY = "a table of kube-proxy in nftables mode begins here, but not as nft prints it"
_BROKEN_REMEDY = "Give `table FAMILY NAME {` on a line of its own, nothing before it, and everything up to its `}`."

SIGNS = (
    sign(r"^\s*(table (?:ip|ip6|inet) kube-proxy\b)", _PROXY, _BROKEN_REMEDY),
    sign(r"^\s*(table (?:ip|ip6|inet|arp|bridge|netdev) \S+ *\{)", _BROKEN, _BROKEN_REMEDY),
    sign(
        r"^\s*(\{ *\"nftables\" *:)",
        "this is the JSON of `nft -j`, but not as nft prints it",
        'Give everything that `nft -j list ruleset` prints, from `{"nftables":` to the end.',
    ),
    sign(
        r"^\s*((?:add|insert|delete|flush) (?:rule|chain|table|set|map|element) (?:ip|ip6|inet|arp|bridge) )",
        "this is a command for nftables, not a rule that a node has",
        "Give what `nft list ruleset` prints on the node where the command ran.",
    ),
    sign(r"^\s*(type (?:filter|nat|route) hook )", _PART, _PART_REMEDY),
    sign(r"^\s*((?:chain|set|map) \S+ *\{)", _PART, _PART_REMEDY),
    sign(
        r"^\s*((?:ip6?|tcp|udp|meta|ct|iifname|oifname|xt|fib) [\w\"].*\b(?:accept|drop|jump|goto|return|dnat|"
        r"masquerade|target \"))",
        _PART,
        _PART_REMEDY,
    ),
)
