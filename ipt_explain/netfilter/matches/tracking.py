"""conntrack and state, for the first packets of a connection."""

from __future__ import annotations

from collections.abc import Callable

from ipt_explain.model import Match, Option
from ipt_explain.netfilter.condition import Answer, Condition, Words, ask, decide, decided, described
from ipt_explain.netfilter.header import ANY_PROTOCOL, TCP, network_bits, parse_port_range, protocol_number
from ipt_explain.netfilter.packet import Bound, Heading, PacketState, Tracking
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.whereabouts import lies_in
from ipt_explain.records import replace


def states_of(state: PacketState) -> frozenset[str]:
    """What `--ctstate` sees: INVALID before connection tracking, then NEW (also of a template) or, once there
    has been a reply, ESTABLISHED, or RELATED of an error, plus DNAT or SNAT once decided."""
    if state.tracking is Tracking.NOT_YET or state.tracking is Tracking.INVALID:
        return frozenset({"INVALID"})
    if state.tracking is Tracking.UNTRACKED:
        return frozenset({"UNTRACKED"})
    age = "RELATED" if state.tracking is Tracking.RELATED else "ESTABLISHED" if state.is_known else "NEW"
    return frozenset({age} | ({"DNAT"} if state.dnat else set()) | ({"SNAT"} if state.snat else set()))


def conditions(match: Match) -> list[Condition]:
    """state (conntrack's --ctstate without the NAT states) and conntrack."""
    if match.module == "state":
        return [_state(option) for option in match.options if option.slots]
    return _of_connection(match)


def _of_connection(match: Match) -> list[Condition]:
    """conntrack: each option is a condition. Without a connection all but --ctstate fail, `!` or not."""
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
    return decided(option, lambda words, state, bound: not states_of(state).isdisjoint(words[0].split(",")))


def _with_connection(condition: Condition, otherwise: Truth) -> Condition:
    """xt_conntrack.c: without a connection, a rule with --ctstate matches, as that has matched by then; others fail."""

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        if not state.tracked:
            return otherwise
        return condition.test(words, state, bound)

    return replace(condition, test=test)


def status_of(state: PacketState) -> frozenset[str]:
    """What `--ctstatus` sees. A TCP connection is assured once the client has confirmed the reply
    (nf_conntrack_proto_tcp.c), a connection of UDP only if it lasts two seconds."""
    bits = {"CONFIRMED"} if state.is_known or state.tracking is Tracking.CONFIRMED else set()
    if state.is_known:
        bits.add("SEEN_REPLY")
    if state.tracking is Tracking.ESTABLISHED and state.connection.protocol == TCP:
        bits.add("ASSURED")
    return frozenset(bits)


def _status(words: Words, state: PacketState, bound: Bound) -> bool:
    return not status_of(state).isdisjoint(words[0].split(","))


def _direction(words: Words, state: PacketState, bound: Bound) -> bool:
    return words[0] == ("REPLY" if state.tracking in (Tracking.REPLY, Tracking.RELATED) else "ORIGINAL")


def _protocol(words: Words, state: PacketState, bound: Bound) -> bool:
    return protocol_number(words[0]) in (ANY_PROTOCOL, state.connection.protocol)


def ends_of(state: PacketState, bound: Bound, original: bool) -> tuple[Heading, Heading]:
    """Where a connection's packets come from and where they are sent, in the original direction or the other. In a new
    connection, replies will come from where the packet goes now, and go to where it seems to come from now."""
    connection = state.connection
    if original:
        return Heading(connection.source, connection.source_port), bound.sent
    known = connection.known
    return (bound.to, Heading(state.source, state.source_port)) if known is None else (known.server, known.client)


def _of_direction(option: Option) -> Condition:
    """`--ctorigsrc`, `--ctrepldstport` and their like: an end of one direction."""
    original, place = option.name.startswith("--ctorig"), 0 if "src" in option.name else 1
    of_port = option.name.endswith("port")

    def test(words: Words, state: PacketState, bound: Bound) -> Answer:
        end, question = ends_of(state, bound, original)[place], f"{option.name} {words[0]}"
        if of_port and end.port is not None:
            first, last = parse_port_range(words[0])
            return Truth.of((first <= end.port <= last) is not option.negated)
        if of_port or end.address is None:
            return ask(state, question, option.negated)
        return decide(lies_in(end.address, *network_bits(words[0])), state, question, option.negated)

    sent = original and place == 1
    return Condition(option.slots, test, bound=sent or not (original or place), sent=sent)


_COMPILERS: dict[str, Callable[[Option], Condition]] = {
    "--ctstatus": lambda option: decided(option, _status),
    "--ctdir": lambda option: decided(option, _direction),
    "--ctproto": lambda option: decided(option, _protocol),
    **dict.fromkeys(
        [f"--ct{way}{end}{port}" for way in ("orig", "repl") for end in ("src", "dst") for port in ("", "port")],
        _of_direction,
    ),
}
