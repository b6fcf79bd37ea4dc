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
from ipt_explain.model import Chain, Layout, Rule
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
    destinations: dict[str, str] = {}
    found: dict[str, Chain] = {}
    by_protocol: dict[str, list[str]] = {"": []}
    without: list[Chain] = []
    nat = context.table("nat")
    for name, chain in nat.chains.items() if nat is not None else ():
        if name[:9] != _PREFIX:
            continue
        form = forms[chain.layout]
        if form is None:
            without.append(chain)
            continue
        destinations[name] = chain.at(form.destination)
        found[name] = chain
        protocol = "" if form.protocol is None else chain.at(form.protocol)
        if protocol in by_protocol:
            by_protocol[protocol].append(name)
        else:
            by_protocol[protocol] = [name]
    numbers = {layout: form.dnat for layout, form in forms.items() if form is not None}
    recording = any(plans[layout.shapes[dnat]].records for layout, dnat in numbers.items())
    sets: dict[str, frozenset[str]] = {}
    for text, names in by_protocol.items():
        usual = usual_name(text)
        sets[usual] = sets.get(usual, frozenset()).union(names)
    return EndpointChains(destinations, Dnats(found, numbers), sets, tuple(without), recording, plans)
