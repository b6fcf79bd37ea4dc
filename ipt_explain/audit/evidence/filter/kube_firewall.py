"""filter KUBE-FIREWALL: what it drops, and whether it drops what it should.

Facts: pkg/kubelet/kubelet_network_linux.go (the drop mark up to 1.26; the martian rule from 1.19 on, CVE-2020-8558),
and pkg/proxy/iptables/proxier.go, which also writes the martian rule from 1.27 on if node ports answer on 127.0.0.1.
"""

from __future__ import annotations

from collections.abc import Iterable

from ipt_explain.analyzers.names import FIREWALL
from ipt_explain.audit.evidence.conditions import conditions_of
from ipt_explain.model import Chain, Rule, Ruleset
from ipt_explain.netfilter.marks import MarkTest, mark_test, mark_tests
from ipt_explain.records import Record


class Enforcement(Record):
    """Whether KUBE-FIREWALL drops every packet with a mark. `near` is a rule that looks intended to; `chain` is None if
    absent."""

    dropped: bool
    near: Rule | None
    chain: Chain | None


def drop_enforcement(ruleset: Ruleset, mark: int) -> Enforcement:
    """How KUBE-FIREWALL treats packets with `mark`."""
    chain = ruleset.chain("filter", FIREWALL)
    near = None
    for rule in ruleset.rules("filter", FIREWALL):
        test = mark_test(rule)
        if test is None:
            if rule.target in ("DROP", "REJECT") and not conditions_of(rule):
                return Enforcement(True, rule, chain)  # drops everything, which is another fault
            continue
        alone = len(conditions_of(rule)) == 1
        blind = not test.mark.mask & ~mark  # other marks on the packet make no difference
        if rule.target in ("DROP", "REJECT") and alone and blind and test.passes(mark):
            return Enforcement(True, rule, chain)
        near = near or rule
    return Enforcement(False, near, chain)


def mark_drops(ruleset: Ruleset) -> tuple[MarkTest, ...]:
    """The rules of KUBE-FIREWALL that drop packets by their mark."""
    return mark_tests(rule for rule in ruleset.rules("filter", FIREWALL) if rule.target == "DROP")


def unconditional_drops(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Of these rules, those that drop or refuse every packet, or every packet of one protocol."""
    return tuple(
        rule
        for rule in rules
        if rule.target in ("DROP", "REJECT")
        and not [word for word in conditions_of(rule, but_new=True) if not word.startswith("-p ")]
    )


def is_martian_guard(rule: Rule) -> bool:
    """Whether a rule drops packets from other hosts to 127.0.0.0/8 that belong to no known connection."""
    shape = rule.shape
    source, destination = shape.core_option("-s"), shape.core_option("-d")
    state = shape.match_option("conntrack", "--ctstate")
    return (
        rule.target == "DROP"
        and source is not None
        and destination is not None
        and state is not None
        and source.negated
        and not destination.negated
        and state.negated
        and rule.first(source) == rule.first(destination) == "127.0.0.0/8"
        and set((rule.first(state) or "").split(",")) == {"RELATED", "ESTABLISHED", "DNAT"}
        and len(conditions_of(rule)) == 3
    )


def guards_loopback(rule: Rule) -> bool:
    """Whether a rule looks like a martian guard: it drops packets to 127.0.0.0/8, or its comment says so."""
    return rule.comment == "block incoming localnet connections" or rule.core("-d") == "127.0.0.0/8"
