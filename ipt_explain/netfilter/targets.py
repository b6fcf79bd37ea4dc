"""What a rule's target does with a packet that matches."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from ipt_explain.enums import Enum
from ipt_explain.model import Rule, Shape
from ipt_explain.netfilter import nat as nat_targets
from ipt_explain.netfilter.marks import ALL_BITS, MarkChange, mark_change, parse_integer, parse_mark
from ipt_explain.netfilter.packet import Heading, PacketState, Tracking, Zones
from ipt_explain.netfilter.probability import ALWAYS
from ipt_explain.records import Record


class Verdict(Enum):
    """How a packet leaves a hook."""

    ACCEPT = "ACCEPT"
    DROP = "DROP"
    REJECT = "REJECT"
    UNKNOWN = "UNKNOWN"


class Flow(Enum):
    """Where a packet goes that has no verdict yet."""

    CONTINUE = "to the next rule"
    RETURN = "back to the calling chain"


class Effect(Record):
    """What a target does with a packet: the verdict or where it goes next, and the states that it leaves in.

    Each state has its share (they sum to 1) and the packet's new destination, None if unchanged. `reason` says why a
    verdict is UNKNOWN, or why the kernel drops a packet although no rule says so.
    """

    then: Verdict | Flow
    states: tuple[tuple[Fraction, PacketState, Heading | None], ...]
    reason: str = ""


Target = Callable[[Rule, PacketState, Heading], Effect]


def effect_of(rule: Rule, state: PacketState, to: Heading) -> Effect | None:
    """What the rule's target does; None for an unknown target, most likely a chain."""
    name = rule.target
    if name is None:
        return _going_on(state)
    target = _TARGETS.get(name)
    return None if target is None else target(rule, state, to)


def is_verdict(name: str) -> bool:
    """Whether a target is one of iptables' own verdicts, which cannot be a chain's name."""
    return name in VERDICTS


def changes_nothing(shape: Shape) -> bool:
    """Whether rules of a shape only count, log or change what no rule can test, so that traces can omit them."""
    return shape.target is None or shape.target.name in _HARMLESS


def rewrites_destination(name: str | None) -> bool:
    """Whether a target may change the packet's destination, depending on the old one."""
    return name in _DESTINATION_TARGETS


def is_nat(name: str | None) -> bool:
    """Whether a target does NAT."""
    return name in _DESTINATION_TARGETS or name in _SOURCE_TARGETS


def _verdict(verdict: Verdict, reason: str = "") -> Target:
    return lambda rule, state, to: Effect(verdict, ((ALWAYS, state, None),), reason)


def _going_on(state: PacketState) -> Effect:
    return Effect(Flow.CONTINUE, ((ALWAYS, state, None),))


def _return(rule: Rule, state: PacketState, to: Heading) -> Effect:
    return Effect(Flow.RETURN, ((ALWAYS, state, None),))


def _continue(rule: Rule, state: PacketState, to: Heading) -> Effect:
    return _going_on(state)


def _mark(rule: Rule, state: PacketState, to: Heading) -> Effect:
    target = rule.shape.target
    for option in target.options if target else ():
        change = mark_change(option.name, rule.first(option) or "")
        return _going_on(state._replace(mark=change.apply(state.mark)))
    return _going_on(state)


def _connmark(rule: Rule, state: PacketState, to: Heading) -> Effect:
    """xt_CONNMARK.c: set, save or restore under masks, with a shift in newer revisions."""
    target = rule.shape.target
    if target is None or not state.tracked:
        return _going_on(state)
    given = {option.name: rule.first(option) or "" for option in target.options}
    shared = parse_integer(given.get("--mask", str(ALL_BITS)))
    packet_mask = parse_integer(given["--nfmask"]) if "--nfmask" in given else shared
    connection_mask = parse_integer(given["--ctmask"]) if "--ctmask" in given else shared
    if "--save-mark" in given:
        saved = _shifted(state.mark & packet_mask, given)
        return _connmarked(state, MarkChange(saved, connection_mask).apply(state.connmark))
    if "--restore-mark" in given:
        restored = _shifted(state.connmark & connection_mask, given)
        mark = MarkChange(restored, packet_mask).apply(state.mark)
        return _going_on(state._replace(mark=mark))
    for name, text in given.items():
        if name in _SETTING:
            return _connmarked(state, _shifted(mark_change(name, text).apply(state.connmark), given))
    return _going_on(state)


_SETTING = frozenset({"--set-xmark", "--set-mark", "--or-mark", "--and-mark", "--xor-mark"})


def _connmarked(state: PacketState, connmark: int) -> Effect:
    return _going_on(state._replace(connmark=connmark))


def _shifted(mark: int, given: dict[str, str]) -> int:
    if "--left-shift-mark" in given:
        return mark << parse_integer(given["--left-shift-mark"]) & ALL_BITS
    if "--right-shift-mark" in given:
        return mark >> parse_integer(given["--right-shift-mark"])
    return mark


def _connection_tracking(rule: Rule, state: PacketState, to: Heading) -> Effect:
    """xt_CT.c: except for --notrack, gives the packet a template of its connection, which counts as a connection. A
    second CT changes nothing."""
    target = rule.shape.target
    if target is None or any(option.name == "--notrack" for option in target.options):
        return _notrack(rule, state, to)
    if state.tracking is not Tracking.NOT_YET:
        return _going_on(state)
    zones: Zones = (0, 0)
    for option in target.options:
        if option.name.startswith("--zone"):
            text = rule.first(option) or ""
            zone = None if text == "mark" else parse_integer(text)
            zones = (0 if option.name == "--zone-reply" else zone), (0 if option.name == "--zone-orig" else zone)
    return _going_on(state._replace(tracking=Tracking.TEMPLATE, zones=zones))


