"""A load balancer's source ranges in a canonical form."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1024)
def networks_of(ranges: tuple[str, ...]) -> tuple[str, ...]:
    """Source ranges as sorted networks; none if one covers everything, which up to 1.23 is the same as none.

    nftables joins adjacent networks, and writes single addresses without a length.
    """
    if not ranges or "0.0.0.0/0" in ranges or "::/0" in ranges:
        return ()
    from ipaddress import collapse_addresses, ip_address, ip_network, summarize_address_range

    networks: list[Any] = []
    for text in ranges:
        first, _, last = text.partition("-")
        try:
            pair = (ip_address(first), ip_address(last or first)) if "/" not in first else None
            found = (ip_network(first, False),) if pair is None else summarize_address_range(*pair)
        except (TypeError, ValueError):
            return tuple(sorted(ranges))
        networks += found
    return tuple(sorted(map(str, collapse_addresses(networks))))
