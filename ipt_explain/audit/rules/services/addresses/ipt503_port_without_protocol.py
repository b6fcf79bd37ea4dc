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

from collections.abc import Collection

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.model import Option, Rule, Shape
from ipt_explain.model.by_shape import RulesOfShape

# What `-p` may say for each module: names and protocol numbers.
_NUMBERS = {"tcp": "6", "udp": "17", "sctp": "132", "dccp": "33", "udplite": "136"}


@rule("IPT503", "port-without-protocol", Severity.ERROR)
def port_without_protocol(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for shapes in context.by_shape.values():
        for shape, rules in shapes.items():
            module, port = _port_of(shape)
            if port is None:
                continue
            protocol = shape.core_option("-p")
            for judged in rules if protocol is None else _others(rules, protocol, module):
                asked = "no protocol" if protocol is None else f"protocol {_spelled(judged, protocol)}"
                yield Fault(
                    f"the rule matches a port of {module} and {asked}: it does not work, and iptables-restore refuses "
                    "the table",
                    f"Take the dump again, or add `-p {module}` to the rule.",
                    at_rule(judged, focus=f"{port.name} {judged.first(port)}"),
                )


def _port_of(shape: Shape) -> tuple[str, Option | None]:
    for match in shape.matches:
        if match.module in _NUMBERS:
            for option in match.options:
                if option.name in ("--dport", "--sport", "--destination-port", "--source-port"):
                    return match.module, option
    return "", None


def _others(rules: RulesOfShape, protocol: Option, module: str) -> Collection[Rule]:
    if protocol.negated:
        return rules
    return rules.having(protocol.slots[0], lambda word: word not in (module, _NUMBERS[module], module.upper()))


def _spelled(judged: Rule, protocol: Option) -> str:
    return f"{'! ' if protocol.negated else ''}{judged.first(protocol)}"
