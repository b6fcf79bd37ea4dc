"""Rejections: a rule rejects a packet by an error that the node sends, so the node's own rules may stop the error.

Facts: net/ipv4/netfilter/nf_reject_ipv4.c, nf_reject_ipv6.c, and packets sent.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from ipt_explain.model import Family
from ipt_explain.model.kernel import ADDRESS_BITS
from ipt_explain.netfilter.header import ICMP, ICMPV6, NO_INTERFACE, TCP
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Bound, Heading, PacketState, Tracking
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.ends import Finish
from ipt_explain.netfilter.walk.hook_walk import HookWalk
from ipt_explain.netfilter.walk.packets import Packets, Travellers
from ipt_explain.netfilter.walk.path import AnyStep, Step
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.netfilter.whereabouts import Address, Bits, Whereabouts
from ipt_explain.records import Record, replace

_WORK = 1_000  # rules that one error may meet; one that meets more passes
_LOOPBACK = "lo"
_UNREACHABLE = {Family.IPV4: (ICMP, 3), Family.IPV6: (ICMPV6, 1)}
_PORT_UNREACHABLE = {Family.IPV4: 3, Family.IPV6: 4}
_CODES = {
    Family.IPV4: {
        "net-unreachable": 0, "no-route": 0, "host-unreachable": 1, "proto-unreachable": 2, "net-prohibited": 9,
        "host-prohibited": 10, "admin-prohibited": 13,
    },
    Family.IPV6: {
        "no-route": 0, "adm-prohibited": 1, "admin-prohibited": 1, "addr-unreachable": 3, "host-unreachable": 3,
        "policy-fail": 5, "reject-route": 6,
    },
}  # fmt: skip


class _Error(Record):
    """The protocol of an error that rejects a packet; its type and code, if that is ICMP."""

    protocol: int
    icmp_type: int = 0
    icmp_code: int = 0


class Rejections:
    """Sends errors to the senders of rejected packets; `sent` has each packet's original destination. For the sender,
    an error that certainly does not arrive is the same as a dropped packet."""

    def __init__(self, node: NodeRules, sent: Sequence[Heading]) -> None:
        self._node = node
        self._sent = sent
        self._known: dict[Hashable, str | None] = {}
        self._anywhere: Bound | None = None

    def checked(self, ends: Iterable[tuple[Finish, Packets]]) -> Iterator[tuple[Finish, Packets]]:
        """The ends of packets. Rejected packets whose senders never receive the error are dropped."""
        for finish, packets in ends:
            by_rule = finish.verdict is Verdict.REJECT and not finish.reason
            path = packets.path(0) if by_rule else None
            step = None if path is None else path.last()
            where = None if step is None else self._stopped_by(finish.state, packets, step)
            if where:
                finish = replace(finish, verdict=Verdict.DROP, reason=f"{where} stops the answer that rejects it")
            yield finish, packets

    def _stopped_by(self, state: PacketState, packets: Packets, step: AnyStep) -> str | None:
        """The table and chain that stop the errors; "" if they may arrive, None if that is unknown. Asked for one
        destination only if the answer depends on it and all packets share it."""
        error, family = _error_of(step, state.connection.family), state.connection.family
        if self._anywhere is None:
            somewhere = Heading(Whereabouts("the address that it was sent to", family, owned=Truth.UNKNOWN), None)
            self._anywhere = Bound(somewhere, somewhere)
        where = self._asked(state, error, self._anywhere)
        if where is None:
            bound = {(to, self._sent[who]) for to, who in zip(packets.to, packets.who)}
            where = self._asked(state, error, Bound(*bound.pop())) if len(bound) == 1 else None
        return where

    def _asked(self, state: PacketState, error: _Error, bound: Bound) -> str | None:
        nat = state.tracked, state.dnat, state.snat, state.connmark, state.zones
        key = error, bound, state.connection, state.source, state.source_port, nat
        if key not in self._known:
            self._known[key] = self._followed(state, error, bound)
        return self._known[key]

    def _followed(self, rejected: PacketState, error: _Error, bound: Bound) -> str | None:
        """What stops an error; "" if nothing does, None if that depends on something unknown."""
        state, to = _first_state(rejected, error, bound.to)
        hooks, travellers = HookWalk(self._node, (bound.sent,), _WORK), Travellers()
        travellers.gather(state, Packets((0,), (to,), (ALWAYS,)))
        for hook, in_interface, out_interface in _course(rejected):
            travellers = hooks.through(hook, travellers, in_interface, out_interface, balanced=True)
        ends = list(hooks.ends.apart())
        if any(end.verdict is Verdict.UNKNOWN for end, _ in ends):
            return None
        if travellers:
            return None if any(passed.answers for passed, _ in travellers.items()) else ""
        if not ends:
            return ""
        _, packets = ends[0]
        path = packets.path(0)
        step = None if path is None else path.last()
        return "the kernel" if step is None else f"{step.table} {step.chain.name}"


def _error_of(step: AnyStep, family: Family) -> _Error:
    """The error by which a rule rejects packets."""
    if isinstance(step, Step):
        target = None if step.rule is None else step.rule.shape.target
        options = () if step.rule is None or target is None else target.options
        word = next((step.rule.first(option) or "" for option in options if step.rule is not None), "")
        resets = word == "tcp-reset"
    else:
        word = step.text.rpartition(" ")[2]
        resets = step.text.endswith("tcp reset")
    if resets:
        return _Error(TCP)
    protocol, icmp_type = _UNREACHABLE[family]
    name = word.removeprefix("icmp-").removeprefix("icmp6-")
    return _Error(protocol, icmp_type, _CODES[family].get(name, _PORT_UNREACHABLE[family]))


def _first_state(rejected: PacketState, error: _Error, to: Heading) -> tuple[PacketState, Heading]:
    """The error for a packet with destination `to` as it sets out, and where it is sent.

    Connection tracking considers it related to the packet's connection, even in raw, and nat repeats for it exactly
    what it did for that connection.
    """
    connection, resets = rejected.connection, error.protocol == TCP
    source: Address = Whereabouts("the node's address", connection.family, _own(rejected), owned=Truth.YES)
    if resets and to.address is not None:
        source = to.address
    state = rejected._replace(
        connection=replace(
            connection, protocol=error.protocol, icmp_type=error.icmp_type, icmp_code=error.icmp_code
        ),
        source=source,
        source_port=to.port if resets else None,
        mark=0,
        tracking=Tracking.RELATED if rejected.tracked else Tracking.INVALID,
        destination_decided=True,
        source_decided=True,
        answers=(),
        visits=frozenset(),
        counted=(),
    )  # fmt: skip
    return state, Heading(rejected.source, rejected.source_port if resets else None)


def _own(rejected: PacketState) -> tuple[Bits, ...]:
    """The node's addresses, if all are known."""
    node, bits = rejected.node, ADDRESS_BITS[rejected.connection.family]
    return () if node.more_addresses else tuple([(each, (1 << bits) - 1) for each in sorted(node.local_addresses)])


def _course(rejected: PacketState) -> Sequence[tuple[Hook, str | None, str | None]]:
    """The hooks that an error passes, with the interfaces that it arrives on and leaves by."""
    connection = rejected.connection
    if connection.local:
        return (
            (Hook.OUTPUT, NO_INTERFACE, _LOOPBACK),
            (Hook.POSTROUTING, NO_INTERFACE, _LOOPBACK),
            (Hook.PREROUTING, _LOOPBACK, NO_INTERFACE),
            (Hook.INPUT, _LOOPBACK, NO_INTERFACE),
        )
    leaving = connection.in_interface
    return (Hook.OUTPUT, NO_INTERFACE, leaving), (Hook.POSTROUTING, NO_INTERFACE, leaving)
