"""All endpoint chains (KUBE-SEP) of a ruleset at a glance: where each leads, and which lead nowhere.

There are as many as endpoints, so what they share is worked out once per layout, and the rest read when asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress, filterfalse
from operator import itemgetter

from ipt_explain.analyzers.iptables.endpoints import EndpointForms, split_destination
from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import ChainRole
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.enums import Enum
from ipt_explain.model import Chain, Hidden, Layout, Rule
from ipt_explain.model.by_shape import SameLayout, chains_in_order
from ipt_explain.netfilter.header import usual_name
from ipt_explain.records import Record

_NOWHERE = (
    *("0.", "127.", "255.255.255.255", ":", "[::]", "[::1]", "[ff", "[::ffff:127."),
    *(f"{octet}." for octet in range(224, 240)),
)
_head, _tail = itemgetter(slice(4)), itemgetter(slice(-6, None))
_HEADS = tuple(map(_head, _NOWHERE))
_FLAGS = ("--random", "--persistent", "--random-fully")


class EndpointChains(Record):
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
        return "" if protocol is None or protocol.negated else usual_name(protocol.at(rule))

    def record_list(self, chain: str) -> str:
        """The `recent` list in which a chain's DNAT records its clients, "" for none."""
        if chain not in self.destinations:
            return ""
        layout = self._chains[chain].layout
        plan = self.plans[layout.shapes[self._translating[layout]]]
        return "" if not plan.records or plan.list_slot is None else self.dnat(chain).word(plan.list_slot)


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


class Flaw(Enum):
    """What is wrong with where an endpoint chain leads."""

    NO_PORT = "names no port"
    BAD_PORT = "has no valid port"
    NO_MACHINE = "is not a machine's address"


@fact
def bad_destinations(context: RulesetContext) -> Sequence[tuple[str, str, Flaw]]:
    """Chains whose destination cannot be an endpoint, or has no port: chain, destination, and what is wrong with it."""
    destinations = endpoint_chains(context).destinations
    # There are as many as endpoints, but their ends and beginnings are few.
    tails = set(filterfalse(_has_port, set(map(_tail, destinations.values()))))
    heads = {head for head in set(map(_head, destinations.values())) if head.startswith(_HEADS)}
    found = []
    for chain, destination in destinations.items() if tails or heads else ():
        if "-" in destination:
            continue  # a range is another rule's
        if _tail(destination) in tails and split_destination(destination)[1] is None:
            found.append((chain, destination, Flaw.NO_PORT))
        elif _tail(destination) in tails:
            found.append((chain, destination, Flaw.BAD_PORT))
        elif _head(destination) in heads and destination.startswith(_NOWHERE):
            found.append((chain, destination, Flaw.NO_MACHINE))
    return found


def _has_port(tail: str) -> bool:
    """Whether the text of an address with this ending has a port from 1 to 65535."""
    _, colon, port = tail.rpartition(":")
    return bool(colon) and port.isdecimal() and 0 < int(port) < 65536


@fact
def foreign_flags(context: RulesetContext) -> Sequence[tuple[Rule, list[str]]]:
    """DNAT rules of endpoint chains with flags that kube-proxy never writes, or with a range."""
    endpoints = endpoint_chains(context)
    ranges = "-" in "".join(endpoints.destinations.values())
    found = []
    for shape, rules in context.by_shape.get("nat", {}).items():
        if shape.target is None or shape.target.name != "DNAT" or Hidden.TARGET in shape.hidden:
            continue
        flags = [option.name for option in shape.target.options if option.name in _FLAGS]
        slot = next((option.slots[0] for option in shape.target.options if option.name == "--to-destination"), None)
        suspects: Iterable[Rule] = ()
        if flags or slot is None:
            suspects = rules
        elif ranges:
            suspects = rules.having(slot, lambda word: "-" in word)
        found += [(each, flags) for each in suspects if _is_dnat(endpoints, each)]
    return found


def _is_dnat(endpoints: EndpointChains, rule: Rule) -> bool:
    return rule.chain in endpoints.destinations and rule is endpoints.dnat(rule.chain)
