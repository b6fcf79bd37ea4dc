"""The kube-proxy mode of a live node, and the evidence for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.analyzers.nftables import read_nftables
from ipt_explain.analyzers.rulesets import proxy_mode
from ipt_explain.model import Dump
from ipt_explain.model.node import NodeFacts
from ipt_explain.services.ports import ProxyMode
from ipt_explain.words import both, counted

_NOTHING = "kube-proxy left no trace here: neither its rules nor IPVS virtual servers"


def found_mode(dumps: Sequence[Dump]) -> str:
    """A sentence: the mode, and the chains, sets and servers that show it; each mode if a node shows several."""
    found: dict[ProxyMode, str] = {}
    other = ""
    for dump in dumps:
        for ruleset in dump.rulesets:
            mode, evidence = proxy_mode(ruleset)
            if mode is not None:
                found.setdefault(mode, evidence.partition(": ")[0])  # the rest is what the mode does
            elif evidence:
                other = evidence
    for known in (dump.nft for dump in dumps if dump.nft is not None):
        for summed, _ in read_nftables(known, lambda _, __: False):
            if summed.mode is not None:
                found.setdefault(summed.mode, summed.evidence)
    facts = {id(dump.node): dump.node for dump in dumps}.values()
    shown = [words for known in facts for words in _servers_and_sets(known)]
    if shown and (ProxyMode.IPVS in found or any(known.virtual_servers for known in facts)):
        found[ProxyMode.IPVS] = "; ".join(filter(None, (found.get(ProxyMode.IPVS), both(shown))))
    if not found:
        return other or _NOTHING
    return "; and ".join(f"kube-proxy in {mode.word} mode: {evidence}" for mode, evidence in found.items())


def _servers_and_sets(facts: NodeFacts) -> Iterator[str]:
    if facts.virtual_servers is not None and facts.virtual_servers.servers:
        yield f"{counted(len(facts.virtual_servers.servers), 'virtual server')} of IPVS"
    if facts.sets:
        yield counted(len(facts.sets), "IP set")
