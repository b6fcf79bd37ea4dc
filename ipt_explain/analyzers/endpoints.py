"""Endpoint chains (KUBE-SEP): which pod they lead to, and whether that pod can reach itself through them."""

from __future__ import annotations

from dataclasses import dataclass

from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.analyzers.plans import Plans
from ipt_explain.model import Chain, Rule, Table


@dataclass(frozen=True, slots=True)
class EndpointChain:
    """A chain that ends in a DNAT.

    `address` and `port` are None where the destination is not one host and port; `hairpin` tells whether a rule
    ahead of the DNAT marks the endpoint's own connections for masquerading; `record_list` is the `recent` list in which the DNAT
    rule records its clients.
    """

    chain: str
    address: str | None
    port: int | None
    protocol: str | None
    hairpin: bool
    record_list: str | None
    dnat: Rule


def split_destination(destination: str) -> tuple[str | None, int | None]:
    """`10.0.0.1:80` or `[fd00::1]:80` as address and port; None for what is not one host or one port."""
    if destination.startswith("["):
        address, _, port = destination[1:].partition("]:")
    elif destination.count(":") == 1:
        address, _, port = destination.partition(":")
    else:
        address, port = destination, ""
    return (None if "-" in address or not address else address, int(port) if port.isdecimal() else None)


class EndpointReader:
    """Reads endpoint chains of one nat table, each once."""

    def __init__(self, nat: Table | None, plans: Plans) -> None:
        self._chains = {} if nat is None else nat.chains
        self._plans = plans
        self._known: dict[str, EndpointChain | None] = {}

    def read(self, name: str) -> EndpointChain | None:
        """The endpoint behind a chain, None where the chain is absent or has no DNAT of its own."""
        try:
            return self._known[name]
        except KeyError:
            chain = self._chains.get(name)
            endpoint = None if chain is None else self._read(chain)
            self._known[name] = endpoint
            return endpoint

    def _read(self, chain: Chain) -> EndpointChain | None:
        plans = self._plans
        marked: list[str] = []
        for rule in chain.rules:
            plan = plans[rule.shape]
            if plan.dnat_slot is not None:
                address, port = split_destination(rule.values[plan.dnat_slot])
                hairpin = address is not None and any(_is_host(source, address) for source in marked)
                protocol = None if plan.protocol is None else plan.protocol.of(rule)
                records = plan.list_slot if plan.records else None
                return EndpointChain(
                    chain.name, address, port, protocol, hairpin, None if records is None else rule.values[records], rule
                )
            if plan.source is not None and not plan.source.negated:
                target = plan.target if plan.target_slot is None else rule.values[plan.target_slot]
                # kube-proxy 1.1 set the mark itself, without a chain for it.
                if target == MARK_MASQ or target == "MARK":
                    marked.append(rule.values[plan.source.slot])
        return None


def _is_host(source: str, address: str) -> bool:
    return source.startswith(address) and source[len(address) :] in ("", "/32", "/128")
