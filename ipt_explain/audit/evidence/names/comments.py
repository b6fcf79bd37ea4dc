"""Comments in the chains of a service port that name another one.

Comments change nothing in the kernel, but kube-proxy writes them with their rules. A comment that does not match shows
that the rule was edited or comes from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from ipt_explain.analyzers.names import ChainRole, hash_of, read_comment, role_of
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.evidence.balancing.balancing_chains import balancing_chains
from ipt_explain.audit.evidence.names.proof import ProvedName, name_evidence
from ipt_explain.audit.fact import fact
from ipt_explain.model import Chain, Rule
from ipt_explain.records import Record

COMMENTED = 5000
"""With more than 1,000 endpoints kube-proxy writes no such comments; this many are checked anyway."""


class ForeignComment(Record):
    """A rule whose comment names a service port that is not its chain's."""

    rule: Rule
    named: str
    proved: ProvedName


@fact
def foreign_comments(context: RulesetContext) -> tuple[ForeignComment, ...]:
    """All such rules, in chains whose service port is proved and among the rules that mark for them."""
    return tuple(_foreign_comments(context))


def names_disagree(context: RulesetContext) -> bool:
    """Whether any name does not match a hash or another name."""
    evidence = name_evidence(context)
    return bool(evidence.misnamed or evidence.altered or evidence.crossings or foreign_comments(context))


def _foreign_comments(context: RulesetContext) -> Iterator[ForeignComment]:
    nat, balancing = context.table("nat"), balancing_chains(context)
    if nat is None or sum(map(len, balancing.targets.values())) > COMMENTED:
        return
    evidence = name_evidence(context)
    callers = {target: caller[9:] for caller, targets in balancing.targets.items() for target in targets}
    borrowed = {altered.chain: altered.owner for altered in evidence.altered if altered.owner is not None}
    for name, chain in nat.chains.items():
        role = role_of(name)
        if role is not None:
            key = callers.get(name) if role is ChainRole.ENDPOINT else hash_of(name)
            owner = borrowed.get(name) or evidence.proved.get(key or "")
            if owner is not None:
                yield from _foreign(chain, owner)


def _foreign(chain: Chain, owner: ProvedName) -> Iterator[ForeignComment]:
    for rule in chain.rules:
        comment = rule.comment
        if comment is None or owner.spelled in comment:
            continue
        name = read_comment(comment)[0]
        if name is not None:
            yield ForeignComment(rule, name.spelled, owner)
