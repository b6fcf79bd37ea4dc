"""What rules that kube-proxy does not write, in its chains, do to connections to Services."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ipt_explain.analyzers.names import MARK_MASQ
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.chains.foreign import foreign_rules
from ipt_explain.audit.evidence.losses.causes import causes, possible_causes
from ipt_explain.audit.evidence.losses.faults import deed_of
from ipt_explain.audit.evidence.losses.places import LossPlace
from ipt_explain.audit.evidence.marks.marking import masquerade_marking
from ipt_explain.audit.evidence.services.journeys import Front, followed
from ipt_explain.audit.fact import fact
from ipt_explain.model import Rule
from ipt_explain.netfilter.hooks import DESTINATION_NAT
from ipt_explain.netfilter.marks import MARKING_TARGETS
from ipt_explain.netfilter.walk.packets import Packets
from ipt_explain.netfilter.walk.path import Step
from ipt_explain.records import Record
from ipt_explain.services.fates import Vantage
from ipt_explain.words import both, within, without_prefix

_NAMED = 3
_MOST = 2_000
"""How many frontends are followed for rules in chains that all Services share."""
_KEEP = "go on unchanged"
_DOES = {
    "ACCEPT": "are accepted there",
    "RETURN": "skip the rest of the chain",
    "DROP": "are dropped",
    "REJECT": "are refused",
}


class _Match(Record, frozen=False, eq=False):
    """Whose connections match a rule; `some`: only some of them do, or may."""

    services: dict[str, None]
    vantages: dict[Vantage, None]
    some: bool = False


def effect_of(context: RulesetContext, rule: Rule) -> str:
    """What a foreign rule does to connections, as a sentence without a full stop: `this rule drops all connections from
    pods to shop/web (10.96.0.7:80)`; "" if a fragment does not show it."""
    for may, found in ((False, causes), (True, possible_causes)):
        for where in LossPlace:
            for cause in found(context, where):
                if cause.rule is not None and cause.context is context and cause.rule.line == rule.line:
                    return f"this rule {deed_of(cause, may)}"
    matches = _matches(context).get(rule.line, {})
    becomes, matched = min(matches.items(), key=lambda each: each[0] == _KEEP, default=("", None))
    if matched is None:
        if not context.complete:
            return ""
        some = len(context.frontends) > _MOST and context.service_of(rule.chain) is None
        return f"it changes nothing for connections to {f'the first {_MOST:,} addresses of ' if some else ''}Services"
    who = f"{'some ' if matched.some else ''}connections from {both([each.origin for each in matched.vantages])}"
    return f"{who} to {within(matched.services, _NAMED)} match it and {becomes}"


@fact
def _matches(context: RulesetContext) -> Mapping[int, Mapping[str, _Match]]:
    """By the line of a foreign rule and by what happens to them: whose connections match it."""
    rules = {foreign.rule.line: foreign.rule for foreign in foreign_rules(context)}
    found: dict[int, dict[str, _Match]] = {}
    fronts = list(_fronts(context, rules.values()))
    for vantage in Vantage:
        for crowd, ends in followed(context, vantage, fronts):
            for finish, packets in ends:
                for row, number in enumerate(packets.who):
                    for step in _steps(packets, row):
                        if step.rule is not None and step.rule.line in rules:
                            matches = found.setdefault(step.rule.line, {})
                            match = matches.setdefault(_becomes(context, step, step.rule), _Match({}, {}))
                            match.services[crowd[number][0].label] = None
                            match.vantages[vantage] = None
                            match.some = match.some or bool(finish.state.answers)
    return found


def _steps(packets: Packets, row: int) -> Iterator[Step]:
    path = packets.path(row)
    return (step for step in (() if path is None else path.steps()) if isinstance(step, Step))


def _fronts(context: RulesetContext, rules: Iterable[Rule]) -> Iterator[Front]:
    """The frontends of Services with such rules in their own chains. If a rule is in a chain that all Services share:
    all frontends, or, if there are very many, the first ones and those whose address a rule names."""
    owners = {context.service_of(rule.chain) for rule in rules}
    named = {without_prefix(rule.core("-d") or "") for rule in rules} if len(context.frontends) > _MOST else ()
    for number, (service, frontend) in enumerate(context.frontends):
        shared = None in owners and (number < _MOST or frontend.address in named)
        if shared or service.label in owners:
            yield service, frontend


def _becomes(context: RulesetContext, step: Step, rule: Rule) -> str:
    """What happens to packets that match a rule."""
    target = rule.target or ""
    if target == MARK_MASQ or target in MARKING_TARGETS:
        marking = masquerade_marking(context)
        bits = 0 if marking is None else marking.result
        before, after = step.before.mark & bits, (step.before if step.after is None else step.after).mark & bits
        if after == before:
            return _KEEP
        return "are marked for masquerading" if after else "lose their mark for masquerading"
    if step.into is not None:
        return f"go through {step.into.name}"
    if target == "ACCEPT" and step.before.hook in DESTINATION_NAT and step.table == "nat":
        return "leave untranslated"
    return _DOES.get(target, _KEEP)
