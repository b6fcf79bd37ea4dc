"""All endpoint chains (KUBE-SEP) of a ruleset at a glance: where each leads, and which lead nowhere.

There are as many as endpoints, so facts that they share by layout are worked out once per layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ipt_explain.analyzers.iptables.endpoints import EndpointForms
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import ChainRole
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Layout, Rule, column
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.records import dataclass

_PREFIX = ChainRole.ENDPOINT.value


@dataclass(frozen=True, slots=True)
class EndpointChains:
    """By chain, where it leads (`ip:port` as in the text) and its DNAT rule.

    `by_protocol` are the chains by their DNAT's protocol, "" for none. `without` are chains without a DNAT.
    `recording`: some DNAT rules record their clients for session affinity.
    """

    destinations: Mapping[str, str]
    dnats: Mapping[str, Rule]
    by_protocol: Mapping[str, frozenset[str]]
    without: tuple[Chain, ...]
    recording: bool
    plans: Plans

    def destination(self, chain: str) -> str:
        """`ip:port`, or the chain's name if the text does not show it."""
        return self.destinations.get(chain, chain)

    def protocol(self, chain: str) -> str:
        """The protocol that a chain's DNAT matches, "" for none."""
        rule = self.dnats[chain]
        protocol = self.plans[rule.shape].protocol
        return "" if protocol is None or protocol.negated else usual_name(protocol.of(rule))

    def record_list(self, chain: str) -> str:
        """The `recent` list in which a chain's DNAT records its clients, "" for none."""
        rule = self.dnats.get(chain)
        plan = None if rule is None else self.plans[rule.shape]
        if rule is None or plan is None or not plan.records or plan.list_slot is None:
            return ""
        return rule.word(plan.list_slot)


class Dnats(Mapping[str, Rule]):
    """The rules that translate, by chain. `numbers` has their places, by layout; a rule is made when asked for."""

    def __init__(self, chains: Mapping[str, Chain], numbers: Mapping[Layout, int]) -> None:
        self._chains = chains
        self._numbers = numbers

    def __getitem__(self, name: str) -> Rule:
        chain = self._chains[name]
        return chain.rule(self._numbers[chain.layout])

    def __contains__(self, name: object) -> bool:
        return name in self._chains

    def __iter__(self) -> Iterator[str]:
        return iter(self._chains)

    def __len__(self) -> int:
        return len(self._chains)


@fact
def endpoint_chains(context: RulesetContext) -> EndpointChains:
    """Where every endpoint chain leads."""
    plans = Plans()
    forms = EndpointForms(plans)
    nat = context.table("nat")
    chains = {} if nat is None else {name: chain for name, chain in nat.chains.items() if name[:9] == _PREFIX}
    by_layout: dict[Layout, list[Chain]] = {}
    for chain in chains.values():
        by_layout.setdefault(chain.layout, []).append(chain)
    destinations = dict.fromkeys(chains, "")
    by_protocol: dict[str, frozenset[str]] = {"": frozenset()}
    numbers: dict[Layout, int] = {}
    without: list[Chain] = []
    for layout, same in by_layout.items():
        form, names = forms[layout], column(same, 0)
        if form is None:
            without += same
            continue
        numbers[layout] = form.dnat
        destinations.update(zip(names, column(same, form.destination)))
        texts = [""] * len(same) if form.protocol is None else column(same, form.protocol)
        for text in set(texts):
            usual = usual_name(text)
            asking = [name for name, each in zip(names, texts) if each == text]
            by_protocol[usual] = by_protocol.get(usual, frozenset()).union(asking)
    if without:
        lacking = {chain.name for chain in without}
        without = [chain for chain in chains.values() if chain.name in lacking]
        chains = {name: chain for name, chain in chains.items() if name not in lacking}
        destinations = {name: destinations[name] for name in chains}
    recording = any(plans[layout.shapes[dnat]].records for layout, dnat in numbers.items())
    return EndpointChains(destinations, Dnats(chains, numbers), by_protocol, tuple(without), recording, plans)
