"""A goto (-g) is used where packets must return (-j).

What it checks:
    Hooks in built-in chains use -j, and so do rules that lead to KUBE-MARK-MASQ, to KUBE-MARK-DROP or, before other
    rules, to KUBE-NODEPORTS.

Why it matters:
    After a goto, the end of the chain leads back to the caller, not to the rule after the goto. With `-g
    KUBE-MARK-MASQ` the packet is marked, never reaches the DNAT rule and leaves with the ClusterIP as destination.
    After a hook with -g, packets skip the rest of the built-in chain, including other programs' rules.
    At the end of a built-in chain it skips nothing yet, which is a warning.

Example:
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -s 192.168.50.10/32 -m comment --comment "default/kubernetes:https" -g KUBE-MARK-MASQ
    -A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT
      --to-destination 192.168.50.10:6443

How to fix:
    Replace -g with -j. kube-proxy never writes -g: restart it and it rewrites its rules.
"""

from __future__ import annotations

from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.chains.gotos import Goto, GotoPlace, misplaced_gotos
from ipt_explain.words import counted


@rule("IPT105", "hook-goto", Severity.ERROR, about=("-g",), gathers=True)
def hook_goto(context: RulesetContext) -> Faults:
    """One fault for each such rule."""
    for goto in misplaced_gotos(context.ruleset, context.by_shape):
        yield Fault(
            _message(goto),
            f"Write -j {goto.rule.target} instead of -g.",
            at_rule(goto.rule, focus="-g"),
            severity=None if goto.skipped else Severity.WARNING,
        )


def _message(goto: Goto) -> str:
    chain, target = goto.rule.chain, goto.rule.target
    if not goto.skipped:
        return (
            f"{goto.table} {chain} goes to {target} with -g: this skips nothing yet, as no rule comes after it, but "
            "would skip rules that other programs append"
        )
    if goto.place is GotoPlace.HOOK:
        return (
            f"{goto.table} {chain} goes to {target} with -g: packets that return skip the rest of {chain} "
            f"({counted(goto.skipped, 'rule')}) and get its policy"
        )
    if goto.place is GotoPlace.MARK:
        return (
            f"{chain} goes to {target} with -g: packets are marked but skip the rest of {chain}, so they are not "
            "translated there"
        )
    after = counted(goto.skipped, "rule")
    return f"{chain} goes to {target} with -g: packets for no node port skip the {after} after it"
