"""A rule may stop connections to Services; the dump does not show whether it does.

What it checks:
    New connections to every Service with endpoints are sent through the dump, as for IPT117. Some rules depend on
    what no dump shows: whether a packet arrived by the expected interface (`-m rpfilter`), its TTL, how many
    connections a client has, what an ipset holds. If connections are lost in one case and served in another, explain
    calls the Service unknown, and this rule names what may stop them and what it depends on. All rules of one program
    are one finding.

    It is a warning if it may hit all Services, cluster DNS or the API server. It is a note if it may hit only others,
    if it depends only on who connects, on interfaces or on ipsets, if it stops only TCP segments smaller than anybody
    uses (`--mss 1:500`), or if the rule is in a chain of a NetworkPolicy engine: such rules are common, and usually
    spare Services. A rule that may stop a part of the pod network (`-s`, `ip saddr`) is a warning: it stops the pods
    that have these addresses.

Why it matters:
    The dump alone cannot rule out that these connections are dropped. If clients time out, look here.

Example:
    *mangle
    :PREROUTING ACCEPT [0:0]
    -A PREROUTING -m policy --dir in --pol none -j DROP
    COMMIT
    *nat
    :PREROUTING ACCEPT [0:0]
    :OUTPUT ACCEPT [0:0]
    :KUBE-SEP-H7FN6LU3RSH6CC2T - [0:0]
    :KUBE-SERVICES - [0:0]
    :KUBE-SVC-ERIFXISQEP7F7OF4 - [0:0]
    -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
    -A KUBE-SEP-H7FN6LU3RSH6CC2T -p tcp -m tcp -j DNAT --to-destination 10.244.2.2:53
    -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "kube-system/kube-dns:dns-tcp cluster IP" -m tcp
      --dport 53 -j KUBE-SVC-ERIFXISQEP7F7OF4
    -A KUBE-SVC-ERIFXISQEP7F7OF4 -j KUBE-SEP-H7FN6LU3RSH6CC2T
    COMMIT

How to fix:
    Follow one connection with `ipt-explain trace`, with `--assume` for either answer. If it depends on an ipset, add
    the output of `ipset save` to the dump.

When to ignore:
    When the rule is meant to be there, and clients do not time out.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import BackendContext, Faults, Severity, service_rule
from ipt_explain.audit.evidence.losses.causes import Cause, cuts_off_all, hits_vital
from ipt_explain.audit.evidence.losses.doubts import doubts
from ipt_explain.audit.evidence.losses.faults import doubt_of
from ipt_explain.audit.evidence.losses.lossy import lossy_fates
from ipt_explain.audit.evidence.losses.places import LossPlace
from ipt_explain.records import replace

_FIX = "Follow one connection with ipt-explain trace; --assume takes either answer."


@service_rule(
    "IPT120", "service-traffic-uncertain", Severity.WARNING, evidence=lossy_fates, reads_absence=True, catch_all=True
)
def service_traffic_uncertain(context: BackendContext) -> Faults:
    """One fault for each rule or policy, or for each program whose rules they are."""
    for causes in doubts(context):
        yield doubt_of(causes, _FIX, Severity.WARNING if any(map(_is_grave, causes)) else Severity.INFO)


def _is_grave(cause: Cause) -> bool:
    """Whether it may lose much under conditions that healthy nodes lack."""
    odd = tuple([victim for victim in cause.victims if not victim.lost.is_ordinary(victim.vantage)])
    if not odd or cause.where is LossPlace.POLICY:
        return False
    rest = replace(cause, victims=odd)
    return hits_vital(rest) or cuts_off_all(rest)
