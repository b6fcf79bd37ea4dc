"""Output of other commands: iptables' own listings, conntrack, ip route, kubectl, and their error messages."""

from __future__ import annotations

from ipt_explain.parsing.iptables.diagnosis.signs import RUN_SAVE, sign

_LISTING = "this is part of a listing (`iptables -L`) whose `Chain …` line is not in the text"
_WITH_CHAIN = "Give the listing with its `Chain` lines or, better, what `iptables-save` prints."
_ERROR = "this is an error message of the command, not its output"

_PROTOCOL = r"(?:all|tcp|udp|udplite|sctp|dccp|icmp|icmpv6|ipv6-icmp|esp|ah|gre|igmp|ipencap|ipv6|vrrp|\d{1,3})"
_COUNT = r"\d+[KMGTPE]?"

SIGNS = (
    sign(r"^\s*(Chain) \S+ \((?:policy \S+|\d+ references?)", _LISTING, _WITH_CHAIN),
    sign(r"^\s*(?:num +)?(?:pkts +bytes +)?(target +prot +opt)\b", _LISTING, _WITH_CHAIN),
    sign(
        rf"^(?! *[-*:\[#]) *(?:\d+ +)?(?:{_COUNT} +{_COUNT} +)?(?:\S+ +)?({_PROTOCOL} +(?:--|-f|!f)) +\S",
        _LISTING,
        _WITH_CHAIN,
    ),
    sign(
        r"^\s*(Bridge (?:chain|table):)",
        "this is `ebtables -L` output; ebtables filters frames, not Services",
        RUN_SAVE,
    ),
    sign(r"^\s*(<iptables-rules\b)", "this is `iptables-xml` output", "Give the text that `iptables-xml` was given."),
    sign(
        r"^\s*((?:ipv[46]\s+\d+\s+)?(?:tcp|udp|icmp|icmpv6|sctp|gre|unknown)\s+\d+)\s+(?:\d+\s+)?(?:[A-Z_]+\s+)?src=",
        "this is a list of tracked connections (`conntrack -L`), not of iptables rules",
        RUN_SAVE,
    ),
    sign(
        r"^((?:default|unreachable|blackhole|local|[\da-f.:]+(?:/\d+)?) (?:\S+ )?(?:via|dev) \S)",
        "this is a routing table (`ip route`), not iptables rules",
        RUN_SAVE,
    ),
    sign(
        r"^((?:NAMESPACE +)?NAME +(?:TYPE|READY|STATUS|ENDPOINTS|ADDRESSTYPE|DATA|AGE)\b)",
        "this is a table that `kubectl get` prints, not iptables rules",
        "To compare rules with API objects, give `kubectl get services,endpointslices,nodes -A -o json` to "
        "`ipt-explain compare --objects`.",
    ),
    sign(
        r"^(ip6?tables(?:-legacy|-nft)?(?:-save|-restore)?(?:/\d+)? ?v?[\d.]*(?: \([a-z_]+\))?: )",
        _ERROR,
        "Run the command as root on the node, and give its standard output alone.",
    ),
    sign(
        r"^(?:-?(?:ba|da|z|k|a)?sh: |/bin/sh: )?(?:line )?(?:\d+: )?(?:\S*ip6?tables\S*|sudo): *"
        r"(command not found|not found|Permission denied|Operation not permitted|a (?:password|terminal) is required)",
        _ERROR,
        "Run `iptables-save` as root where it is installed: on the node, or in the kube-proxy pod.",
    ),
    sign(
        r"^(Error from server|error: |The connection to the server)",
        "this is an error message of kubectl",
        "Check that the command works by itself, then give its standard output.",
    ),
    sign(
        r"^(Warning: \S*tables-legacy tables present)",
        "this is a warning that iptables prints on standard error: the other backend has rules, too",
        "Give both: `{ iptables-save; iptables-legacy-save; } 2>/dev/null | ipt-explain`.",
    ),
)
