"""All endpoint chains (KUBE-SEP) of a ruleset at a glance: where each leads, and which lead nowhere.

There are as many as endpoints, so what they share is worked out once per layout, and the rest read when asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from ipt_explain.analyzers.iptables.endpoints import EndpointForm, EndpointForms
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import ChainRole, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Layout, Rule, column
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.records import dataclass

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class EndpointChains:
    """By chain, where it leads (`ip:port` as in the text) and its DNAT rule.

    `written` are all destinations, in no order, `by_protocol` the chains by their DNAT's protocol, "" for none.
    `without` are chains without a DNAT. `recording`: some DNAT rules record their clients for session affinity.
    """

    destinations: Mapping[str, str]
    dnats: Mapping[str, Rule]
    written: Sequence[str]
    by_protocol: Mapping[str, set[str]]
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


class _ByName(Mapping[str, Found]):
    """Something about each endpoint chain that translates, by its name: `read` from the chain when asked for."""

    def __init__(
        self,
        chains: Mapping[str, Chain],
        forms: Mapping[Layout, EndpointForm],
        names: Sequence[str],
        read: Callable[[Chain, EndpointForm], Found],
    ) -> None:
        self._chains = chains
        self._forms = forms
        self._names = names
        self._read = read

    def __getitem__(self, name: str) -> Found:
        chain = self._chains[name]
        if role_of(name) is not ChainRole.ENDPOINT:
            raise KeyError(name)
        return self._read(chain, self._forms[chain.layout])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@fact
def endpoint_chains(context: RulesetContext) -> EndpointChains:
    """Where every endpoint chain leads."""
    plans = context.plans
    known = EndpointForms(plans)
    nat = context.table("nat")
    chains: Mapping[str, Chain] = {} if nat is None else nat.chains
    forms: dict[Layout, EndpointForm] = {}
    names: list[str] = []
    written: list[str] = []
    by_protocol: dict[str, set[str]] = defaultdict(set)
    lacking: set[str] = set()
    for layout, alike in context.hashed[ChainRole.ENDPOINT].items():
        form = known[layout]
        if form is None:
            lacking.update(column(alike, 0))
            continue
        forms[layout] = form
        own = column(alike, 0)
        texts = [""] * len(own) if form.protocol is None else column(alike, form.protocol)
        asking = {text: by_protocol[usual_name(text)] for text in set(texts)}
        for name, text in zip(own, texts):
            asking[text].add(name)
        names += own
        written += column(alike, form.destination)
    return EndpointChains(
        _ByName(chains, forms, names, lambda chain, form: chain.at(form.destination)),
        _ByName(chains, forms, names, lambda chain, form: chain.rule(form.dnat)),
        written,
        by_protocol,
        tuple(chain for name, chain in chains.items() if name in lacking) if lacking else (),
        any(plans[layout.shapes[form.dnat]].records for layout, form in forms.items()),
        plans,
    )
