"""Matches with one predicate per option, in which {} is the value.

`catalogue` has matches whose options belong together. Facts: iptables-extensions(8), and the xt_*.c, ipt_*.c and
ip6t_*.c sources of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping

_PORTS = {
    "--sport": "has source port {}",
    "--source-port": "has source port {}",
    "--dport": "has destination port {}",
    "--destination-port": "has destination port {}",
}

PREDICATES: Mapping[str, Mapping[str, str]] = {
    "ah": {
        "--ahspi": "has AH SPI {}",
        "--ahlen": "has an AH header {} bytes long",
        "--ahres": "has zeros in the reserved field of its AH header",
    },
    "bpf": {
        "--bytecode": "satisfies the BPF program {}",
        "--object-pinned": "satisfies the BPF program pinned at {}",
    },
    "cgroup": {
        "--cgroup": "comes from a local socket of cgroup class {}",
        "--path": 'comes from a local socket in cgroup path "{}"',
    },
    "cpu": {"--cpu": "is handled by CPU {}"},
    "dccp": {
        **_PORTS,
        "--dccp-option": "carries DCCP option {}",
    },
    "devgroup": {
        "--src-group": "arrives on an interface of device group {}",
        "--dst-group": "leaves by an interface of device group {}",
    },
    "dscp": {
        "--dscp": "has DSCP {}",
        "--dscp-class": "has DSCP class {}",
    },
    "dst": {
        "--dst-len": "has a destination-options header of length {}",
        "--dst-opts": "has destination options {} (type:length)",
    },
    "ecn": {
        "--ecn-tcp-cwr": "has the TCP flag CWR set",
        "--ecn-tcp-ece": "has the TCP flag ECE set",
        "--ecn-ip-ect": "has ECN codepoint {} in its IP header",
    },
    "esp": {"--espspi": "has ESP SPI {}"},
    "frag": {
        "--fragid": "has fragment ID {}",
        "--fraglen": "has a fragment header of length {}",
        "--fragres": "has zeros in the reserved field of its fragment header",
        "--fragfirst": "is the first fragment",
        "--fragmore": "is a fragment with more to follow",
        "--fraglast": "is the last fragment",
    },
    "hbh": {
        "--hbh-len": "has a hop-by-hop header of length {}",
        "--hbh-opts": "has hop-by-hop options {} (type:length)",
    },
    "helper": {"--helper": 'belongs to a connection that the conntrack helper "{}" expected'},
    "hl": {
        "--hl": "has hop limit {}",
        "--hl-eq": "has hop limit {}",
        "--hl-gt": "has a hop limit above {}",
        "--hl-lt": "has a hop limit below {}",
    },
    "ipcomp": {
        "--ipcompspi": "has IPComp CPI {}",
        "--compres": "has zeros in the reserved field of its IPComp header",
    },
    "iprange": {
        "--src-range": "comes from the range {}",
        "--dst-range": "goes to the range {}",
    },
    "ipvs": {
        "--ipvs": "belongs to an IPVS connection",
        "--vproto": "belongs to an IPVS service of protocol {}",
        "--vaddr": "belongs to the IPVS virtual address {}",
        "--vport": "belongs to IPVS virtual port {}",
        "--vdir": "goes in the {} direction of its IPVS connection",
        "--vmethod": "is forwarded by IPVS method {}",
        "--vportctl": "belongs to an IPVS connection controlled from port {}",
    },
    "length": {"--length": "has a length of {} (in bytes, IP header included)"},
    "mac": {"--mac-source": "comes from the MAC address {}"},
    "mh": {"--mh-type": "is a Mobile IPv6 message of type {}"},
    "nfacct": {"--nfacct-name": 'is counted by the accounting object "{}" (which matches always)'},
    "owner": {
        "--uid-owner": "was sent by a process of user {}",
        "--gid-owner": "was sent by a process of group {}",
        "--socket-exists": "belongs to a local socket",
        "--suppl-groups": "has its sender's supplementary groups checked too",
    },
    "physdev": {
        "--physdev-in": "arrived by bridge port {}",
        "--physdev-out": "will leave by bridge port {}",
        "--physdev-is-in": "arrived by a bridge port",
        "--physdev-is-out": "will leave by a bridge port",
        "--physdev-is-bridged": "is bridged, not routed",
    },
    "pkttype": {"--pkt-type": "is {} on its link"},
    "realm": {"--realm": "has routing realm {}"},
    "rt": {
        "--rt-type": "has a routing header of type {}",
        "--rt-segsleft": "has {} segments left in its routing header",
        "--rt-len": "has a routing header of length {}",
        "--rt-0-res": "has zeros in the reserved field of its type 0 routing header",
        "--rt-0-addrs": "has the addresses {} in its type 0 routing header",
        "--rt-0-not-strict": "has its routing addresses compared as part of the header's list only",
    },
    "srh": {
        "--srh-next-hdr": "has next header {} after its segment routing header",
        "--srh-hdr-len-eq": "has a segment routing header of length {}",
        "--srh-hdr-len-gt": "has a segment routing header longer than {}",
        "--srh-hdr-len-lt": "has a segment routing header shorter than {}",
        "--srh-segs-left-eq": "has {} segments left",
        "--srh-segs-left-gt": "has more than {} segments left",
        "--srh-segs-left-lt": "has fewer than {} segments left",
        "--srh-last-entry-eq": "has {} as its segment list's last entry",
        "--srh-last-entry-gt": "has more than {} as its segment list's last entry",
        "--srh-last-entry-lt": "has less than {} as its segment list's last entry",
        "--srh-tag": "has segment routing tag {}",
        "--srh-psid": "has {} as the previous segment in its segment list",
        "--srh-nsid": "has {} as the next segment in its segment list",
        "--srh-lsid": "has {} as the last segment in its segment list",
    },
    "tcp": {
        **_PORTS,
        "--syn": "is a SYN that opens a connection (SYN set; RST, ACK and FIN clear)",
        "--tcp-option": "carries TCP option {}",
    },
    "tcpmss": {"--mss": "has a TCP MSS of {}"},
    "tos": {"--tos": "has TOS {}"},
    "ttl": {
        "--ttl": "has TTL {}",
        "--ttl-eq": "has TTL {}",
        "--ttl-gt": "has a TTL above {}",
        "--ttl-lt": "has a TTL below {}",
    },
    "u32": {"--u32": 'satisfies the u32 test "{}"'},
    "udp": _PORTS,
    "udplite": _PORTS,
    "sctp": _PORTS,
}

# Conditions of modules without options.
BARE: Mapping[str, str] = {
    "ah": "has an AH header",
    "dst": "has a destination-options header",
    "esp": "is ESP",
    "eui64": "has a source address whose interface ID fits its MAC address (EUI-64)",
    "frag": "has a fragment header",
    "hbh": "has a hop-by-hop header",
    "ipcomp": "is IPComp",
    "ipvs": "belongs to an IPVS connection",
    "mh": "is a Mobile IPv6 message",
    "rt": "has a routing header",
    "srh": "has a segment routing header",
    "tcp": "",
    "udp": "",
    "udplite": "",
    "sctp": "",
    "dccp": "",
    "icmp": "",
    "icmp6": "",
}
