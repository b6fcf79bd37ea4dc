"""All endpoint chains (KUBE-SEP) of a ruleset at a glance: where each leads, and which lead nowhere.

There are as many as endpoints, so what they share by form is found out once a form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeAlias

from ipt_explain.analyzers.names import ChainRole
from ipt_explain.analyzers.plans import Plans
from ipt_explain.model import Chain, Rule, Ruleset, Shape

# Destination, protocol, and the `recent` list that records clients: as in the DNAT rule's text, "" for none.
Lead: TypeAlias = tuple[str, str, str]

_PREFIX = ChainRole.ENDPOINT.value
_MAX_RULES = 64


@dataclass(frozen=True, slots=True)
class EndpointChains:
    """By chain, where it leads; `dnats` are the rules that do it. `without` are chains that hold no DNAT."""

    leads: Mapping[str, Lead]
    dnats: Mapping[str, Rule]
    without: tuple[Chain, ...]
    recording: bool
    plans: Plans

    def destination(self, chain: str) -> str:
        """`ip:port`, or the chain's name where the text does not tell."""
        lead = self.leads.get(chain)
        return chain if lead is None else lead[0]


def read_endpoint_chains(ruleset: Ruleset) -> EndpointChains:
    """Reads every endpoint chain of the nat table."""
    plans = Plans()
    getters: dict[Shape, Callable[[Rule], Lead] | None] = {}
    leads: dict[str, Lead] = {}
    dnats: dict[str, Rule] = {}
    without: list[Chain] = []
    nat = ruleset.tables.get("nat")
    for name, chain in nat.chains.items() if nat is not None else ():
        if name[:9] != _PREFIX:
            continue
        for rule in reversed(chain.rules[:_MAX_RULES]):
            shape = rule.shape
            try:
                getter = getters[shape]
            except KeyError:
                getter = getters[shape] = _getter(shape, plans)
            if getter is not None:
                leads[name] = getter(rule)
                dnats[name] = rule
                break
        else:
            without.append(chain)
    recording = any(plans[shape].records for shape, getter in getters.items() if getter is not None)
    return EndpointChains(leads, dnats, tuple(without), recording, plans)


def _getter(shape: Shape, plans: Plans) -> Callable[[Rule], Lead] | None:
    plan = plans[shape]
    if plan.dnat_slot is None:
        return None
    destination = plan.dnat_slot
    protocol = None if plan.protocol is None or plan.protocol.negated else plan.protocol.slot
    record = plan.list_slot if plan.records else None
    if protocol is not None and record is not None:
        slots = itemgetter(destination, protocol, record)
        return lambda rule: slots(rule.values)
    if protocol is not None:
        return lambda rule: (rule.values[destination], rule.values[protocol], "")
    if record is not None:
        return lambda rule: (rule.values[destination], "", rule.values[record])
    return lambda rule: (rule.values[destination], "", "")
