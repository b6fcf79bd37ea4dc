"""nftables' own syntax, as `nft list ruleset` and `nft -j` print it."""

from __future__ import annotations

from ipt_explain.parsing.iptables.diagnosis.signs import sign

_NFT = "this is nftables syntax (`nft list ruleset`), not iptables-save output"
_REMEDY = (
    "Run `iptables-nft-save` (as root): it prints the rules that iptables made. Rules of kube-proxy's nftables mode "
    "are nft's alone, and not read here."
)
_PROXY = "these are the rules of kube-proxy in nftables mode, which have no iptables form"
_PROXY_REMEDY = "Read them with `nft list table ip kube-proxy`; this program reads the iptables and ipvs modes' rules."

SIGNS = (
    sign(r"^\s*(table (?:ip|ip6|inet) kube-proxy\b)", _PROXY, _PROXY_REMEDY),
    sign(r"^\s*(table (?:ip|ip6|inet|arp|bridge|netdev) \S+ *\{)", _NFT, _REMEDY),
    sign(r"^\s*(\{ *\"nftables\" *:)", "this is the JSON of `nft -j`, not iptables-save output", _REMEDY),
    sign(
        r"^\s*((?:add|insert|delete|flush) (?:rule|chain|table|set|map|element) (?:ip|ip6|inet|arp|bridge) )",
        _NFT,
        _REMEDY,
    ),
    sign(r"^\s*(type (?:filter|nat|route) hook )", _NFT, _REMEDY),
    sign(r"^\s*((?:chain|set|map) \S+ *\{)", _NFT, _REMEDY),
    sign(
        r"^\s*((?:ip6?|tcp|udp|meta|ct|iifname|oifname|xt|fib) [\w\"].*\b(?:accept|drop|jump|goto|return|dnat|"
        r"masquerade|target \"))",
        _NFT,
        _REMEDY,
    ),
)
