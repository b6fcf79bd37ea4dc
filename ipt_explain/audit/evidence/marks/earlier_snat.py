"""Rules that take marked packets on their way to pods before KUBE-POSTROUTING masquerades them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from ipt_explain.analyzers.fates.vantages import Surroundings
from ipt_explain.analyzers.names import POSTROUTING
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.services.vital import is_api_server
from ipt_explain.columns import column
from ipt_explain.model import Rule
from ipt_explain.netfilter.assumptions import Answers
from ipt_explain.netfilter.header import protocol_number
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Heading, PacketState, Tracking
from ipt_explain.netfilter.walk.chains.evaluator import Crowd
from ipt_explain.netfilter.walk.chains.frontier import Budget
from ipt_explain.netfilter.walk.chains.table import Arrival, TableWalk
from ipt_explain.netfilter.walk.hook_walk import MOST_WORK
from ipt_explain.netfilter.walk.path import Leg, Path, Step
from ipt_explain.records import Record, replace
from ipt_explain.services.fates import Vantage

# The pods of this many Services are tried, in place of all.
_SAMPLE = 16
_MASQUERADING = frozenset({"MASQUERADE", "SNAT", "NETMAP"})


class EarlierSnat(Record):
    """A rule that takes marked packets. `partly`: only those from some sources or interfaces, or to themselves."""

    rule: Rule
    partly: bool


def earlier_snat(context: RulesetContext, mark: int) -> EarlierSnat | None:
    """The first rule before KUBE-POSTROUTING that takes packets with this mark from pods to pods or, if there is none,
    from pods to themselves."""
    taken = sorted(_taken(context, mark) or _taken_from_itself(context, mark), key=lambda each: each.rule.line)
    return taken[0] if taken else None


def _taken(context: RulesetContext, mark: int) -> list[EarlierSnat]:
    _, surroundings = context.around
    found: list[EarlierSnat] = []
    for protocol, headings in _pods(context, surroundings).items():
        state = _marked(surroundings.departure(Vantage.POD, protocol_number(protocol) or 0), mark)
        for rule, asked in _decisive_rules(context, state, headings):
            if all(each.of_source for each in asked):
                found.append(EarlierSnat(rule, partly=bool(asked)))
    return found


def _taken_from_itself(context: RulesetContext, mark: int) -> list[EarlierSnat]:
    """The rules that take endpoints' connections to themselves, for a few endpoints that cannot reach themselves."""
    _, surroundings = context.around
    found: list[EarlierSnat] = []
    for protocol, heading, address in islice(_cut_off_from_itself(context, surroundings), _SAMPLE):
        state = _marked(surroundings.departure(Vantage.POD, protocol_number(protocol) or 0), mark)
        own = state._replace(source=address, connection=replace(state.connection, source=address))
        for rule, asked in _decisive_rules(context, own, [heading]):
            if not asked and rule.target not in _MASQUERADING:
                found.append(EarlierSnat(rule, partly=True))
    return found


def _cut_off_from_itself(context: RulesetContext, surroundings: Surroundings) -> Iterator[tuple[str, Heading, int]]:
    """Endpoints whose own connections are marked but not masqueraded, with their protocol and address."""
    for service in context.services:
        if False in column(service.endpoints, "hairpin"):
            for endpoint in service.endpoints:
                heading = surroundings.heading(endpoint) if endpoint.marked and endpoint.hairpin is False else None
                if heading is not None and isinstance(heading.address, int):
                    yield service.protocol, heading, heading.address


def _decisive_rules(
    context: RulesetContext, state: PacketState, headings: Sequence[Heading]
) -> Iterator[tuple[Rule, Answers]]:
    """The rules of nat that take some packets before KUBE-POSTROUTING, and what that depends on."""
    nat = context.table("nat")
    if nat is None or Hook.POSTROUTING.value not in nat.chains:
        return
    node, _ = context.around
    crowd = Crowd(headings, headings)
    walk = TableWalk(nat, crowd, node.evaluator, node.indexes, Budget(MOST_WORK), context.ruleset.fragment)
    for arrival in walk.arrivals(Hook.POSTROUTING.value, [(state, range(len(headings)))]):
        rule = _decisive(arrival)
        if rule is not None:
            yield rule, arrival.end.state.answers


def _pods(context: RulesetContext, surroundings: Surroundings) -> dict[str, list[Heading]]:
    found: dict[str, list[Heading]] = {}
    services = [each for each in context.services if not is_api_server(each) and each.endpoints]
    for service in services[:_SAMPLE]:
        heading = surroundings.heading(service.endpoints[0])
        if heading is not None:
            found.setdefault(service.protocol, []).append(heading)
    return found


def _marked(state: PacketState, mark: int) -> PacketState:
    """The packet after KUBE-MARK-MASQ and its DNAT, about to leave."""
    return state._replace(
        hook=Hook.POSTROUTING, out_interface=None, mark=mark, tracking=Tracking.NEW, destination_decided=True, dnat=True
    )


def _decisive(arrival: Arrival) -> Rule | None:
    """The rule outside kube-proxy's chain that ends the packet's walk; None if none does."""
    if not arrival.rows:
        return None
    row = arrival.rows[0]
    path = Path((Leg(arrival.visit, row, arrival.via, arrival.visit.crowd.bound(row, 0), arrival.to[0]),))
    steps = path.steps()
    if any(POSTROUTING in (step.chain.name, None if step.into is None else step.into.name) for step in steps):
        return None
    last = steps[-1] if steps else None
    if not isinstance(last, Step) or last.into is not None or (arrival.by_policy and last.depth > 0):
        return None
    if last.rule is not None and arrival.by_policy and last.rule.target != "RETURN":
        return None
    return last.rule
