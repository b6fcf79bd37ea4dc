"""Which address and port NAT picks from a range. Facts: net/netfilter/nf_nat_core.c.

The address comes from a hash of the packet's source and destination (`find_best_ips_proto`) without a secret, so it is
the same on every little-endian machine and after every reboot. A port in the range is kept; otherwise it becomes the
first, or with `--random` any (`get_unique_tuple`, `nf_nat_l4proto_unique_tuple`). Ports that other connections use are
not considered.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.model import Family
from ipt_explain.netfilter.header import NatRange

_WORD = 0xFFFFFFFF
_INITIAL = 0xDEADBEEF  # JHASH_INITVAL, include/linux/jhash.h


def chosen_address(
    first: int, last: int, source: int, destination: int, persistent: bool, family: Family, zone: int = 0
) -> int:
    """The address from `first` to `last` that becomes the destination of a packet with this source and destination.

    With `--persistent`, the destination and connection tracking's zone play no part.
    """
    if first == last:
        return first
    lows, highs = _words(first, family), _words(last, family)
    # The kernel hashes a union as wide as an IPv6 address, in memory order.
    words = [_swapped(word) for word in _words(source, family)]
    words += [0] * (4 - len(words))
    hashed = jhash2(words, 0 if persistent else _swapped(destination & _WORD) ^ zone)
    chosen, full_range = 0, False
    for low, high in zip(lows, highs):
        start, span = (0, _WORD) if full_range else (low, high - low + 1)
        word = (start + (hashed * span >> 32)) & _WORD
        if word != high:
            full_range = True
        if not persistent:
            hashed ^= _swapped(word)  # the kernel reads the destination while it rewrites it
        chosen = chosen << 32 | word
    return chosen


def chosen_ports(wanted: NatRange, port: int | None, randomly: bool) -> tuple[int, int] | None:
    """The ports that a destination port may become, as (first, last), all equally likely; None if it is kept."""
    first, last = wanted.first_port, wanted.last_port
    if first is None or last is None:
        return None
    first, last = min(first, last), max(first, last)
    if port is not None and wanted.base_port is not None:
        shifted = first + ((port - wanted.base_port) & 0xFFFF) % (last - first + 1)
        return shifted, shifted
    if randomly and first != last:
        return first, last
    if port is not None and first <= port <= last:
        return port, port
    return first, first


def jhash2(words: Sequence[int], initial: int) -> int:
    """Bob Jenkins' hash of 32-bit words, as in include/linux/jhash.h."""
    a = b = c = (_INITIAL + (len(words) << 2) + initial) & _WORD
    left = list(words)
    while len(left) > 3:
        a, b, c = _mixed((a + left[0]) & _WORD, (b + left[1]) & _WORD, (c + left[2]) & _WORD)
        del left[:3]
    if not left:
        return c
    left += [0] * (3 - len(left))
    return _finished((a + left[0]) & _WORD, (b + left[1]) & _WORD, (c + left[2]) & _WORD)


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    a = (a - c & _WORD) ^ _rotated(c, 4)
    c = c + b & _WORD
    b = (b - a & _WORD) ^ _rotated(a, 6)
    a = a + c & _WORD
    c = (c - b & _WORD) ^ _rotated(b, 8)
    b = b + a & _WORD
    a = (a - c & _WORD) ^ _rotated(c, 16)
    c = c + b & _WORD
    b = (b - a & _WORD) ^ _rotated(a, 19)
    a = a + c & _WORD
    c = (c - b & _WORD) ^ _rotated(b, 4)
    b = b + a & _WORD
    return a, b, c


def _finished(a: int, b: int, c: int) -> int:
    c = (c ^ b) - _rotated(b, 14) & _WORD
    a = (a ^ c) - _rotated(c, 11) & _WORD
    b = (b ^ a) - _rotated(a, 25) & _WORD
    c = (c ^ b) - _rotated(b, 16) & _WORD
    a = (a ^ c) - _rotated(c, 4) & _WORD
    b = (b ^ a) - _rotated(a, 14) & _WORD
    return (c ^ b) - _rotated(b, 24) & _WORD


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


def _words(address: int, family: Family) -> list[int]:
    count = 1 if family is Family.IPV4 else 4
    return [address >> 32 * (count - 1 - index) & _WORD for index in range(count)]


def _swapped(word: int) -> int:
    return int.from_bytes(word.to_bytes(4, "big"), "little")
