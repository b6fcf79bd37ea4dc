"""What endpoints send to themselves through a Service, followed packet by packet where their chains are not as
kube-proxy writes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

from ipt_explain.analyzers.rulesets import chains_from
from ipt_explain.model import Layout, Rule, Ruleset, Shape, TargetKind
from ipt_explain.netfilter.header import network_bits
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.marks import MARKING_TARGETS, change_by, mark_tests
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.netfilter.whereabouts import Bits, lies_in
from ipt_explain.records import replace

OwnConnection = tuple[Heading, Heading]
"""A Service's address and port, and one of its endpoints."""

_TRANSLATING = frozenset({"DNAT", "NETMAP"})
_ENDS = ("--ctorig", "--ctrepl", "--src-range")
_MOST = 256  # pods are followed one by one


def sent_by(source: int, state: PacketState) -> PacketState:
    """The same packet from another source."""
    return state._replace(source=source, connection=replace(state.connection, source=source))


def is_usual_mark(ruleset: Ruleset, name: str) -> bool:
    """Whether a chain has one rule, which changes the mark of all packets."""
    chain = ruleset.chain("nat", name)
    if chain is None or len(chain.layout.shapes) != 1:
        return False
    (shape,) = chain.layout.shapes
    return not shape.core and _only_comments(shape) and shape.target is not None and shape.target.name == "MARK"


def is_usual(layout: Layout) -> bool:
    """Whether a chain jumps to another one for packets from one address, and then translates."""
    if len(layout.shapes) != 2:
        return False
    mark, dnat = layout.shapes
    jump, last = mark.target, dnat.target
    return (
        [option.name for option in mark.core if not option.negated] == ["-s"] == [option.name for option in mark.core]
        and _only_comments(mark)
        and (jump is not None and jump.slot is not None and jump.kind is TargetKind.JUMP)
        and (last is not None and last.name == "DNAT")
    )


def marks_matter(rulesets: Sequence[Ruleset], leaving: Iterable[tuple[str, Hook]]) -> bool:
    """Whether other programs' rules mark what arrives, or its connection, with bits that rules test when it is
    `leaving`: in these built-in chains, and those that they lead to."""
    arriving = [(table, Hook.PREROUTING) for table in ("raw", "mangle", "nat")]
    marking = [rule for rule in _rules_from(rulesets, arriving, but="KUBE-") if _target(rule) in MARKING_TARGETS]
    changes = [change.flip for rule in marking if (change := change_by(rule)) is not None]
    of_connections = any(_target(rule) == "CONNMARK" for rule in marking)
    if not (any(changes) or of_connections):
        return False
    rules = list(_rules_from(rulesets, leaving))
    asked = [test.mark.mask for test in mark_tests(rules)]
    if any(flipped & mask for flipped in changes for mask in asked):
        return True
    return of_connections and any(rule.shape.has_match("connmark") or _target(rule) == "CONNMARK" for rule in rules)


def ends_matter(rulesets: Sequence[Ruleset], leaving: Iterable[tuple[str, Hook]]) -> bool:
    """Whether rules for what is `leaving` test an end of its connection, or a range of sources: in these built-in
    chains, and those that they lead to. Pods' own connections have different ends for each Service and endpoint."""
    return any(
        option.name.startswith(_ENDS)
        for rule in _rules_from(rulesets, leaving)
        for match in rule.shape.matches
        for option in match.options
    )


def _rules_from(
    rulesets: Sequence[Ruleset], hooks: Iterable[tuple[str, Hook]], but: str | None = None
) -> Iterator[Rule]:
    for table, hook in hooks:
        for ruleset in rulesets:
            for chain in chains_from(ruleset, table, hook.value, but):
                yield from chain.rules


def _target(rule: Rule) -> str | None:
    return None if rule.shape.target is None else rule.shape.target.name


def networks_translated(ruleset: Ruleset) -> Sequence[Bits]:
    """The destinations that other programs' rules translate before kube-proxy's do."""
    found: list[Bits] = []
    for chain in chains_from(ruleset, "nat", Hook.PREROUTING.value, but="KUBE-"):
        for number, shape in enumerate(chain.layout.shapes):
            place = chain.layout.place(number, shape.core_option("-d"))
            if place is not None and chain.target_of(number) in _TRANSLATING:
                with suppress(ValueError):
                    found.append(network_bits(chain.at(place)))
    return found


def _only_comments(shape: Shape) -> bool:
    return all(match.module == "comment" for match in shape.matches)


def masqueraded(
    node: NodeRules, start: PacketState, wanted: Iterable[OwnConnection]
) -> Mapping[OwnConnection, bool | None]:
    """Whether these connections are masqueraded; None if that is open. Connections that do not arrive are ignored."""
    by_source: dict[int, dict[Heading, set[Heading]]] = {}
    for sent, endpoint in wanted:
        if isinstance(endpoint.address, int):
            by_source.setdefault(endpoint.address, {}).setdefault(sent, set()).add(endpoint)
    found: dict[OwnConnection, set[tuple[bool, bool]]] = {}
    for source, own in list(by_source.items())[:_MOST]:
        sent_to = list(own)
        journey = Journey(node, sent_to)
        journey.begin(sent_by(source, start))
        for finish, packets in journey.ends():
            state = finish.state
            for who, to in zip(packets.who, packets.to) if finish.verdict is Verdict.ACCEPT and state.dnat else ():
                if to in own[sent_to[who]]:
                    ways = found.setdefault((sent_to[who], to), set())
                    ways.add((state.source_decided, bool(state.answers)))
    return {connection: _masqueraded(list(ways)) for connection, ways in found.items()}


def is_in_any(sent: Heading | None, networks: Iterable[Bits]) -> bool:
    """Whether an address lies in one of these networks."""
    address = None if sent is None else sent.address
    return address is not None and any(lies_in(address, *bits) is Truth.YES for bits in networks)


def _masqueraded(ways: Sequence[tuple[bool, bool]]) -> bool | None:
    """The same, given whether each way masquerades, and whether it depends on something open."""
    kept = [asked for masks, asked in ways if not masks]
    if not kept:
        return True
    return None if all(kept) and len(kept) < len(ways) else False
