"""A rule matches a port without a protocol, which iptables refuses.

What it checks:
    Every rule with `--dport` or `--sport` of `-m tcp`, `-m udp`, `-m sctp`, `-m dccp` or `-m udplite` also matches that
    protocol with `-p`.

Why it matters:
    iptables-restore refuses the whole table. A dump with such a rule was edited or is damaged.

Example:
    -A KUBE-SERVICES -d 10.96.0.1/32 -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443
      -j KUBE-SVC-NPX46M4PTMTKRN6Y

How to fix:
    Take the dump again with `iptables-save`. Add `-p tcp` to rules of your own.

When to ignore:
    When the dump is only read, never restored.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.text import without_protocol
from ipt_explain.model import Rule


@rule("IPT503", "port-without-protocol", Severity.ERROR, evidence=without_protocol)
def port_without_protocol(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for judged, module, port in without_protocol(context):
        yield Fault(
            f"the rule matches a {module} port but {_protocol(judged)}: it does not work, and iptables-restore "
            "refuses the table",
            f"Take the dump again, or add `-p {module}` to the rule.",
            at_rule(judged, focus=f"{port.name} {judged.first(port)}"),
        )


def _protocol(judged: Rule) -> str:
    protocol = judged.shape.core_option("-p")
    if protocol is None:
        return "no protocol"
    return f"protocol {'! ' if protocol.negated else ''}{judged.first(protocol)}"
