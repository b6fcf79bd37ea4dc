"""What takes packets before they get to a hook: rules ahead of it in its built-in chain, and in the chains that these
lead to.

A probe is a kind of packet of which only some properties are known. Rules are asked in the kernel's order. What the
dump leaves open (sets, owners, interfaces on the way out, …) is taken not to match; what is limited to some sources is
reported as partial.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum

from ipt_explain.model import Chain, Option, Rule, Shape, Table
from ipt_explain.netfilter.addresses import network_bits
from ipt_explain.netfilter.mark_rules import change_by, mark_test
from ipt_explain.netfilter.ports import parse_port_list
from ipt_explain.netfilter.protocols import protocol_number
from ipt_explain.records import dataclass


@dataclass(frozen=True, slots=True)
class Probe:
    """The first packets of connections to one destination and port (None: any of the node's addresses; any port).

    `local` tells whether the destination is the node's own, None where that is not known. `sources` are networks that
    packets may come from, as value and mask; with none they may come from anywhere.
    """

    destination: int | None
    protocol: str
    port: int | None
    local: bool | None = None
    mark: int = 0
    sources: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A rule that takes a probe's packets. `partly`: only those from some sources or interfaces."""

    rule: Rule
    partly: bool


class Fit(Enum):
    """How many of a probe's packets a condition or rule matches."""

    ALL = "all"
    SOME = "those from some sources"
    NONE = "none"
    OPEN = "the dump does not tell"


@dataclass(slots=True)
class _Walk:
    probe: Probe
    mark: int
    steps: int = 0


_Ask = Callable[[Rule, Option, _Walk], Fit]

# Bounds for hostile input: jumps may form diamonds of any size, and every probe walks through them.
_MAX_STEPS = 20_000
_MAX_STEPS_IN_ALL = 400_000
_MAX_DEPTH = 24


class Ahead:
    """The rules of one built-in chain ahead of one of them, or all where `until` is None. `stops` are the targets that
    take packets.

    kube-proxy's own chains are not entered: what they do is what packets are to get to.
    """

    def __init__(self, table: Table, built_in: Chain, until: Rule | None, stops: frozenset[str]) -> None:
        self._table = table
        self._stops = stops
        self._questions: dict[Shape, tuple[tuple[_Ask, Option], ...]] = {}
        end = len(built_in.rules) if until is None else built_in.rules.index(until)
        self._rules = built_in.rules[:end]
        self._left = _MAX_STEPS_IN_ALL

    @property
    def may_stop(self) -> bool:
        """Whether any rule ahead could take packets at all: mostly none can, and no probe is needed."""
        if any(rule.target == "RETURN" for rule in self._rules):
            return True
        seen: set[str] = set()
        pending = [self._rules]
        while pending:
            for rule in pending.pop():
                target = rule.target or ""
                if target in self._stops:
                    return True
                if target not in seen and target in self._table.chains and not target.startswith("KUBE-"):
                    seen.add(target)
                    pending.append(self._table.chains[target].rules)
        return False

    def takes(self, probe: Probe) -> Taken | None:
        """The first rule that takes packets like the probe's, if one does."""
        walk = _Walk(probe, probe.mark)
        taken = self._through(self._rules, walk, 0) if self._left > 0 else None
        self._left -= walk.steps
        return taken

    def _through(self, rules: Iterable[Rule], walk: _Walk, depth: int) -> Taken | None:
        """Where packets are taken; None where (most) come back."""
        for rule in rules:
            walk.steps += 1
            if walk.steps > _MAX_STEPS:
                return None
            fit = self._fit(rule, walk)
            if fit in (Fit.NONE, Fit.OPEN):
                continue
            target = rule.target or ""
            if target in self._stops or (target == "RETURN" and depth == 0):
                return Taken(rule, fit is Fit.SOME)
            if target == "RETURN":
                if fit is Fit.ALL:
                    return None
                continue
            change = change_by(rule)
            if change is not None and fit is Fit.ALL:
                walk.mark = change.apply(walk.mark)
            chain = self._table.chains.get(target)
            if chain is not None and depth < _MAX_DEPTH and not target.startswith("KUBE-"):
                taken = self._through(chain.rules, walk, depth + 1)
                if taken is not None:
                    return Taken(taken.rule, taken.partly or fit is Fit.SOME)
                if rule.is_goto and fit is Fit.ALL:
                    return None
        return None

    def _fit(self, rule: Rule, walk: _Walk) -> Fit:
        questions = self._questions.get(rule.shape)
        if questions is None:
            questions = self._questions[rule.shape] = _questions(rule.shape)
        worst = Fit.ALL
        for ask, option in questions:
            try:
                fit = ask(rule, option, walk)
            except ValueError:
                fit = Fit.OPEN
            if fit is Fit.NONE:
                return Fit.NONE
            if worst is not Fit.OPEN and fit is not Fit.ALL:
                worst = fit
        return worst


def _questions(shape: Shape) -> tuple[tuple[_Ask, Option], ...]:
    found = [(_CORE.get(option.name, _open), option) for option in shape.core]
    for match in shape.matches:
        if match.module in ("comment", "nfacct"):
            continue
        asks = _MATCHES.get(match.module, {})
        found += [(asks.get(option.name, _open), option) for option in match.options]
    return tuple(found)


def _told(matches: bool, option: Option) -> Fit:
    return Fit.ALL if matches is not option.negated else Fit.NONE


def _open(rule: Rule, option: Option, walk: _Walk) -> Fit:
    return Fit.OPEN


def _some(rule: Rule, option: Option, walk: _Walk) -> Fit:
    return Fit.SOME


def _destination(rule: Rule, option: Option, walk: _Walk) -> Fit:
    if walk.probe.destination is None:
        return Fit.OPEN
    value, mask = network_bits(rule.first(option) or "")
    return _told(walk.probe.destination & mask == value, option)


def _source(rule: Rule, option: Option, walk: _Walk) -> Fit:
    value, mask = network_bits(rule.first(option) or "")
    if not walk.probe.sources:
        return Fit.SOME
    common = [not (value ^ source) & mask & source_mask for source, source_mask in walk.probe.sources]
    if not any(common):
        return _told(False, option)
    inside = all(mask & source_mask == mask for _, source_mask in walk.probe.sources)
    return _told(True, option) if all(common) and inside else Fit.SOME


def _protocol(rule: Rule, option: Option, walk: _Walk) -> Fit:
    return _told(protocol_number(rule.first(option) or "") in (0, protocol_number(walk.probe.protocol)), option)


def _port(rule: Rule, option: Option, walk: _Walk) -> Fit:
    if walk.probe.port is None:
        return Fit.OPEN
    spans = parse_port_list(rule.first(option) or "")
    return _told(any(low <= walk.probe.port <= high for low, high in spans), option)


def _destination_type(rule: Rule, option: Option, walk: _Walk) -> Fit:
    if walk.probe.local is None:
        return Fit.OPEN
    own = "LOCAL" if walk.probe.local else "UNICAST"
    return _told(own in (rule.first(option) or "").split(","), option)


def _state(rule: Rule, option: Option, walk: _Walk) -> Fit:
    return _told("NEW" in (rule.first(option) or "").split(","), option)


def _mark(rule: Rule, option: Option, walk: _Walk) -> Fit:
    test = mark_test(rule)
    if test is None:
        return Fit.OPEN
    return Fit.ALL if test.passes(walk.mark) else Fit.NONE


_CORE: Mapping[str, _Ask] = {"-s": _source, "-d": _destination, "-p": _protocol, "-i": _some}
_PORTS: Mapping[str, _Ask] = {"--dport": _port, "--dports": _port}
_MATCHES: Mapping[str, Mapping[str, _Ask]] = {
    "tcp": _PORTS,
    "udp": _PORTS,
    "sctp": _PORTS,
    "multiport": _PORTS,
    "addrtype": {"--dst-type": _destination_type},
    "conntrack": {"--ctstate": _state},
    "state": {"--state": _state},
    "mark": {"--mark": _mark},
}
