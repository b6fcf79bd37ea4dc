"""conntrack and state, for the first packet of a connection."""

from __future__ import annotations

from collections.abc import Callable

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.condition import Answer, Condition, Words, ask, decide
from ipt_explain.netfilter.header.addresses import network_bits
from ipt_explain.netfilter.header.ports import parse_port_range
from ipt_explain.netfilter.header.protocols import ANY, protocol_number
from ipt_explain.netfilter.matches.undecided import described
from ipt_explain.netfilter.packet import Bound, PacketState, Tracking
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import Address, lies_in
from ipt_explain.records import replace


def states_of(state: PacketState) -> frozenset[str]:
    """What `--ctstate` sees: before connection tracking INVALID, then NEW (of a template, too), and DNAT or SNAT once
    decided."""
    if state.tracking is Tracking.NOT_YET:
        return frozenset({"INVALID"})
    if state.tracking is Tracking.UNTRACKED:
        return frozenset({"UNTRACKED"})
    return frozenset({"NEW"} | ({"DNAT"} if state.dnat else set()) | ({"SNAT"} if state.snat else set()))


def conditions(match: Match) -> list[Condition]:
    """state (as conntrack's --ctstate, without the NAT states) and conntrack."""
    if match.module == "state":
        return [_state(option) for option in match.options if option.slots]
    return _of_connection(match)


def _of_connection(match: Match) -> list[Condition]:
    """conntrack: each option a condition; where there is no connection, all but --ctstate fail, `!` or not."""
    found: list[Condition] = []
    with_state = any(option.name == "--ctstate" for option in match.options)
    for option in match.options:
        if option.name == "--ctstate":
            found.append(_state(option))
            continue
        compiler = _COMPILERS.get(option.name)
        condition = described(match, option) if compiler is None else compiler(option)
        found.append(_with_connection(condition, Truth.of(with_state)))
    return found


def _state(option: Option) -> Condition:
    negated = option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        found = not states_of(state).isdisjoint(words[0].split(","))
        return Truth.of(found is not negated)

    return Condition(option.slots, test)


def _with_connection(condition: Condition, otherwise: Truth) -> Condition:
    """xt_conntrack.c: without a connection the answer is whether --ctstate was asked, and it has matched by then."""

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        if not state.tracked:
            return otherwise
        return condition.test(words, state, bound)

    return replace(condition, test=test)


def _status(option: Option) -> Condition:
    negated = option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        confirmed = state.tracking is Tracking.CONFIRMED and "CONFIRMED" in words[0].split(",")
        return Truth.of(confirmed is not negated)

    return Condition(option.slots, test)


def _direction(option: Option) -> Condition:
    negated = option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        return Truth.of((words[0] == "ORIGINAL") is not negated)

    return Condition(option.slots, test)


def _protocol(option: Option) -> Condition:
    negated = option.negated

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        number = protocol_number(words[0])
        return Truth.of((number in (ANY, state.connection.protocol)) is not negated)

    return Condition(option.slots, test)


def _address(
    pick: Callable[[PacketState, Bound], Address | None], bound: bool = False, sent: bool = False
) -> Callable[[Option], Condition]:
    def compile_option(option: Option) -> Condition:
        negated = option.negated

        def test(words: Words, state: PacketState, to: Bound) -> Answer:
            value, mask = network_bits(words[0])
            address = pick(state, to)
            if address is None:
                return ask(state, f"{option.name} {words[0]}", negated)
            truth = lies_in(address, value, mask)
            return decide(truth, state, f"{option.name} {words[0]}", negated)

        return Condition(option.slots, test, bound, sent=sent)

    return compile_option


def _port(
    pick: Callable[[PacketState, Bound], int | None], bound: bool = False, sent: bool = False
) -> Callable[[Option], Condition]:
    def compile_option(option: Option) -> Condition:
        negated = option.negated

        def test(words: Words, state: PacketState, to: Bound) -> Answer:
            port = pick(state, to)
            first, last = parse_port_range(words[0])
            if port is None:
                return ask(state, f"{option.name} {words[0]}", negated)
            return Truth.of((first <= port <= last) is not negated)

        return Condition(option.slots, test, bound, sent=sent)

    return compile_option


# The original direction is as the packet was sent. The reply's source is where it now goes, the reply's destination
# where it now seems to come from.
_COMPILERS: dict[str, Callable[[Option], Condition]] = {
    "--ctstatus": _status,
    "--ctdir": _direction,
    "--ctproto": _protocol,
    "--ctorigsrc": _address(lambda state, bound: state.connection.source),
    "--ctorigdst": _address(lambda state, bound: bound.sent.address, bound=True, sent=True),
    "--ctreplsrc": _address(lambda state, bound: bound.to.address, bound=True),
    "--ctrepldst": _address(lambda state, bound: state.source),
    "--ctorigsrcport": _port(lambda state, bound: state.connection.source_port),
    "--ctorigdstport": _port(lambda state, bound: bound.sent.port, bound=True, sent=True),
    "--ctreplsrcport": _port(lambda state, bound: bound.to.port, bound=True),
    "--ctrepldstport": _port(lambda state, bound: state.source_port),
}
