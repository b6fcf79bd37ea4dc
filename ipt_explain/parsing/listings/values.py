"""Converting single words of a listing to iptables-save's spelling."""

from __future__ import annotations

import re

from ipt_explain.words.names import PORTS, PROTOCOLS

ALL_BITS = 0xFFFFFFFF

_TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")
# NEXTHDR bits of ip6t_ipv6header.h, highest first, in the order of libip6t_ipv6header's `print_header`.
_IPV6_HEADERS = ("hop-by-hop", "ipv6-opts", "ipv6-route", "ipv6-frag", "ah", "esp", "ipv6-nonxt", "protocol")
_CHUNKS = {
    0: "DATA", 1: "INIT", 2: "INIT_ACK", 3: "SACK", 4: "HEARTBEAT", 5: "HEARTBEAT_ACK", 6: "ABORT", 7: "SHUTDOWN",
    8: "SHUTDOWN_ACK", 9: "ERROR", 10: "COOKIE_ECHO", 11: "COOKIE_ACK", 12: "ECN_ECNE", 13: "ECN_CWR",
    14: "SHUTDOWN_COMPLETE", 0x40: "I_DATA", 0x82: "RE_CONFIG", 0x84: "PAD", 0x80: "ASCONF_ACK", 0xC0: "FORWARD_TSN",
    0xC1: "ASCONF", 0xC2: "I_FORWARD_TSN",
}  # fmt: skip
_DCCP_TYPES = ("REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK")
_TOS_NAMES = {
    "Minimize-Delay": 0x10, "Maximize-Throughput": 0x08, "Maximize-Reliability": 0x04, "Minimize-Cost": 0x02,
    "Normal-Service": 0x00,
}  # fmt: skip
_TCP_OPTIONS = {"mss": "2", "wscale": "3", "sack-permitted": "4", "sack": "5", "timestamp": "8", "md5": "19"}
_NETWORKS = {
    "localhost": "127.0.0.1", "loopback": "127.0.0.0", "link-local": "169.254.0.0", "default": "0.0.0.0",
    "anywhere": "0.0.0.0/0",
    "base-address.mcast.net": "224.0.0.0", "all-systems.mcast.net": "224.0.0.1", "ip6-localhost": "::1",
    "localhost6": "::1", "ip6-loopback": "::1", "ip6-localnet": "fe00::", "ip6-mcastprefix": "ff00::",
    "ip6-allnodes": "ff02::1", "ip6-allrouters": "ff02::2",
}  # fmt: skip
"""/etc/networks and /etc/hosts on nearly every Linux."""
_HOST_OF_ADDRESS = re.compile(r"ip-(\d+)-(\d+)-(\d+)-(\d+)(?:\.[\w.-]+)?\Z")


def same(word: str) -> str:
    """A word that both spell the same."""
    return word


def ports(word: str) -> str:
    """Ports, ranges of them, lists of either; known names become numbers."""
    if word.isdecimal():
        return word
    return ",".join(":".join(_port(end) for end in part.split(":")) for part in word.split(","))


def _port(word: str) -> str:
    return word if not word or word[0].isdigit() else str(PORTS.get(word, word))


def protocol(word: str) -> str:
    """A protocol; since 1.8.9, -n prints its number."""
    return PROTOCOLS.get(int(word), word) if word.isdecimal() else word


def address(word: str) -> str:
    """A source or destination, always with its mask."""
    if word[0].isdigit():
        return word if "/" in word else word + ("/128" if ":" in word else "/32")
    host, slash, mask = word.partition("/")
    known = _HOST_OF_ADDRESS.match(host)
    host = ".".join(known.groups()) if known else _NETWORKS.get(host, host)
    if "/" in host:
        return host
    if slash and host == "127.0.0.1" and mask != "32":
        host = "127.0.0.0"  # resolvers that call all of the network localhost
    return f"{host}/{mask}" if slash else host + ("/128" if ":" in host else "/32")


def or_bits(word: str) -> str:
    """`MARK or 0x4000` sets the bits of the mark, `TOS or 0x1f` those of the TOS byte."""
    return f"{word}/{word}"


def and_mark(word: str) -> str:
    """`MARK and 0xff` clears the others."""
    return f"0x0/{ALL_BITS ^ int(word, 16):#x}"


def xor_mark(word: str) -> str:
    """`MARK xor 0x4000` toggles the bits."""
    return f"{word}/0x0"


def set_mark(word: str) -> str:
    """`MARK set 0x1` writes all bits."""
    return f"{word}/{ALL_BITS:#x}"


def tcp_mask(word: str) -> str:
    """The flags examined by `0x17/0x02` or `FIN,SYN,RST,ACK/SYN`."""
    return _flags(word.split("/")[0])


def tcp_set(word: str) -> str:
    """The flags that must be set among them."""
    return _flags(word.split("/")[1])


def _flags(word: str) -> str:
    if not word.startswith("0x"):
        return word
    bits = int(word, 16)
    return ",".join(name for place, name in enumerate(_TCP_FLAGS) if bits >> place & 1) or "NONE"


def ipv6_headers(word: str) -> str:
    """`0xC0` or names."""
    if not word.startswith("0x"):
        return word
    bits = int(word, 16)
    return ",".join(name for place, name in enumerate(_IPV6_HEADERS) if bits >> (7 - place) & 1)


def chunk_types(word: str) -> str:
    """`0x0000:IUbE,0x0001` or names."""
    return ",".join(map(_chunk, word.split(",")))


def _chunk(word: str) -> str:
    number, colon, flags = word.partition(":")
    return _CHUNKS.get(int(number, 16), number) + colon + flags if number.startswith("0x") else word


def dccp_types(word: str) -> str:
    """Numbers or names."""
    return ",".join(
        _DCCP_TYPES[int(part)] if part.isdecimal() and int(part) < len(_DCCP_TYPES) else part
        for part in word.split(",")
    )


def tos(word: str) -> str:
    """`0x10/0x3f` or the name of a type of service."""
    number = _TOS_NAMES.get(word)
    return word if number is None else f"{number:#04x}/0x3f"


def and_tos(word: str) -> str:
    """`TOS and 0x12`."""
    return f"0x00/{0xFF ^ int(word, 16):#04x}"


def xor_tos(word: str) -> str:
    """`TOS xor 0x12`."""
    return f"{word}/0x00"


def tcp_options(word: str) -> str:
    """Numbers, or names without -n."""
    return ",".join(_TCP_OPTIONS.get(part, part) for part in word.split(","))


def wide_hex(word: str) -> str:
    """`0x4` with eight digits."""
    return f"{int(word, 16):#010x}"


def traffic_class(word: str) -> str:
    """`0:ffff` with four digits on each side."""
    return ":".join(part.rjust(4, "0") for part in word.split(":"))


def dashes_to_commas(word: str) -> str:
    """hashlimit prints its mode as `srcip-dstip` in a listing."""
    return word.replace("-", ",")


def month_days(word: str) -> str:
    """`1st,2nd,31st`."""
    return ",".join(part[:-2] for part in word.split(","))


def without_tilde(word: str) -> str:
    """`ctmask ~0xff`, where the tilde has no meaning."""
    return word.lstrip("~")


def tproxy_address(word: str) -> str:
    """The address of `127.0.0.1:15001` or `2001:db8::1:15001`."""
    return word.rpartition(":")[0]


def tproxy_port(word: str) -> str:
    """The port of `127.0.0.1:15001` or `2001:db8::1:15001`."""
    return word.rpartition(":")[2]
