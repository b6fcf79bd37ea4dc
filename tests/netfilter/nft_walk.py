"""A crowd of one through the nftables chains of a node: the least that can follow what single rules answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from ipt_explain.model import Family, nft
from ipt_explain.netfilter.addresses import parse_address
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.nft import Evaluator, Leap, Stage, stages
from ipt_explain.netfilter.packet import Bound, Connection, Heading, Node, PacketState, Tracking
from ipt_explain.netfilter.protocols import protocol_number
from ipt_explain.netfilter.targets import Flow, Verdict
from ipt_explain.netfilter.whereabouts import Address

CONNTRACK = -200


@dataclass(frozen=True)
class Outcome:
    """Where packets end, and whether their source was rewritten."""

    verdict: Verdict
    to: str
    masqueraded: bool


Going = tuple[Fraction, PacketState, Heading]


class Walk:
    """Follows packets through one family's chains of a ruleset."""

    def __init__(self, ruleset: nft.Ruleset, family: Family) -> None:
        self.family = family
        self.outcomes: dict[Outcome, Fraction] = defaultdict(Fraction)
        self.reasons: set[str] = set()
        self._stages = stages(ruleset, family)
        self._evaluator = Evaluator()

    def arrive(self, state: PacketState, to: Heading, mine: frozenset[int] = frozenset()) -> dict[Outcome, Fraction]:
        """A packet that comes in from outside, or from a pod."""
        self._sent = to
        passed = list(self._hook(Hook.PREROUTING, [(Fraction(1), state, to)]))
        for share, after, heading in passed:
            if after.destination_decided or heading.address not in mine:
                self._out(list(self._hook(Hook.FORWARD, [(share, after, heading)])))
            else:
                self._finish(list(self._hook(Hook.INPUT, [(share, after, heading)])))
        return dict(self.outcomes)

    def depart(self, state: PacketState, to: Heading) -> dict[Outcome, Fraction]:
        """A packet that the node sends."""
        self._sent = to
        self._out(list(self._hook(Hook.OUTPUT, [(Fraction(1), state, to)])))
        return dict(self.outcomes)

    def _out(self, going: list[Going]) -> None:
        self._finish(list(self._hook(Hook.POSTROUTING, going)))

    def _finish(self, going: list[Going]) -> None:
        for share, state, to in going:
            self._end(Verdict.ACCEPT, share, state, to)

    def _end(self, verdict: Verdict, share: Fraction, state: PacketState, to: Heading) -> None:
        text = endpoint(to, self.family) if state.dnat else ""
        self.outcomes[Outcome(verdict, text, state.snat)] += share

    def _hook(self, hook: Hook, going: list[Going]) -> Iterator[Going]:
        for stage in self._stages[hook]:
            if stage.priority > CONNTRACK:
                going = [(share, tracked(state), to) for share, state, to in going]
            going = [after for one in going for after in self._stage(stage, hook, one)]
        yield from going

    def _stage(self, stage: Stage, hook: Hook, one: Going) -> Iterator[Going]:
        share, state, to = one
        state = state._replace(hook=hook)
        decided = state.destination_decided if hook in (Hook.PREROUTING, Hook.OUTPUT) else state.source_decided
        if stage.is_nat and decided:
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
    """The packet once connection tracking has seen it."""
    return state._replace(tracking=Tracking.NEW) if state.tracking is Tracking.NOT_YET else state


def endpoint(to: Heading, family: Family) -> str:
    """A destination as truth.json has it."""
    from ipt_explain.netfilter.addresses import format_endpoint

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
    """A connection's first packet, and where it is bound for."""
    address = parse_address(source) if isinstance(source, str) else source
    number = protocol_number(protocol)
    assert number is not None
    heading = Heading(parse_address(destination), port)
    incoming = "" if local else in_interface
    known: dict[str, object] = {
        "connection": Connection(family, number, address, heading.address or 0, None, port, local, incoming),
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
