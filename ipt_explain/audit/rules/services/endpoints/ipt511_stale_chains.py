"""Chains of Services or endpoints that no rule leads to.

What it checks:
    Some rule leads to every chain of a service port or endpoint that has rules. kube-proxy deletes chains that it no
    longer needs, so an unused chain is a leftover, or a rule that led to it was lost. Chains that only unused chains
    lead to are not reported again.

Why it matters:
    Leftover chains do no harm. But if the rule was lost, the pods behind the chain get no connections, or one of the
    Service's addresses does not work.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node: it deletes chains that it does not need and writes rules that were lost.

When to ignore:
    During a sync, and in clusters with more than 1,000 endpoints, where kube-proxy deletes such chains later.
    kube-proxy 1.22 keeps the chains of endpoints that are not ready.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, chain_lines, restart, rule
from ipt_explain.audit.evidence.balancing.balancers import first_few
from ipt_explain.audit.evidence.balancing.endpoint_chains import endpoint_chains
from ipt_explain.audit.evidence.chains.stale import StaleChains, read_stale_chains
from ipt_explain.audit.evidence.names.proof import label, name_evidence
from ipt_explain.model import Chain
from ipt_explain.model.kernel import BUILT_IN_CHAINS
from ipt_explain.words import counted

_FIX = restart("deletes chains it does not need and writes rules that were lost")
_FEW = 5
"""Up to this many chains are reported one by one."""


@rule("IPT511", "stale-chains", Severity.INFO, reads_absence=True, yields_to=("IPT113",))
def stale_chains(context: RulesetContext) -> Faults:
    """One fault for each of few chains of services, one note for the others."""
    jumps = context.jumps("nat")
    if jumps is None or not any(map(jumps.table.chains.__contains__, BUILT_IN_CHAINS["nat"])):
        return
    stale = read_stale_chains(jumps, len(endpoint_chains(context).destinations))
    if 0 < len(stale.services) <= _FEW and not stale.large:
        for chain in stale.services:
            yield _service(context, chain)
    elif stale.services:
        yield _many(stale.services, "service ports")
    if stale.endpoints:
        yield _endpoints(context, stale)
    if stale.old:
        yield _many(stale.old, "kube-proxy 1.23 or older (KUBE-XLB)")


def _service(context: RulesetContext, chain: Chain) -> Fault:
    name = name_evidence(context).proved.get(chain.name.rpartition("-")[2])
    whose = "a service port" if name is None else label(name.spelled)
    return Fault(
        f"no rule leads to {chain.name}, a chain of {whose}: the rule for one of the Service's "
        "addresses was lost, or the chain is a leftover",
        _FIX,
        at_chain(chain),
        service=None if name is None else label(name.spelled),
        severity=Severity.WARNING,
    )


def _endpoints(context: RulesetContext, stale: StaleChains) -> Fault:
    leads = endpoint_chains(context)
    count = len(stale.endpoints)
    names = first_few(f"{chain.name} ({leads.destination(chain.name)})" for chain in stale.endpoints)
    return Fault(
        f"no rule leads to {'1 endpoint chain' if count == 1 else f'{count} endpoint chains'}, {names}: "
        f"{'it is a leftover, or its rule was lost' if count == 1 else 'they are leftovers, or their rules were lost'}",
        _FIX,
        at_chain(stale.endpoints[0]),
        related=chain_lines(stale.endpoints[1:]),
    )


def _many(chains: tuple[Chain, ...], what: str) -> Fault:
    return Fault(
        f"no rule leads to {counted(len(chains), 'chain')} of {what}, {first_few(chain.name for chain in chains)}: "
        f"{'it is a leftover' if len(chains) == 1 else 'they are leftovers'}, or the rules for "
        f"{'it' if len(chains) == 1 else 'them'} were lost",
        _FIX,
        at_chain(chains[0]),
        related=chain_lines(chains[1:]),
    )
