"""A chain's hash does not match the Service or endpoint that its rules name.

What it checks:
    kube-proxy names a service port's chains after a hash of its name and protocol, and an endpoint's chain after a hash
    of these and its address. A rule for a service port leads to a chain with its hash; chains of a service port lead
    only to chains of the same one; an endpoint's chain leads to the address in its hash. Both spellings of unnamed
    ports (`ns/name:` up to 1.19) count. If a hash fits another known name or address, that is reported.

Why it matters:
    If the chain belongs to another Service, connections reach the wrong pods. If the hash fits nothing known, the rule
    was edited or is a leftover, or names were changed in the dump.

Example:
    -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp
      --dport 53 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX

How to fix:
    Restart kube-proxy on the node: it rewrites the rules.

When to ignore:
    When names or addresses in the dump were replaced on purpose. If most names do not match, this is assumed and
    reported in one note.
"""

from __future__ import annotations

from collections import defaultdict

from ipt_explain.audit.authoring import RESTART, RESTART_RULES, Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.endpoint_chains import endpoint_chains
from ipt_explain.audit.evidence.names.comments import ForeignComment, foreign_comments, names_disagree
from ipt_explain.audit.evidence.names.proof import AlteredEndpoint, Crossing, Misnamed, label, name_evidence
from ipt_explain.model import Hidden

_FEW = 3
"""Up to this many names that do not match may be faults; more, if they are most names, mean a redacted dump."""


@rule("IPT504", "name-hash-mismatch", Severity.WARNING, evidence=names_disagree, yields_to=("IPT501", "IPT510"))
def name_hash_mismatch(context: RulesetContext) -> Faults:
    """One fault for each rule or endpoint; one note where most names do not fit."""
    evidence = name_evidence(context)
    if len(evidence.misnamed) > max(_FEW, evidence.named // 2):
        yield _redacted(evidence.misnamed, evidence.named)
    else:
        yield from (_misnamed(wrong, _endpoint(context, wrong)) for wrong in evidence.misnamed)
        yield from _comments(context)
    for each in evidence.altered:
        if each.owner is not None:
            yield _borrowed(context, each, label(each.owner.spelled))
        elif Hidden.TARGET not in each.dnat.shape.hidden and not each.lacks_port:
            yield _altered(each)
    yield from (_crossing(crossing, _is_idle(context, crossing.rule.chain)) for crossing in evidence.crossings)


def _redacted(misnamed: tuple[Misnamed, ...], named: int) -> Fault:
    return Fault(
        f"{len(misnamed)} of {named} names in comments do not match the hashes of their chains: names were probably "
        "replaced in this dump, so they cannot be used to check it",
        "Check against a dump that nobody edited.",
        at_rule(misnamed[0].named.evidence.rule),
        related=tuple(wrong.named.evidence.line for wrong in misnamed[1:]),
        severity=Severity.INFO,
    )


def _endpoint(context: RulesetContext, wrong: Misnamed) -> str | None:
    """The one endpoint that a rule leads to, if it leads past the chain that balances."""
    return endpoint_chains(context).destinations.get(wrong.named.target)


def _misnamed(wrong: Misnamed, endpoint: str | None) -> Fault:
    named = wrong.named
    name, target = label(named.name), named.target
    if wrong.proved is not None:
        whose = f"the chain of {label(wrong.proved.spelled)} over {wrong.proved.protocol}"
        message = (
            f"the rule for {name} leads to {whose} ({target}): connections to {name} reach that Service's "
            "pods"
        )
    elif endpoint is not None:
        message = (
            f"the rule for {name} leads to {target} instead of a chain that balances: all connections go to {endpoint}"
        )
    elif wrong.own:
        message = (
            f"the rule for {name} leads to {target} instead of its own chain: connections "
            "reach another Service's pods"
        )
    else:
        message = (
            f"{target} is not the chain of {name} over {named.protocol}: its hash belongs to another name, so "
            "the rule was edited or is a leftover, or names in this dump were replaced"
        )
    return Fault(
        message,
        RESTART_RULES,
        at_rule(named.evidence.rule, focus=target),
        service=name,
        severity=Severity.ERROR if wrong.proved is not None or wrong.own or endpoint else None,
    )


def _comments(context: RulesetContext) -> Faults:
    """One fault for each chain whose comments name another service port."""
    by_chain: dict[str, list[ForeignComment]] = defaultdict(list)
    for foreign in foreign_comments(context):
        by_chain[foreign.rule.chain].append(foreign)
    for chain, found in by_chain.items():
        first = found[0]
        yield Fault(
            f"the comment names {label(first.named)}, but {chain} belongs to {label(first.proved.spelled)}: the "
            "rule was edited or comes from elsewhere",
            RESTART,
            at_rule(first.rule, focus=first.named),
            service=label(first.proved.spelled),
            related=tuple(foreign.rule.line for foreign in found[1:]),
        )


def _altered(altered: AlteredEndpoint) -> Fault:
    if altered.expected is not None:
        message = (
            f"{altered.chain} is for {altered.expected} but leads to {altered.destination}: this endpoint's "
            "share of connections goes to another address"
        )
    else:
        message = (
            f"{altered.chain} leads to {altered.destination}, but its hash belongs to another endpoint of "
            f"{label(altered.name.spelled)}: the address was edited, or the chain is a leftover"
        )
    return Fault(
        message,
        RESTART,
        at_rule(altered.dnat, focus=f"--to-destination {altered.destination}"),
        service=label(altered.name.spelled),
        related=tuple(mark.line for mark in altered.marks),
        severity=Severity.ERROR if altered.expected is not None else None,
    )


def _borrowed(context: RulesetContext, altered: AlteredEndpoint, owner: str) -> Fault:
    rules = context.ruleset.rules("nat", altered.caller)
    ways = [rule for rule in rules if rule.target == altered.chain] or [altered.dnat]
    return Fault(
        f"{altered.caller}, the chain of {label(altered.name.spelled)}, leads to {altered.chain}, which is {owner}'s "
        f"chain for {altered.destination}: connections to {label(altered.name.spelled)} reach an endpoint of {owner}",
        RESTART,
        at_rule(ways[0], focus=altered.chain),
        service=label(altered.name.spelled),
        related=(*(way.line for way in ways[1:]), altered.dnat.line),
        severity=Severity.ERROR,
    )


def _is_idle(context: RulesetContext, chain: str) -> bool:
    """Whether nothing leads to a chain."""
    return context.knows_table("nat") and not context.is_called("nat", chain)


def _crossing(crossing: Crossing, idle: bool) -> Fault:
    target = crossing.rule.target or ""
    chain = crossing.rule.chain
    mine = "one service port" if crossing.proved is None else label(crossing.proved.spelled)
    effect = "nothing leads to it, so no connection takes this way" if idle else "connections reach the wrong pods"
    other = "another" if crossing.target is None else label(crossing.target.spelled)
    return Fault(
        f"{chain}, a chain of {mine}, leads to {target}, a chain of {other}: {effect}",
        RESTART,
        at_rule(crossing.rule, focus=target),
        service=None if crossing.proved is None else label(crossing.proved.spelled),
        severity=None if idle else Severity.ERROR,
    )
