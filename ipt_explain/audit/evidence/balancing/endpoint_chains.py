"""All endpoint chains (KUBE-SEP) of a ruleset at a glance: where each leads, and which lead nowhere.

There are as many as endpoints, so what they share is worked out once per layout, and the rest read when asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import compress

from ipt_explain.analyzers.iptables.endpoints import EndpointForms
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import ChainRole
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Layout, Rule
from ipt_explain.model.by_shape import SameLayout, chains_in_order
from ipt_explain.netfilter.header import usual_name
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class EndpointChains:
    """By chain, where it leads (`ip:port` as in the text).

    `written` are all destinations, `by_protocol` the chains by their DNAT's protocol, "" for none. `without` are chains
    without a DNAT. `recording`: some DNAT rules record their clients for session affinity.
    """

    destinations: Mapping[str, str]
    written: frozenset[str]
    by_protocol: Mapping[str, Sequence[str]]
    without: tuple[Chain, ...]
    recording: bool
    plans: Plans
    _chains: Mapping[str, Chain]
    _translating: Mapping[Layout, int]
    """The number of the DNAT rule, by layout."""

    def destination(self, chain: str) -> str:
        """`ip:port`, or the chain's name if the text does not show it."""
        return self.destinations.get(chain, chain)

    def dnat(self, name: str) -> Rule:
        """The DNAT rule of a chain that has a destination."""
        chain = self._chains[name]
        return chain.rule(self._translating[chain.layout])

    def protocol(self, chain: str) -> str:
        """The protocol that a chain's DNAT matches, "" for none."""
        rule = self.dnat(chain)
        protocol = self.plans[rule.shape].protocol
        return "" if protocol is None or protocol.negated else usual_name(protocol.of(rule))

    def record_list(self, chain: str) -> str:
        """The `recent` list in which a chain's DNAT records its clients, "" for none."""
        if chain not in self.destinations:
            return ""
        rule = self.dnat(chain)
        plan = self.plans[rule.shape]
        return "" if not plan.records or plan.list_slot is None else rule.word(plan.list_slot)


@fact
def endpoint_chains(context: RulesetContext) -> EndpointChains:
    """Where every endpoint chain leads."""
    plans = context.plans
    known = EndpointForms(plans)
    nat = context.table("nat")
    translating: dict[Layout, int] = {}
    destinations: dict[str, str] = {}
    by_protocol: dict[str, list[str]] = defaultdict(list)
    lacking: list[SameLayout] = []
    for layout, alike in context.hashed[ChainRole.ENDPOINT].items():
        form = known[layout]
        if form is None:
            lacking.append(alike)
            continue
        translating[layout] = form.dnat
        if form.destination is not None:
            destinations.update(zip(alike.names, alike.column(form.destination)))
        if form.protocol is None:
            by_protocol[""] += alike.names
        else:
            texts = alike.column(form.protocol)
            for text in alike.distinct(form.protocol):
                by_protocol[usual_name(text)] += compress(alike.names, map(text.__eq__, texts))
    return EndpointChains(
        destinations,
        frozenset(destinations.values()),
        by_protocol,
        tuple(chains_in_order(lacking)),
        any(plans[layout.shapes[number]].records for layout, number in translating.items()),
        plans,
        {} if nat is None else nat.chains,
        translating,
    )