def _notrack(rule: Rule, state: PacketState, to: Heading) -> Effect:
    if state.tracking is not Tracking.NOT_YET:
        return _going_on(state)
    return _going_on(state._replace(tracking=Tracking.UNTRACKED))


def _hops(rule: Rule, state: PacketState, to: Heading) -> Effect:
    """TTL and HL: `--ttl-set 10`, `--hl-dec 1`."""
    target, header = rule.shape.target, state.header
    for option in target.options if target else ():
        value, how = parse_integer(rule.first(option) or ""), option.name.rpartition("-")[2]
        header = header.with_hops(value) if how == "set" else header.hops_changed(value if how == "inc" else -value)
    return _going_on(state._replace(header=header))


def _service_type(rule: Rule, state: PacketState, to: Heading) -> Effect:
    """TOS changes the byte as MARK changes a mark; DSCP sets its upper six bits."""
    from ipt_explain.netfilter.header.service_type import service_type_change

    target, header = rule.shape.target, state.header
    for option in target.options if target else ():
        change = service_type_change(option.name, rule.first(option) or "")
        header = header.tos_changed(change.clear, change.flip)
    return _going_on(state._replace(header=header))


def _transparent_proxy(rule: Rule, state: PacketState, to: Heading) -> Effect:
    """xt_TPROXY.c: marks and accepts the packet if a socket listens, otherwise drops it. No dump shows sockets."""
    marked = state
    if text := rule.target_value("--tproxy-mark"):
        mark = parse_mark(text)
        marked = state._replace(mark=MarkChange(mark.value, mark.mask).apply(state.mark))
    socket = f"whether a socket listens on port {rule.target_value('--on-port')}"
    return Effect(Verdict.UNKNOWN, ((ALWAYS, marked, None),), socket)


def _destination_nat(choose: Callable[[Rule, PacketState, Heading], nat_targets.Choices]) -> Target:
    def apply(rule: Rule, state: PacketState, to: Heading) -> Effect:
        chosen = choose(rule, state, to)
        if not chosen:
            return Effect(Verdict.DROP, ((ALWAYS, state, None),), f"{state.in_interface} has no address to redirect to")
        states = tuple((share, nat_targets.sent_to(state, to, heading), heading) for share, heading in chosen)
        return Effect(Verdict.ACCEPT, states)

    return apply


def _source_nat(rule: Rule, state: PacketState, to: Heading) -> Effect:
    return Effect(Verdict.ACCEPT, ((ALWAYS, nat_targets.sent_from(rule, state), None),))


def _netmap(rule: Rule, state: PacketState, to: Heading) -> Effect:
    if nat_targets.rewrites_destination(state):
        return _destination_nat(nat_targets.netmap)(rule, state, to)
    return _source_nat(rule, state, to)


_DESTINATION_TARGETS: dict[str, Target] = {
    "DNAT": _destination_nat(nat_targets.dnat),
    "REDIRECT": _destination_nat(nat_targets.redirect),
    "NETMAP": _netmap,
}
_SOURCE_TARGETS: dict[str, Target] = {"SNAT": _source_nat, "MASQUERADE": _source_nat}

VERDICTS = frozenset({"ACCEPT", "DROP", "RETURN", "QUEUE"})

# These log, change headers that rules seldom test, or affect other packets; the packet continues.
_HARMLESS = frozenset({
    "AUDIT", "CHECKSUM", "CLASSIFY", "CONNSECMARK", "ECN", "IDLETIMER", "LED", "LOG", "NFLOG", "RATEEST", "SECMARK",
    "SET", "TCPMSS", "TCPOPTSTRIP", "TEE", "TRACE", "ULOG",
})  # fmt: skip

_TARGETS: dict[str, Target] = {
    "ACCEPT": _verdict(Verdict.ACCEPT),
    "DROP": _verdict(Verdict.DROP),
    "REJECT": _verdict(Verdict.REJECT),
    "RETURN": _return,
    "MARK": _mark,
    "CONNMARK": _connmark,
    "CT": _connection_tracking,
    "NOTRACK": _notrack,
    "DSCP": _service_type,
    "HL": _hops,
    "TOS": _service_type,
    "TTL": _hops,
    "TPROXY": _transparent_proxy,
    "QUEUE": _verdict(Verdict.UNKNOWN, "what a program does with the queued packet"),
    "NFQUEUE": _verdict(Verdict.UNKNOWN, "what a program does with the queued packet"),
    "CLUSTERIP": _verdict(Verdict.UNKNOWN, "which node of the cluster answers"),
    "DNPT": _verdict(Verdict.UNKNOWN, "the prefix-translated destination"),
    "SNPT": _continue,
    "HMARK": _verdict(Verdict.UNKNOWN, "the mark that HMARK computes"),
    "SYNPROXY": _verdict(Verdict.UNKNOWN, "whether the client completes the handshake with SYNPROXY"),
    **_DESTINATION_TARGETS,
    **_SOURCE_TARGETS,
    **dict.fromkeys(_HARMLESS, _continue),
}
