"""ClusterIP connections from outside the pod network are not masqueraded for this Service.

What it checks:
    kube-proxy marks ClusterIP connections that do not come from pods, for all Services alike: before the jump to the
    Service up to 1.21, before the endpoints in its chain from 1.22 on. A Service is reported if it has no mark, if no
    packet reaches the mark, or if the mark is for an address that does not lead to the Service. If no Service has a
    mark, one note says so: kube-proxy runs without --cluster-cidr.

Why it matters:
    Clients outside the pod network (other hosts, VPNs, host-network pods of other nodes) may send ClusterIP connections
    through this node. Without the mark the pod replies to them directly, from an address that they never contacted, and
    they drop the reply.

Example:
    *nat
    :PREROUTING ACCEPT [0:0]
    :KUBE-MARK-MASQ - [0:0]
    :KUBE-SEP-QAI6IJGEKZYOMWSX - [0:0]
    :KUBE-SEP-CLAGU7VMF4VCXE4X - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-JD5MR3NA4I4DYORP - [0:0]
    :KUBE-SVC-NPX46M4PTMTKRN6Y - [0:0]
    -A PREROUTING -j KUBE-SERVICES
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-SEP-CLAGU7VMF4VCXE4X -s 10.244.2.2/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-CLAGU7VMF4VCXE4X -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:9153
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -j KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 192.168.50.10:6443
    -A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp
      --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:metrics cluster IP" -m tcp
      --dport 9153 -j KUBE-SVC-JD5MR3NA4I4DYORP
    -A KUBE-SVC-JD5MR3NA4I4DYORP -j KUBE-SEP-CLAGU7VMF4VCXE4X
    -A KUBE-SVC-NPX46M4PTMTKRN6Y ! -s 10.244.0.0/16 -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-MARK-MASQ
    -A KUBE-SVC-NPX46M4PTMTKRN6Y -j KUBE-SEP-QAI6IJGEKZYOMWSX
    COMMIT

How to fix:
    Restart kube-proxy on the node. If no Service has the mark and clients outside the cluster use ClusterIPs, set
    --cluster-cidr (or --detect-local-mode) to match the pods' addresses.

When to ignore:
    When nothing outside the pod network uses ClusterIPs.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_chain, at_rule, restart, rule
from ipt_explain.audit.evidence.marks.cluster_ip_marks import MarkedService, StrayMark, cluster_ip_marks, lacks_marks
from ipt_explain.audit.evidence.marks.sources import pods_are_masqueraded
from ipt_explain.words import counted, front

_FIX = restart("writes the mark before the Service's endpoints")
# The mark is among this many first rules of the Service's chain.
_HEAD = 3
_LOST = "keep their source, and replies bypass this node"


@rule(
    "IPT411",
    "off-cluster-masquerade-missing",
    Severity.WARNING,
    evidence=lacks_marks,
    reads_absence=True,
    yields_to=("IPT113", "IPT415"),
    gathers=True,
)
def off_cluster_masquerade_missing(context: RulesetContext) -> Faults:
    """One fault for each service port, but one note where none is marked."""
    marks = cluster_ip_marks(context)
    strays: dict[int, StrayMark] = {id(stray.service): stray for stray in marks.strays if stray.service is not None}
    reported: set[int] = set()
    found, late = marks.services.column("mark"), marks.services.column("late")
    if any(found) or marks.strays:
        for marked in marks.services if None in found or any(late) else ():
            stray = strays.get(id(marked.service))
            if marked.mark is None and stray is not None:
                reported.add(id(stray.rule))
                yield _elsewhere(marked, stray)
            elif marked.mark is None:
                if not _others_masquerade(marked):
                    yield _missing(context, marked)
            elif marked.late:
                yield _late(marked)
    elif marks.services and not (any(map(_others_masquerade, marks.services)) or pods_are_masqueraded(context)):
        yield _none(context, marks.services)
    for stray in marks.strays:
        if id(stray.rule) not in reported:
            yield _stray(stray)


def _others_masquerade(marked: MarkedService) -> bool:
    """Whether connections from outside are masqueraded without kube-proxy's mark: all of them, or those to some
    endpoints. Network plugins do so by themselves, and leave out pods of this node, whose replies pass it anyway."""
    fate = None if marked.frontend.fates is None else marked.frontend.fates.outside
    return fate is not None and bool(fate.served) and fate.masqueraded is not False


def _missing(context: RulesetContext, marked: MarkedService) -> Fault:
    rules = context.ruleset.rules("nat", marked.frontend.balancer or "")
    return Fault(
        f"connections from outside the pod network to {_address(marked)} are not "
        f"masqueraded, unlike those to other Services: they {_LOST}",
        _FIX,
        at_rule(marked.frontend.rule),
        service=marked.service.label,
        related=tuple(member.line for member in rules[:_HEAD]),
    )


def _elsewhere(marked: MarkedService, stray: StrayMark) -> Fault:
    return Fault(
        f"{_address(marked)}/{marked.service.protocol} leads to this Service, but its chain marks {_asked(stray)}: "
        f"connections from outside the pod network {_LOST}",
        "Restart kube-proxy on this node; one of the two rules was changed.",
        at_rule(stray.rule),
        service=marked.service.label,
        related=(marked.frontend.rule.line,),
    )


def _stray(stray: StrayMark) -> Fault:
    return Fault(
        f"this rule marks connections to {_asked(stray)}, which leads to no Service here: either the rule that leads "
        "to the Service is missing, or this one has the wrong address and the Service's own is not masqueraded",
        "Restart kube-proxy on this node; this rule or the one that leads to the Service was changed.",
        at_rule(stray.rule),
        service=None if stray.service is None else stray.service.label,
    )


def _late(marked: MarkedService) -> Fault:
    assert marked.mark is not None
    return Fault(
        f"the mark for connections from outside the pod network to {_address(marked)} "
        f"comes after rules that lead to endpoints: connections they take {_LOST}",
        _FIX,
        at_rule(marked.mark.rule),
        service=marked.service.label,
    )


def _none(context: RulesetContext, services: Sequence[MarkedService]) -> Fault:
    chain = context.chain("nat", services[0].frontend.rule.chain)
    return Fault(
        f"clients outside the pod network are not masqueraded on {counted(len(services), 'ClusterIP port')}: "
        "kube-proxy runs without --cluster-cidr, and such clients get no usable reply through this node",
        "Set kube-proxy's --cluster-cidr or --detect-local-mode if clients outside the cluster use ClusterIPs.",
        at_rule(services[0].frontend.rule) if chain is None else at_chain(chain),
        severity=Severity.INFO,
    )


def _asked(stray: StrayMark) -> str:
    host, protocol, port = stray.address
    return f"{front(host, port)}/{protocol}"


def _address(marked: MarkedService) -> str:
    return front(marked.frontend.address, marked.frontend.port)
