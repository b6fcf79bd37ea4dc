"""All endpoint chains (KUBE-SEP) of a ruleset at a glance: where each leads, and which lead nowhere.

There are as many as endpoints, so what they share by form is found out once a form.
"""

from __future__ import annotations

from collections.abc import Mapping

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import ChainRole
from ipt_explain.model import Chain, Rule, Ruleset, Shape
from ipt_explain.netfilter.header.protocols import usual_name
from ipt_explain.records import dataclass

_PREFIX = ChainRole.ENDPOINT.value
_MAX_RULES = 64


@dataclass(frozen=True, slots=True)
class EndpointChains:
    """By chain, where it leads (`ip:port` as in the text) and the DNAT rule that does it.

    `by_protocol` are the chains by their DNAT's protocol, "" for none. `without` are chains that hold no DNAT.
    `recording`: some DNAT rules record their clients for session affinity.
    """

    destinations: Mapping[str, str]
    dnats: Mapping[str, Rule]
    by_protocol: Mapping[str, frozenset[str]]
    without: tuple[Chain, ...]
    recording: bool
    plans: Plans

    def destination(self, chain: str) -> str:
        """`ip:port`, or the chain's name where the text does not tell."""
        return self.destinations.get(chain, chain)

    def protocol(self, chain: str) -> str:
        """The protocol that a chain's DNAT asks for, "" for none."""
        rule = self.dnats[chain]
        protocol = self.plans[rule.shape].protocol
        return "" if protocol is None or protocol.negated else usual_name(protocol.of(rule))

    def record_list(self, chain: str) -> str:
        """The `recent` list in which a chain's DNAT records its clients, "" for none."""
        rule = self.dnats.get(chain)
        plan = None if rule is None else self.plans[rule.shape]
        if rule is None or plan is None or not plan.records or plan.list_slot is None:
            return ""
        return rule.values[plan.list_slot]


def read_endpoint_chains(ruleset: Ruleset) -> EndpointChains:
    """Reads every endpoint chain of the nat table."""
    plans = Plans()
    forms: dict[Shape, tuple[int, int] | None] = {}
    destinations: dict[str, str] = {}
    dnats: dict[str, Rule] = {}
    by_protocol: dict[str, list[str]] = {"": []}
    without: list[Chain] = []
    nat = ruleset.tables.get("nat")
    for name, chain in nat.chains.items() if nat is not None else ():
        if name[:9] != _PREFIX:
            continue
        rules = chain.rules
        rule = rules[-1] if rules else None
        form = forms.get(rule.shape) if rule is not None else None
        if rule is None or form is None:
            rule, form = _find_dnat(rules, plans, forms)
            if rule is None or form is None:
                without.append(chain)
                continue
        values = rule.values
        destinations[name] = values[form[0]]
        dnats[name] = rule
        protocol = usual_name(values[form[1]]) if form[1] else ""
        if protocol in by_protocol:
            by_protocol[protocol].append(name)
        else:
            by_protocol[protocol] = [name]
    recording = any(plans[shape].records for shape, form in forms.items() if form is not None)
    sets = {protocol: frozenset(names) for protocol, names in by_protocol.items()}
    return EndpointChains(destinations, dnats, sets, tuple(without), recording, plans)


def _find_dnat(
    rules: tuple[Rule, ...], plans: Plans, forms: dict[Shape, tuple[int, int] | None]
) -> tuple[Rule | None, tuple[int, int] | None]:
    """The last DNAT among a chain's first rules, with the slots of its destination and protocol (0 for none)."""
    for rule in reversed(rules[:_MAX_RULES]):
        shape = rule.shape
        if shape not in forms:
            plan = plans[shape]
            slot = plan.dnat_slot
            protocol = 0 if plan.protocol is None or plan.protocol.negated else plan.protocol.slot
            forms[shape] = None if slot is None else (slot, protocol)
        form = forms[shape]
        if form is not None:
            return rule, form
    return None, None
