"""A load balancer's source ranges keep nobody out.

What it checks:
    For every load balancer address with loadBalancerSourceRanges, clients outside the ranges are dropped: up to 1.24 by
    a jump to KUBE-MARK-DROP at the end of its KUBE-FW chain, from 1.25 on by a DROP for its address and port in filter
    KUBE-PROXY-FIREWALL. Rules that accept new connections before KUBE-PROXY-FIREWALL are a warning. IPT108 and IPT413
    check whether packets reach these chains at all.

Why it matters:
    Connections from outside the ranges are not translated to an endpoint, but they are not dropped either. They reach
    whatever listens on that address, or are forwarded to its owner, such as the cloud's load balancer, and come back
    from there.

Example:
    *filter
    :INPUT ACCEPT [0:0]
    :KUBE-PROXY-FIREWALL - [0:0]
    -A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall"
      -j KUBE-PROXY-FIREWALL
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-EXT-XPGD46QRK7WJZT7O - [0:0]
    :KUBE-FW-XPGD46QRK7WJZT7O - [0:0]
    :KUBE-SERVICES - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-FW-XPGD46QRK7WJZT7O -s 198.51.100.0/24 -m comment --comment "shop/cart:http loadbalancer IP"
      -j KUBE-EXT-XPGD46QRK7WJZT7O
    -A KUBE-SERVICES -d 203.0.113.9/32 -p tcp -m comment --comment "shop/cart:http loadbalancer IP" -m tcp --dport 80
      -j KUBE-FW-XPGD46QRK7WJZT7O
    COMMIT

How to fix:
    Restart kube-proxy on the node: it rewrites these chains.

When to ignore:
    When the cloud's load balancer enforces the ranges itself and no other client reaches this node.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import MARK_DROP, PROXY_FIREWALL
from ipt_explain.audit.authoring import (
    RESTART_CHAINS,
    Fault,
    Faults,
    RulesetContext,
    Severity,
    at_rule,
    at_rule_or_chain,
    rule,
)
from ipt_explain.audit.evidence.filter.source_ranges import (
    EVERYWHERE,
    OpenRanges,
    accepts_of_strangers,
    broad_accepts,
    misdirected_drops,
    open_ranges,
)
from ipt_explain.audit.evidence.hooks.hook_states import hooks
from ipt_explain.audit.evidence.node.writer import writer
from ipt_explain.model import Rule
from ipt_explain.words import front


@rule("IPT606", "source-ranges-unenforced", Severity.ERROR, about=("KUBE-FW-", "KUBE-PROXY-FIREWALL"), gathers=True)
def source_ranges_unenforced(context: RulesetContext) -> Faults:
    """One fault for each load balancer address, and one for each rule that accepts too early."""
    dropping = context.chain("filter", PROXY_FIREWALL)
    by_nat = context.chain("nat", MARK_DROP) is not None or context.table("filter") is not None
    by_filter = dropping is not None or writer(context).since(25) or not by_nat
    known = context.knows_table("filter") if dropping is None else context.knows_chain(dropping)
    reported: set[int] = set()
    for found in open_ranges(context, by_filter):
        if context.knows_chain(found.firewall) and (known or not by_filter):
            reported.add(0 if found.near is None else found.near.line)
            yield _fault(found, by_filter)
    if context.complete:
        for drop, firewall in misdirected_drops(context):
            if drop.line not in reported:
                yield _misdirected(drop, firewall)
    yield from _accepted_before(context)


def _fault(found: OpenRanges, by_filter: bool) -> Fault:
    frontend = found.frontend
    address = front(frontend.address, frontend.port)
    where = (
        "KUBE-PROXY-FIREWALL has no DROP for it" if by_filter else f"{found.firewall.name} does not end in {MARK_DROP}"
    )
    at = at_rule_or_chain(found.near, found.firewall)
    if not EVERYWHERE.isdisjoint(frontend.source_ranges):
        return Fault(
            f"everybody may use {address}, but {where}: connections that no endpoint takes are not dropped",
            RESTART_CHAINS,
            at,
            service=found.service.label,
            related=(frontend.rule.line,),
            severity=Severity.INFO,
            key=frontend.address or "",
        )
    return Fault(
        f"only {', '.join(frontend.source_ranges)} may use {address}, but nothing drops "
        f"connections from elsewhere: {where}",
        RESTART_CHAINS,
        at,
        service=found.service.label,
        related=(frontend.rule.line, *(member.line for member in found.firewall.rules)),
        key=frontend.address or "",
    )


def _accepted_before(context: RulesetContext) -> Faults:
    early: dict[Rule, tuple[Rule, str]] = {}
    for state in hooks(context):
        if state.hook.chain == PROXY_FIREWALL and state.rules and state.built_in is not None and state.target.rules:
            hook, built_in = state.rules[0], state.hook.built_in
            protocols = {dropping.core("-p") for dropping in state.target.rules}
            early.update(dict.fromkeys(broad_accepts(state.built_in, hook, protocols), (hook, built_in)))
            if built_in == "FORWARD":
                for accept in accepts_of_strangers(context):
                    early.setdefault(accept, (hook, built_in))
    for accept, (hook, built_in) in early.items():
        yield Fault(
            "this rule accepts new connections before KUBE-PROXY-FIREWALL: load balancer source ranges "
            f"are not enforced for them in {built_in}",
            "Move the rule after kube-proxy's hooks, or narrow it.",
            at_rule(accept),
            related=(hook.line,),
            severity=Severity.WARNING,
        )


def _misdirected(drop: Rule, firewall: str) -> Fault:
    return Fault(
        f"this DROP belongs to {firewall}, but that Service has no load balancer with this address and port: it "
        "keeps nobody out",
        RESTART_CHAINS,
        at_rule(drop),
        severity=Severity.WARNING,
    )
