"""Addresses as people write them. `netfilter.addresses` computes with them."""

from __future__ import annotations


def address_port(host: str, port: int | str | None) -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`, or the bare address without a port."""
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def front(host: str | None, port: int | str | None) -> str:
    """What a client connects to: `10.96.0.10:53`, or `node port 30053` without an address."""
    return f"node port {port}" if host is None else address_port(host, port)


def without_prefix(network: str) -> str:
    """Strip the prefix of single addresses, `10.0.0.1/32` and `fd00::1/128`; keep that of wider networks."""
    return network.removesuffix("/32") if "." in network else network.removesuffix("/128")
