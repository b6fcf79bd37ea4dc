"""A minimal walker that sends single packets through a node's nftables chains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ipt_explain.model import Family, nft
from ipt_explain.netfilter.header import NO_INTERFACE, parse_address, protocol_number
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.nft import Leap, NftEvaluator, Stage, stages
from ipt_explain.netfilter.packet import Bound, Connection, Heading, Node, PacketState, Tracking
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.netfilter.whereabouts import Address

CONNTRACK = -200


@dataclass(frozen=True)
class Outcome:
    """Where packets end, and whether their source was rewritten."""

    verdict: Verdict
    to: str
    masqueraded: bool
    delivered: bool = False


Going = tuple[Fraction, PacketState, Heading]


class Walk:
    """Follows packets through one family's chains of a ruleset."""

    def __init__(self, ruleset: nft.Ruleset, family: Family) -> None:
        self.family = family
        self.outcomes: dict[Outcome, Fraction] = defaultdict(Fraction)
        self.reasons: set[str] = set()
        self._stages = stages(ruleset, family)
        self._evaluator = NftEvaluator()

    def arrive(self, state: PacketState, to: Heading, mine: frozenset[int] = frozenset()) -> dict[Outcome, Fraction]:
        """A packet that arrives from outside or from a pod. `mine` are the node's own addresses."""
        self._sent = to
        came, out = state.in_interface, state.node.out_interface
        for one in self._hook(Hook.PREROUTING, [(Fraction(1), state, to)], came, NO_INTERFACE):
            if one[2].address in mine:
                self._finish(self._hook(Hook.INPUT, [one], came, NO_INTERFACE), delivered=True)
            else:
                forwarded = self._hook(Hook.FORWARD, [one], came, out)
                self._finish(self._hook(Hook.POSTROUTING, forwarded, came, out))
        return dict(self.outcomes)

    def depart(self, state: PacketState, to: Heading, mine: frozenset[int] = frozenset()) -> dict[Outcome, Fraction]:
        """A packet that the node sends."""
        self._sent = to
        out = "lo" if to.address in mine else state.node.out_interface
        for one in self._hook(Hook.OUTPUT, [(Fraction(1), state, to)], NO_INTERFACE, out):
            if one[2].address not in mine:
                self._finish(self._hook(Hook.POSTROUTING, [one], NO_INTERFACE, state.node.out_interface))
                continue
            going = self._hook(Hook.POSTROUTING, [one], NO_INTERFACE, "lo")
            going = [(share, after._replace(tracking=Tracking.CONFIRMED), heading) for share, after, heading in going]
            going = self._hook(Hook.PREROUTING, going, "lo", NO_INTERFACE)
            self._finish(self._hook(Hook.INPUT, going, "lo", NO_INTERFACE), delivered=True)
        return dict(self.outcomes)

    def _finish(self, going: list[Going], delivered: bool = False) -> None:
        for share, state, to in going:
            self._end(Verdict.ACCEPT, share, state, to, delivered)

    def _end(self, verdict: Verdict, share: Fraction, state: PacketState, to: Heading, delivered: bool = False) -> None:
        arrived = verdict is Verdict.ACCEPT
        text = endpoint(to, self.family) if state.dnat and arrived else ""
        self.outcomes[Outcome(verdict, text, state.snat and arrived, delivered)] += share

    def _hook(self, hook: Hook, going: list[Going], came: str | None, out: str | None) -> list[Going]:
        going = [
            (share, state._replace(hook=hook, in_interface=came, out_interface=out), to) for share, state, to in going
        ]
        for stage in self._stages[hook]:
            if stage.priority > CONNTRACK:
                going = [(share, tracked(state), to) for share, state, to in going]
            going = [after for one in going for after in self._stage(stage, hook, one)]
        return going

    def _stage(self, stage: Stage, hook: Hook, one: Going) -> Iterator[Going]:
        share, state, to = one
        decided = state.destination_decided if hook in (Hook.PREROUTING, Hook.OUTPUT) else state.source_decided
        if stage.is_nat and (decided or state.tracking is not Tracking.NEW):
            yield share, state, to
            return
        for then, (part, after, heading), reason in self._chain(stage.table, stage.chain.name, (share, state, to)):
            if then is Verdict.ACCEPT or (then is Flow.RETURN and not stage.drops):
                yield part, after, heading
            else:
                if reason:
                    self.reasons.add(reason)
                self._end(then if isinstance(then, Verdict) else Verdict.DROP, part, after, heading)

    def _chain(self, table: nft.Table, name: str, entering: Going) -> Iterator[tuple[Verdict | Flow, Going, str]]:
        going = [entering]
        for rule in table.chains[name].rules:
            onwards: list[Going] = []
            for share, state, to in going:
                ways = self._evaluator.ways(table, rule, state, Bound(to, self._sent))
                assert sum(way.share for way in ways) == 1
                for way in ways:
                    after = Fraction(way.share) * share, way.state, way.to
                    if isinstance(way.then, Leap):
                        for then, back, reason in self._chain(table, way.then.chain, after):
                            if then is Flow.RETURN and not way.then.goto:
                                onwards.append(back)
                            else:
                                yield then, back, reason
                    elif way.then is Flow.CONTINUE:
                        onwards.append(after)
                    else:
                        yield way.then, after, way.reason
            going = onwards
        for one in going:
            yield Flow.RETURN, one, ""


def tracked(state: PacketState) -> PacketState:
    """The packet after connection tracking."""
    return state._replace(tracking=Tracking.NEW) if state.tracking is Tracking.NOT_YET else state


def endpoint(to: Heading, family: Family) -> str:
    """A destination in the form of truth.json."""
    from ipt_explain.netfilter.header import format_endpoint

    assert isinstance(to.address, int)
    return format_endpoint(to.address, to.port, family)


def packet(
    family: Family,
    source: Address | str,
    destination: str,
    port: int | None,
    protocol: str = "tcp",
    local: bool = False,
    node: Node | None = None,
    in_interface: str | None = None,
    **more: object,
) -> tuple[PacketState, Heading]:
    """A connection's first packet, and its destination."""
    address = parse_address(source) if isinstance(source, str) else source
    number = protocol_number(protocol)
    assert number is not None
    heading = Heading(parse_address(destination), port)
    incoming = "" if local else in_interface
    known: dict[str, object] = {
        "connection": Connection(family, number, address, None, local, incoming),
        "node": node or Node(),
        "hook": Hook.OUTPUT if local else Hook.PREROUTING,
        "source": address,
        "destination": heading.address,
        "source_port": None,
        "port": port,
        "in_interface": incoming,
    }
    known |= more
    state = PacketState(**{name: value for name, value in known.items() if name in PacketState._fields})  # type: ignore[arg-type]
    return state, heading
