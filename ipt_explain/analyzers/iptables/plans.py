"""Where a rule's addresses, ports and chances are: worked out once for each shape."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ipt_explain.model import Hidden, Match, Option, Rule, Shape, TargetKind
from ipt_explain.model.rule import unquote
from ipt_explain.netfilter.probability import chance, nth_share
from ipt_explain.records import Record
from ipt_explain.services.evidence import Evidence

_PORT_MODULES = frozenset({"tcp", "udp", "sctp", "dccp", "udplite"})


class Operand(Record):
    """Where a condition's value is in a rule, and whether it is negated."""

    slot: int
    negated: bool

    def at(self, rule: Rule | Evidence) -> str:
        """The value in a rule."""
        return rule.word(self.slot)


class RulePlan(Record):
    """Those conditions and effects of a shape that kube-proxy's rules use; None if the shape lacks one.

    `source_type` and `destination_type` belong to `-m addrtype`, `every` to `--mode nth`. `singles_out_sources`: the
    rule looks at where a packet comes from; `singles_out_destinations`: at where it goes. `other` names the modules of
    any further conditions, which may keep the rule from matching. `by_chance`: only the protocol, and chance or
    counting, decide whether the rule takes a packet. `translates`: it is a DNAT; where to is at `dnat_slot`, which is
    None if iptables-save could not print that.
    """

    target: str | None
    target_slot: int | None
    goto: bool
    source: Operand | None
    destination: Operand | None
    in_interface: Operand | None
    protocol: Operand | None
    destination_port: Operand | None
    destination_ports: Operand | None
    comment_slot: int | None
    probability: Operand | None
    every: Operand | None
    rcheck: bool
    seconds_slot: int | None
    list_slot: int | None
    records: bool
    mark: Operand | None
    source_type: Operand | None
    destination_type: Operand | None
    translates: bool
    dnat_slot: int | None
    other: tuple[str, ...]
    singles_out_sources: bool
    singles_out_destinations: bool
    by_chance: bool

    @property
    def unconditional(self) -> bool:
        """Whether the rule takes every packet of its protocol that reaches it."""
        return self.by_chance and self.probability is None and self.every is None

    @property
    def nth(self) -> bool:
        """Whether the rule counts packets."""
        return self.every is not None

    def chance(self, values: Sequence[str], start: int = 0) -> float | None:
        """The share (0..1) of ordinary packets that the rule takes, as the walker computes it; None if it cannot be
        read. `values` has the rule's words from `start` on.
        """
        operand = self.probability or self.every
        if operand is None:
            return 1.0
        return _chance(values[start + operand.slot], operand.negated, self.every is not None)

    def target_of(self, rule: Rule) -> str | None:
        """Where the rule leads: a verdict, an extension or a chain."""
        return self.target if self.target_slot is None else rule.word(self.target_slot)

    def comment_of(self, rule: Rule | Evidence) -> str | None:
        """The rule's comment, decoded."""
        return None if self.comment_slot is None else unquote(rule.word(self.comment_slot))


class Plans(dict[Shape, RulePlan]):
    """The plan of each shape: `plans[shape]`, made on first use."""

    def __missing__(self, shape: Shape) -> RulePlan:
        plan = self[shape] = plan_of(shape)
        return plan


def plan_of(shape: Shape) -> RulePlan:
    """Reads a shape."""
    probability, every = _statistic(shape)
    recent = {option.name for match in shape.matches if match.module == "recent" for option in match.options}
    target = shape.target
    dnat = _slot(shape.target_option("--to-destination")) if target is not None and target.name == "DNAT" else None
    hidden = Hidden.TARGET in shape.hidden
    source, in_interface = _operand(shape.core_option("-s")), _operand(shape.core_option("-i"))
    destination, destination_port = _operand(shape.core_option("-d")), _destination_port(shape)
    mark = _operand(shape.match_option("mark", "--mark"))
    source_type = _operand(shape.match_option("addrtype", "--src-type"))
    destination_type = _operand(shape.match_option("addrtype", "--dst-type"))
    rcheck = "--rcheck" in recent or "--update" in recent
    other = _other(shape)
    unusual = any(module != "statistic" for module in other) or (probability is not None and every is not None)
    singles_out_sources = not (source is in_interface is source_type is mark is None)
    singles_out_destinations = not (destination is destination_port is destination_type is None)
    return RulePlan(
        target=None if target is None else target.name,
        target_slot=None if target is None else target.slot,
        goto=target is not None and target.kind is TargetKind.GOTO,
        source=source,
        destination=destination,
        in_interface=in_interface,
        protocol=_operand(shape.core_option("-p")),
        destination_port=destination_port,
        destination_ports=_operand(shape.match_option("multiport", "--dports")),
        comment_slot=_slot(shape.match_option("comment", "--comment")),
        probability=probability,
        every=every,
        rcheck=rcheck,
        seconds_slot=_slot(shape.match_option("recent", "--seconds")),
        list_slot=_slot(shape.match_option("recent", "--name")),
        records="--set" in recent,
        mark=mark,
        source_type=source_type,
        destination_type=destination_type,
        translates=dnat is not None or (hidden and target is not None and target.name == "DNAT"),
        dnat_slot=None if hidden else dnat,
        other=other,
        singles_out_sources=singles_out_sources,
        singles_out_destinations=singles_out_destinations,
        by_chance=not (singles_out_sources or singles_out_destinations or unusual or rcheck),
    )


def _slot(option: Option | None) -> int | None:
    return None if option is None or not option.slots else option.slots[0]


def _operand(option: Option | None) -> Operand | None:
    return None if option is None or not option.slots else Operand(option.slots[0], option.negated)


def _destination_port(shape: Shape) -> Operand | None:
    for match in shape.matches:
        if match.module in _PORT_MODULES:
            for option in match.options:
                if option.name in ("--dport", "--destination-port"):
                    return _operand(option)
    return None


@lru_cache(maxsize=4096)
def _chance(text: str, negated: bool, counting: bool) -> float | None:
    try:
        return float(nth_share(int(text, 0), negated) if counting else chance(text, negated))
    except ValueError:
        return None


def _statistic(shape: Shape) -> tuple[Operand | None, Operand | None]:
    for match in shape.matches:
        if match.module == "statistic":
            names = {option.name: option for option in match.options}
            return _operand(names.get("--probability")), _operand(names.get("--every"))
    return None, None


def _other(shape: Shape) -> tuple[str, ...]:
    odd = [option.name for option in shape.core if option.name in ("-o", "-f")]
    odd += [match.module for match in shape.matches if not _understood(match)]
    return tuple(odd)


_UNDERSTOOD = {
    "comment": {"--comment"},
    "statistic": {"--mode", "--probability"},
    "recent": {"--rcheck", "--update", "--set", "--seconds", "--reap", "--name", "--mask", "--rsource"},
    "addrtype": {"--src-type", "--dst-type"},
    "mark": {"--mark"},
    "nfacct": {"--nfacct-name"},
}


def _understood(match: Match) -> bool:
    names = {option.name for option in match.options}
    if match.module in _PORT_MODULES:
        return names <= {"--dport", "--destination-port"}
    return match.module in _UNDERSTOOD and names <= _UNDERSTOOD[match.module]
