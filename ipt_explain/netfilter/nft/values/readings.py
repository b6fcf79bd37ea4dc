"""The value of an expression in a packet: known, random, absent, or unknown.

Facts: nft_payload_eval, nft_meta_get_eval, nft_ct_get_eval and nft_fib4_eval of net/netfilter end the rule (NFT_BREAK)
if there is nothing to read, before any comparison, negated or not.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import and_, or_, xor

from ipt_explain.model import Family, nft
from ipt_explain.netfilter.header import ANY_PROTOCOL, ICMP, ICMPV6, SCTP, TCP, UDP, WITH_PORTS
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.marks import ALL_BITS
from ipt_explain.netfilter.matches.tracking import ends_of, states_of, status_of
from ipt_explain.netfilter.nft.values.constants import RANDOM_BITS, Datatype, bits_of, canonical, datatype_of
from ipt_explain.netfilter.nft.values.kinds import ABSENT, UNKNOWN, AddressType, Chance, Nothing, Reading
from ipt_explain.netfilter.packet import Bound, PacketState, Tracking
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, Whereabouts, is_broadcast, is_multicast


def read(expression: nft.Expression, state: PacketState, bound: Bound) -> Reading:
    """The value of an expression in a packet. Read a concatenation part by part."""
    reader = _READERS.get(type(expression))
    return UNKNOWN if reader is None else reader(expression, state, bound)


def looks_at_heading(expression: nft.Expression) -> bool:
    """Whether an expression may differ between packets that differ only in their destination."""
    if isinstance(expression, nft.Payload):
        return expression.field in ("daddr", "dport") or expression.protocol.startswith("@")
    if isinstance(expression, nft.Fib):
        return "daddr" in expression.flags
    if isinstance(expression, nft.Conntrack):
        return expression.direction is not None
    if isinstance(expression, nft.Concatenation):
        return any(map(looks_at_heading, expression.parts))
    if isinstance(expression, nft.Binary):
        return looks_at_heading(expression.left)
    if isinstance(expression, nft.Hash):
        return False
    return isinstance(expression, nft.Meta) and expression.key == "pkttype"


def _payload(payload: nft.Payload, state: PacketState, bound: Bound) -> Reading:
    if payload.protocol in ("ip", "ip6"):
        if (payload.protocol == "ip") is not (state.connection.family is Family.IPV4):
            return ABSENT
        return _network(payload.field, state, bound)
    if payload.protocol in _TRANSPORTS:
        if payload.protocol != "th" and state.connection.protocol != _TRANSPORTS[payload.protocol]:
            return ABSENT
        return _transport(payload, state, bound)
    return UNKNOWN


def _network(field: str, state: PacketState, bound: Bound) -> Reading:
    if field == "saddr":
        return state.source
    if field == "daddr":
        return UNKNOWN if bound.to.address is None else bound.to.address
    if field in ("protocol", "nexthdr"):
        return state.connection.protocol
    if field == "version":
        return 4 if state.connection.family is Family.IPV4 else 6
    if field == "hdrlength":
        return _LENGTH_WITHOUT_OPTIONS
    return UNKNOWN


def _transport(payload: nft.Payload, state: PacketState, bound: Bound) -> Reading:
    connection, field = state.connection, payload.field
    if field in ("sport", "dport"):
        if connection.protocol not in WITH_PORTS:
            return UNKNOWN  # the header has something else there
        port = state.source_port if field == "sport" else bound.to.port
        return UNKNOWN if port is None else port
    if payload.protocol == "tcp" and field == "flags":
        return frozenset(flag.lower() for flag in state.tcp_flags)
    if payload.protocol in ("icmp", "icmpv6") and field in ("type", "code"):
        return connection.icmp_type if field == "type" else connection.icmp_code
    return UNKNOWN


def _extension(header: nft.ExtensionHeader, state: PacketState, bound: Bound) -> Reading:
    """IPv6 extension headers and options of IPv4, which packets of ordinary connections lack: `exists` is false, and
    there are no fields. Options of TCP may be any."""
    kind, _, name = header.name.rpartition(" ")
    missing = 0 if header.field is None else ABSENT
    if kind == "tcp option":
        return UNKNOWN if state.connection.protocol == TCP else missing
    if kind == "sctp chunk":
        there = state.connection.protocol == SCTP and name == state.sctp_chunk.lower()
        return missing if not there else 1 if header.field is None else UNKNOWN
    return missing if (kind == "ip option") is (state.connection.family is Family.IPV4) else ABSENT


_TRANSPORTS = {
    "th": ANY_PROTOCOL,
    "tcp": TCP,
    "udp": UDP,
    "sctp": SCTP,
    "udplite": 136,
    "dccp": 33,
    "esp": 50,
    "ah": 51,
    "comp": 108,
    "icmp": ICMP,
    "icmpv6": ICMPV6,
}


def _meta(meta: nft.Meta, state: PacketState, bound: Bound) -> Reading:
    key, connection = meta.key, state.connection
    if key == "mark":
        return state.mark
    if key == "l4proto":
        return connection.protocol
    if key == "nfproto":
        return "ipv4" if connection.family is Family.IPV4 else "ipv6"
    if key == "protocol":
        return "ip" if connection.family is Family.IPV4 else "ip6"
    if key in ("iifname", "iif"):
        return _interface(state.in_interface, state, arriving=True)
    if key in ("oifname", "oif"):
        return _interface(state.out_interface, state, arriving=False)
    if key == "pkttype":
        return _packet_type(state, bound)
    if key in ("skuid", "skgid", "cgroup"):
        return UNKNOWN if connection.local and state.hook in (Hook.OUTPUT, Hook.POSTROUTING) else ABSENT
    return Chance(0, 1 << RANDOM_BITS) if key == "random" else UNKNOWN


def _interface(name: str | None, state: PacketState, arriving: bool) -> Reading:
    if name is not None or not state.answers:
        return UNKNOWN if name is None else name
    from ipt_explain.netfilter.assumptions import Side
    from ipt_explain.netfilter.interfaces import known_interface

    known = known_interface(state.answers, Side.ARRIVING if arriving else Side.LEAVING)
    return UNKNOWN if known is None else known


def _packet_type(state: PacketState, bound: Bound) -> Reading:
    family, address = state.connection.family, bound.sent.address
    if address is not None and is_multicast(address, family):
        return "multicast"
    if address is not None and is_broadcast(address, family):
        return "broadcast"
    return "host"


# The kernel sets two bits; nft has a name for one. So `ct status != dnat` also matches translated packets.
_DNAT_DONE = ("dnat", "dst-nat-done")
_SNAT_DONE = ("snat", "src-nat-done")


def _conntrack(ct: nft.Conntrack, state: PacketState, bound: Bound) -> Reading:
    if ct.key == "state":
        return frozenset(word.lower() for word in states_of(state) - {"DNAT", "SNAT"})
    if not state.tracked:
        return ABSENT
    if ct.key == "status":
        nat = [bit for bits, done in ((_DNAT_DONE, state.dnat), (_SNAT_DONE, state.snat)) if done for bit in bits]
        return frozenset([*nat, *(bit.lower().replace("_", "-") for bit in status_of(state))])
    if ct.key == "mark":
        return state.connmark
    if ct.key == "direction":
        return "reply" if state.tracking in (Tracking.REPLY, Tracking.RELATED) else "original"
    if ct.key == "protocol":
        return state.connection.protocol
    if ct.key == "l3proto":
        return "ipv4" if state.connection.family is Family.IPV4 else "ipv6"
    return UNKNOWN if ct.direction is None else _of_direction(ct, state, bound)


def _of_direction(ct: nft.Conntrack, state: PacketState, bound: Bound) -> Reading:
    of_family, _, end = ct.key.rpartition(" ")
    if of_family and (of_family == "ip") is not (state.connection.family is Family.IPV4):
        return ABSENT
    part = _ENDS.get(end)
    if part is None:
        return UNKNOWN
    place, field = part
    known: Address | int | None = getattr(ends_of(state, bound, ct.direction == "original")[place], field)
    return UNKNOWN if known is None else known


_ENDS = {"saddr": (0, "address"), "daddr": (1, "address"), "proto-src": (0, "port"), "proto-dst": (1, "port")}


def _fib(fib: nft.Fib, state: PacketState, bound: Bound) -> Reading:
    if fib.result != "type":
        from_here = {"saddr", "iif"} <= set(fib.flags) and state.in_interface == "lo"
        return _LOOPBACK[fib.result] if from_here and state.hook is Hook.PREROUTING else UNKNOWN
    if "saddr" in fib.flags:
        address: int | Whereabouts | None = state.source
    else:
        address = bound.to.address
        if address is None:
            return "local"
    family = state.connection.family
    if address is None or len(fib.flags) > 1:  # `. iif`: the addresses of one interface, which no listing shows
        return UNKNOWN
    if is_multicast(address, family):
        return "multicast"
    if is_broadcast(address, family):
        return "broadcast"
    owned = state.owns(address)
    if owned is Truth.UNKNOWN:
        return AddressType(address, None if "saddr" in fib.flags else bound.sent.address)
    return "local" if owned is Truth.YES else "unicast"


# What the kernel answers without a look for packets from lo (nft_fib_is_loopback): the number of lo is always 1.
_LOOPBACK: dict[str, int | str] = {"oif": 1, "oifname": "lo"}


def _binary(binary: nft.Binary, state: PacketState, bound: Bound) -> Reading:
    left = read(binary.left, state, bound)
    if left is UNKNOWN and binary.operator == "&" and _asks_for_a_fragment(binary):
        return 0
    if isinstance(left, Nothing):
        return left
    if isinstance(left, frozenset):
        names = bits_of(binary.right)
        return left & names if binary.operator == "&" and names is not None else UNKNOWN
    right = canonical(binary.right, Datatype.ADDRESS) if datatype_of(binary.left) is Datatype.ADDRESS else binary.right
    if not isinstance(right, int):
        return UNKNOWN
    if isinstance(left, Chance):
        narrowed = binary.operator == "&" and left.first == 0 and right & (right + 1) == 0 and right < left.count
        return Chance(0, right + 1) if narrowed else UNKNOWN
    return _OPERATORS[binary.operator](left, right) if isinstance(left, int) else UNKNOWN


def _asks_for_a_fragment(binary: nft.Binary) -> bool:
    """Whether it reads the place of a fragment, or whether more follow: packets are traced whole."""
    of_offset = isinstance(binary.left, nft.Payload) and (binary.left.protocol, binary.left.field) == ("ip", "frag-off")
    return of_offset and isinstance(binary.right, int) and not binary.right & ~_OF_FRAGMENTS


_LENGTH_WITHOUT_OPTIONS = 5
_OF_FRAGMENTS = 0x3FFF
_OPERATORS: dict[str, Callable[[int, int], int]] = {
    "&": and_,
    "|": or_,
    "^": xor,
    "<<": lambda left, right: left << min(right, 32) & ALL_BITS,
    ">>": lambda left, right: left >> min(right, 32),
}


def _numgen(numgen: nft.Numgen, state: PacketState, bound: Bound) -> Reading:
    """A counter (`inc`) gives all numbers in turn, equally often in the long run."""
    return Chance(numgen.offset, numgen.modulus)


def _hash(given: nft.Hash, state: PacketState, bound: Bound) -> Reading:
    """Connections differ enough, mostly in their source port, to be spread evenly."""
    return Chance(given.offset, given.modulus)


_READERS: dict[type, Callable[..., Reading]] = {
    nft.Payload: _payload,
    nft.Meta: _meta,
    nft.Conntrack: _conntrack,
    nft.Fib: _fib,
    nft.ExtensionHeader: _extension,
    nft.Binary: _binary,
    nft.Numgen: _numgen,
    nft.Hash: _hash,
    int: lambda number, state, bound: number,
}
