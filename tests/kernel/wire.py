"""Packets as bytes: first packets of TCP and UDP connections that carry a number, and the answers to them."""

from __future__ import annotations

import struct
from dataclasses import dataclass

TCP, UDP = 6, 17
_UDP_SIGN = b"iptx"
_SYN, _RST = 2, 4


@dataclass(frozen=True)
class Seen:
    """One of our packets seen: itself, or (`refused`) an ICMP error or reset in answer to it."""

    number: int
    source: bytes = b""
    source_port: int = 0
    destination: bytes = b""
    port: int = 0
    refused: bool = False


def build(source: bytes, destination: bytes, protocol: int, source_port: int, port: int, number: int) -> bytes:
    """An IPv4 or IPv6 packet, by the length of the addresses."""
    if protocol == TCP:
        segment = struct.pack("!HHIIBBHHH", source_port, port, number, 0, 5 << 4, _SYN, 64240, 0, 0)
        check_at = 16
    else:
        segment = struct.pack("!HHHH", source_port, port, 16, 0) + _UDP_SIGN + struct.pack("!I", number)
        check_at = 6
    check = _checksum(source + destination + struct.pack("!II", len(segment), protocol) + segment)
    segment = segment[:check_at] + struct.pack("!H", check or 0xFFFF) + segment[check_at + 2 :]
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(segment), protocol, 64) + source + destination + segment
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, protocol, 0) + source + destination
    return header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + segment


def read(packet: bytes) -> Seen | None:
    """Recognise one of our packets or an answer to it in an IP packet; None for others."""
    if len(packet) < 28:
        return None
    if packet[0] >> 4 == 4:
        protocol, source, destination = packet[9], packet[12:16], packet[16:20]
        body = packet[(packet[0] & 15) * 4 :]
    else:
        protocol, source, destination, body = packet[6], packet[8:24], packet[24:40], packet[40:]
    if protocol in (1, 58):
        return _read_icmp(protocol, body)
    return read_segment(protocol, body, source, destination)


def read_segment(protocol: int, body: bytes, source: bytes, destination: bytes) -> Seen | None:
    """Recognise one of our packets in a transport segment."""
    if len(body) < 8:
        return None
    source_port, port = struct.unpack_from("!HH", body)
    if protocol == UDP:
        if body[8:12] != _UDP_SIGN or len(body) < 16:
            return None
        return Seen(struct.unpack_from("!I", body, 12)[0], source, source_port, destination, port)
    if protocol != TCP:
        return None
    if len(body) >= 14 and body[13] & _RST:
        return Seen((struct.unpack_from("!I", body, 8)[0] - 1) & 0xFFFFFFFF, refused=True)
    if len(body) >= 14 and body[13] & 0x3F != _SYN:
        return None
    return Seen(struct.unpack_from("!I", body, 4)[0], source, source_port, destination, port)


def _read_icmp(protocol: int, body: bytes) -> Seen | None:
    errors = (3, 11) if protocol == 1 else (1, 3)  # unreachable, no hops left
    if len(body) < 8 or body[0] not in errors:
        return None
    inner = read(body[8:] + bytes(28)) if len(body) > 8 else None
    return None if inner is None else Seen(inner.number, refused=True)


def _checksum(data: bytes) -> int:
    if len(data) & 1:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
