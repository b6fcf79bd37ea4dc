"""This Service's rules disagree with other Services' about which clients are outside the pod network.

What it checks:
    kube-proxy writes the same condition for traffic that does not come from pods (`! -s CIDR`, `! -i BRIDGE`) into all
    Services' rules of an address family. Where it lets pods past an external traffic policy it writes the same
    condition without the `!`. Rules that differ from most are reported.

Why it matters:
    With a different network, some pods' connections to this Service are masqueraded: they lose their source, and
    network policies judge them wrongly. Or connections from outside are not masqueraded, and get no reply. After
    --cluster-cidr changes, chains that kube-proxy has not rewritten keep the old network.

Example:
    -A KUBE-SERVICES ! -s 10.244.0.0/16 -d 10.96.0.1/32 -p tcp -m comment
      --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-MARK-MASQ
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SERVICES ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p udp -m comment
      --comment "kube-system/kube-dns:dns cluster IP" -m udp --dport 53 -j KUBE-MARK-MASQ
    -A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "kube-system/kube-dns:dns cluster IP" -m udp
      --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
    -A KUBE-SERVICES ! -s 10.0.0.0/8 -d 10.96.0.9/32 -p tcp -m comment --comment "shop/cart:http cluster IP" -m tcp
      --dport 80 -j KUBE-MARK-MASQ
    -A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "shop/cart:http cluster IP" -m tcp --dport 80
      -j KUBE-SVC-XPGD46QRK7WJZT7O
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    -A KUBE-SVC-TCOU7JCQXEZGVUNU -j KUBE-SEP-TCIZBYBD3WWXNWF5
    -A KUBE-SVC-XPGD46QRK7WJZT7O -j KUBE-SEP-7ZFKXX5EOYTQUMHB

How to fix:
    Restart kube-proxy on the node: at start it writes all of its rules with one condition.

When to ignore:
    While kube-proxy on the node is being reconfigured.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, restart, rule
from ipt_explain.audit.evidence.marks.cluster_ip_marks import MarkJump, cluster_ip_marks, differing_conditions
from ipt_explain.audit.evidence.marks.sources import alike
from ipt_explain.records import Record
from ipt_explain.services.ports import Frontend, ServicePort
from ipt_explain.words import and_more

# If more services than this have one odd condition, one finding covers all.
_MANY = 20


class Said(Record):
    """A rule that tells pods' traffic from others'; `frontend` is the ClusterIP that it is for, None where it is for
    another address."""

    service: ServicePort
    mark: MarkJump
    frontend: Frontend | None = None


@rule("IPT412", "off-cluster-differs", Severity.WARNING, evidence=differing_conditions)
def off_cluster_differs(context: RulesetContext) -> Faults:
    """One fault for each service port that differs from most, or one for all with the same condition where they are
    many."""
    marks = cluster_ip_marks(context)
    said: dict[str, list[Said]] = defaultdict(list)
    for marked in marks.services:
        if marked.mark is not None:
            said[marked.mark.condition].append(Said(marked.service, marked.mark, marked.frontend))
    usual = _usual(said)
    for service, redirect in marks.redirects:
        if usual or not said:  # with --masquerade-all the marks do not say what pod traffic is
            said[redirect.condition].append(Said(service, redirect))
    if len(said) < 2:
        return
    usual = _usual(said)
    reference = said[usual][0]
    for condition, judged in said.items():
        if condition == usual or _to_no_effect(context, judged, reference, condition, usual):
            continue
        if len(judged) > _MANY:
            yield _fault(condition, usual, judged, reference.mark)
        else:
            for one in judged:
                yield _fault(condition, usual, [one], reference.mark)


def _usual(said: dict[str, list[Said]]) -> str:
    counts = Counter({condition: len(judged) for condition, judged in said.items()})
    return counts.most_common(1)[0][0] if counts else ""


def _to_no_effect(context: RulesetContext, judged: list[Said], reference: Said, condition: str, usual: str) -> bool:
    """Whether the sources in question are masqueraded here as there, by a network plugin's rules."""
    odd = next((each for each in judged if each.frontend is None), judged[0])
    if odd.frontend is None or reference.frontend is None:
        return False
    one, other = (odd.service, odd.frontend), (reference.service, reference.frontend)
    return alike(context, one, other, condition, usual)


def _fault(condition: str, usual: str, judged: list[Said], reference: MarkJump) -> Fault:
    service, first = judged[0].service, judged[0].mark
    others = len(judged) - 1
    who = f"this Service{and_more(others, 'Service')} {'detect' if others else 'detects'}"
    return Fault(
        f"{who} pod traffic by {condition or 'no condition'}, most others by {usual or 'no condition'}: clients that "
        "only one of them covers are masqueraded here but not there, or vice versa",
        restart("writes all of its rules with one condition"),
        at_rule(first.rule, focus=condition),
        service=service.label,
        related=(reference.line, *(each.mark.line for each in judged[1:])),
    )
