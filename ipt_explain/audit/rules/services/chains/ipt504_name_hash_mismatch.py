"""A chain's hash does not belong to the Service or endpoint that its rules name.

What it checks:
    kube-proxy names the chains of a service port after a hash of its name and protocol, endpoints' chains after that
    and their address. A rule for one service port must lead to a chain with its hash, chains of one service port only
    to chains of the same, and an endpoint's chain to the address in its hash. Both spellings of unnamed ports
    (`ns/name:` up to 1.19) are known, and where a hash fits a known name or address, that is reported.

Why it matters:
    Where the chain is another Service's, connections reach the wrong pods. Where the hash fits nothing known, the rule
    was edited, is a leftover, or the text's names were changed before it was passed on.

Example:
    -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp
      --dport 53 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -m comment --comment "default/kubernetes:https" -j KUBE-SEP-QAI6IJGEKZYOMWSX

How to fix:
    Restart kube-proxy on the node, which rewrites the rules.

When to ignore:
    When names or addresses in the text were replaced on purpose. Where most names do not fit, that is assumed, and
    reported in one note.
"""

from __future__ import annotations

from collections import defaultdict

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.balancing.balancers import RESTART
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.audit.evidence.names.comments import ForeignComment, foreign_comments
from ipt_explain.audit.evidence.names.proof import (
    AlteredEndpoint,
    Crossing,
    Misnamed,
    NameEvidence,
    ProvedName,
    label,
    name_evidence,
)
from ipt_explain.model import Hidden

_FEW = 3
"""So many names that do not fit may still be faults; above, and where they are most, the text was redacted."""


@rule("IPT504", "name-hash-mismatch", Severity.WARNING, yields_to=("IPT501",))
def name_hash_mismatch(context: RulesetContext) -> Faults:
    """One fault for each rule or endpoint; one note where most names do not fit."""
    evidence = name_evidence(context)
    if len(evidence.misnamed) > max(_FEW, evidence.named // 2):
        yield _redacted(evidence.misnamed, evidence.named)
    else:
        yield from map(_misnamed, evidence.misnamed)
        yield from _comments(context, evidence)
    told = (each for each in evidence.altered if Hidden.TARGET not in each.dnat.shape.hidden)
    yield from map(_altered, told)
    yield from map(_crossing, evidence.crossings)


def _redacted(misnamed: tuple[Misnamed, ...], named: int) -> Fault:
    return Fault(
        f"{len(misnamed)} of {named} names in comments do not fit the hashes of their chains: names were probably "
        "replaced in this text, and what it says of Services cannot be checked by them",
        "Check against a dump that nobody edited.",
        at_rule(misnamed[0].way.rule),
        related=tuple(wrong.way.rule.line for wrong in misnamed[1:]),
        severity=Severity.INFO,
    )


def _misnamed(wrong: Misnamed) -> Fault:
    way = wrong.way
    target = way.rule.target or ""
    if wrong.proved is not None:
        message = (
            f"the rule for {label(way.name)} leads to {_whose(wrong.proved)} ({target}): connections to "
            f"{label(way.name)} reach that Service's pods"
        )
    elif wrong.own:
        message = (
            f"the rule for {label(way.name)} leads to {target}, which is not its chain though it has one: connections "
            "reach another Service's pods"
        )
    else:
        message = (
            f"{target} is not the chain of {label(way.name)} over {way.protocol}: its hash is of another name, so the "
            "rule was edited, is a leftover, or the name in the text was replaced"
        )
    return Fault(
        message,
        "Restart kube-proxy on this node: it rewrites the rule.",
        at_rule(way.rule, focus=target),
        service=label(way.name),
        severity=Severity.ERROR if wrong.proved is not None or wrong.own else None,
    )


def _comments(context: RulesetContext, evidence: NameEvidence) -> Faults:
    """One fault for each chain whose comments name another service port."""
    by_chain: dict[str, list[ForeignComment]] = defaultdict(list)
    for foreign in foreign_comments(context.ruleset, evidence.proved, balancing_chains(context)):
        by_chain[foreign.rule.chain].append(foreign)
    for chain, found in by_chain.items():
        first = found[0]
        yield Fault(
            f"the comment names {label(first.named)}, but {chain} is a chain of {label(first.proved.spelled)}: the "
            "rule was edited or comes from elsewhere",
            RESTART,
            at_rule(first.rule, focus=first.named),
            service=label(first.proved.spelled),
            related=tuple(foreign.rule.line for foreign in found[1:]),
        )


def _whose(name: ProvedName) -> str:
    return f"the chain of {label(name.spelled)} over {name.protocol}"


def _altered(altered: AlteredEndpoint) -> Fault:
    if altered.expected is not None:
        message = (
            f"{altered.chain} was made for {altered.expected}, but leads to {altered.destination}: this endpoint's "
            "share of connections goes to another address"
        )
    else:
        message = (
            f"{altered.chain} leads to {altered.destination}, which is not the endpoint of "
            f"{label(altered.name.spelled)} that its hash was made of: the address was edited, or the chain is a "
            "leftover"
        )
    return Fault(
        message,
        RESTART,
        at_rule(altered.dnat, focus=f"--to-destination {altered.destination}"),
        service=label(altered.name.spelled),
        related=tuple(mark.line for mark in altered.marks),
        severity=Severity.ERROR if altered.expected is not None else None,
    )


def _crossing(crossing: Crossing) -> Fault:
    target = crossing.rule.target or ""
    chain = crossing.rule.chain
    mine = "one service port" if crossing.proved is None else label(crossing.proved.spelled)
    other = "another" if crossing.target is None else label(crossing.target.spelled)
    return Fault(
        f"{chain}, a chain of {mine}, leads to {target}, a chain of {other}: connections reach the wrong pods",
        RESTART,
        at_rule(crossing.rule, focus=target),
        service=None if crossing.proved is None else label(crossing.proved.spelled),
        severity=Severity.ERROR,
    )
