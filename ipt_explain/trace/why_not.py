"""Which rule keeps a packet from an endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush

from ipt_explain.errors import UsageError
from ipt_explain.model import Chain, Dump, Rule, Table
from ipt_explain.netfilter.header import NatRange, parse_nat_destination
from ipt_explain.netfilter.packet import Bound, Heading, PacketState, Tracking
from ipt_explain.netfilter.reasons import failing
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.walk.path import AnyStep, Step
from ipt_explain.trace.obstacle import Obstacle, Reason, WhyNot
from ipt_explain.trace.outcome import Ending
from ipt_explain.trace.result import Trace


def why_not(dump: Dump, trace: Trace, endpoint: str) -> WhyNot:
    """What keeps a traced packet from an endpoint (`IP:PORT`).

    If it was sent there and stopped, these are the rules that stop it. Otherwise they are the failing rules on the path
    to a DNAT to the endpoint that has the fewest failing conditions. Raises UsageError for an invalid `endpoint`.
    """
    wanted = _endpoint(endpoint)
    arrived = [ending for ending in trace.endings if _goes_to(ending.to, wanted)]
    probability = float(sum(ending.share for ending in arrived if ending.verdict is Verdict.ACCEPT))
    stopped = [ending for ending in arrived if ending.verdict is not Verdict.ACCEPT]
    if arrived:
        return WhyNot(endpoint, probability, tuple(dict.fromkeys(map(_stopping, stopped))))
    return WhyNot(endpoint, 0.0, tuple(_obstacles(dump, trace, wanted)))


def _endpoint(text: str) -> NatRange:
    try:
        found = parse_nat_destination(text)
    except ValueError:
        raise UsageError(f"--why-not {text}: use IP:PORT, or [IP]:PORT for IPv6") from None
    if found.first is None or found.first != found.last:
        raise UsageError(f"--why-not {text}: use IP:PORT, or [IP]:PORT for IPv6")
    return found


def _goes_to(to: Heading, wanted: NatRange) -> bool:
    return to.address == wanted.first and wanted.first_port in (None, to.port)


def _stopping(ending: Ending) -> Reason:
    return _reason(Obstacle.STOPS, ending.steps[-1]) if ending.steps else Reason(Obstacle.STOPS)


def _reason(obstacle: Obstacle, step: AnyStep) -> Reason:
    return Reason(obstacle, step.chain.name, step.line, step.text, None, step.table)


def _obstacles(dump: Dump, trace: Trace, wanted: NatRange) -> Iterator[Reason]:
    """What keeps a packet from being sent to an endpoint at all."""
    start = trace.start._replace(tracking=Tracking.NEW)
    tables = [
        ruleset.tables["nat"]
        for ruleset in dump.rulesets
        if ruleset.family is trace.packet.family and "nat" in ruleset.tables
    ]
    paths = [path for table in tables if (path := _easiest_path(table, start, trace.bound, wanted)) is not None]
    if not paths:
        leading = any(True for table in tables for _ in _rules_to(table, wanted))
        yield Reason(Obstacle.NO_WAY_IN if leading else Obstacle.NONE_LEADS_THERE)
        return
    path = min(paths, key=lambda rules: sum(len(failures) for _, failures in rules))
    for rule, failures in path:
        for condition in failures:
            yield Reason(Obstacle.DOES_NOT_MATCH, rule.chain, rule.line, rule.text, condition, "nat")
    if not any(failures for _, failures in path):
        yield from _takers(trace)


def _takers(trace: Trace) -> Iterator[Reason]:
    """The rules that ended the packet's path through nat, or stopped it before."""
    seen: set[int | None] = set()
    for ending in trace.endings:
        final = (step for step in ending.steps if step.after is not None and step.rule is not None)
        step = next(filter(_ends_table, final), None)
        if step is not None and step.line not in seen:
            seen.add(step.line)
            yield _reason(Obstacle.COMES_FIRST, step)


def _ends_table(step: AnyStep) -> bool:
    if not isinstance(step, Step):
        return step.after is not None and step.after.destination_decided > step.before.destination_decided
    target = step.rule.target if step.rule is not None else None
    return target in ("DNAT", "REDIRECT", "NETMAP", "DROP", "REJECT") or (target == "ACCEPT" and step.table == "nat")


def _rules_to(table: Table, wanted: NatRange) -> Iterator[tuple[Chain, Rule]]:
    for chain in table.chains.values():
        for rule in chain.rules:
            if rule.target == "DNAT" and _leads_to(rule, wanted):
                yield chain, rule


def _leads_to(rule: Rule, wanted: NatRange) -> bool:
    try:
        to = parse_nat_destination(rule.target_value("--to-destination") or "")
    except ValueError:
        return False
    if to.first is None or to.last is None or wanted.first is None or not to.first <= wanted.first <= to.last:
        return False
    if to.first_port is None or to.last_port is None or wanted.first_port is None:
        return True
    return to.first_port <= wanted.first_port <= to.last_port


_Path = list[tuple[Rule, list[str]]]  # rules, each with its failing conditions


def _easiest_path(table: Table, start: PacketState, bound: Bound, wanted: NatRange) -> _Path | None:
    """The path of jumps from the built-in chain to a DNAT to the endpoint that has the fewest failing conditions, with
    each jump's own. Dijkstra's algorithm, from the DNAT upwards."""
    callers = _callers(table)
    best: dict[str, int] = {}
    onward: dict[str, tuple[Rule, list[str]]] = {}
    queue: list[tuple[int, int, str]] = []
    for chain, rule in _rules_to(table, wanted):
        failures = failing(rule, start, bound)
        if len(failures) < best.get(chain.name, len(failures) + 1):
            best[chain.name] = len(failures)
            onward[chain.name] = (rule, failures)
            heappush(queue, (len(failures), rule.line, chain.name))
    while queue:
        cost, _, name = heappop(queue)
        if cost > best[name]:
            continue
        if name == start.hook.value:
            return _unrolled(name, onward)
        for rule in callers.get(name, ()):
            failures = failing(rule, start, bound)
            total = cost + len(failures)
            if total < best.get(rule.chain, total + 1):
                best[rule.chain] = total
                onward[rule.chain] = (rule, failures)
                heappush(queue, (total, rule.line, rule.chain))
    return None


def _unrolled(name: str, onward: Mapping[str, tuple[Rule, list[str]]]) -> _Path:
    path: _Path = []
    while True:
        rule, failures = onward[name]
        path.append((rule, failures))
        if rule.target == "DNAT":
            return path
        name = rule.target or ""


def _callers(table: Table) -> dict[str, list[Rule]]:
    callers: dict[str, list[Rule]] = {}
    for chain in table.chains.values():
        for rule in chain.rules:
            target = rule.shape.target
            if target is not None and target.name is None and rule.target is not None:
                callers.setdefault(rule.target, []).append(rule)
    return callers
