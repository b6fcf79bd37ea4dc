"""Two Services claim one address and port; only the first gets its connections.

What it checks:
    In nat KUBE-SERVICES no two rules for one address, protocol and port lead to chains of different service ports. The
    rules that kube-proxy itself writes in pairs and groups for one Service do not clash.

Why it matters:
    The first rule that matches wins. Connections meant for the second Service reach the pods of the first.

Example:
    -A KUBE-SERVICES -d 203.0.113.7/32 -p tcp -m comment --comment "shop/web external IP" -m tcp --dport 80
      -j KUBE-EXT-E3PXEPMWAWIUT6ZV
    -A KUBE-SERVICES -d 203.0.113.7/32 -p tcp -m comment --comment "shop/api external IP" -m tcp --dport 80
      -j KUBE-EXT-YI7FANR2652WTB3A

How to fix:
    Give one of the Services another external IP or port. If the address is a ClusterIP, a rule was added by hand or
    left over: restart kube-proxy on the node.

When to ignore:
    While one Service replaces another at the same address.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.names.proof import label, name_evidence
from ipt_explain.audit.evidence.services.front_rules import front_rules
from ipt_explain.words import address_port, without_prefix


@rule("IPT501", "duplicate-vip", Severity.ERROR, evidence=(front_rules, "clashes"))
def duplicate_vip(context: RulesetContext) -> Faults:
    """One fault for each rule that comes too late."""
    clashes = front_rules(context).clashes
    names = {id(named.evidence.rule): label(named.name) for named in front_rules(context).named}
    misnamed = {id(wrong.named.evidence.rule): wrong for wrong in name_evidence(context).misnamed}
    for clash in clashes:
        second = clash.second
        host, port = second.core("-d"), second.match(second.core("-p") or "", "--dport")
        wrong = misnamed.get(id(clash.first))
        first = names.get(id(clash.first), clash.first.target or "")
        if wrong is not None and wrong.proved is not None:
            first = label(wrong.proved.spelled)  # it leads there, whatever its comment says
        yield Fault(
            f"{address_port(without_prefix(host or 'any address'), port)} is claimed by two Services: "
            f"the earlier rule sends every connection to {first}, and this one ({clash.second.target}) gets none",
            "Give one of the two Services another address or port; restart kube-proxy if one is gone.",
            at_rule(clash.second),
            service=names.get(id(clash.second)),
            related=(clash.first.line,),
        )
