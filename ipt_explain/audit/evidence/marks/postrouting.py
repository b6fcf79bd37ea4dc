"""What KUBE-POSTROUTING does with marked and unmarked packets.

Facts: pkg/proxy/iptables/proxier.go. Up to 1.18 one rule masquerades marked packets. Later there are three: packets
without the mark return, the mark is cleared, the rest is masqueraded. In IPVS mode a rule for the set KUBE-LOOP-BACK
comes first.
"""

from __future__ import annotations

from ipt_explain.analyzers.names import POSTROUTING
from ipt_explain.audit.context import RulesetContext
from ipt_explain.audit.fact import fact
from ipt_explain.graph.never_returning import FINAL_TARGETS
from ipt_explain.model import Chain, Rule
from ipt_explain.netfilter.marks import MarkTest, change_by, mark_test, mark_tests
from ipt_explain.records import Record


class PostroutingPath(Record):
    """A packet's path through the chain: the rule that decided it (None if it fell through) and the mark that it
    left with."""

    decided: Rule | None
    masqueraded: bool
    mark: int


class _TestedRule(Record):
    rule: Rule
    test: MarkTest | None


class Postrouting:
    """The chain, read once.

    `tests` are its mark tests; `masquerading` its MASQUERADE rules; `conditional` are rules that test more than a mark,
    which `path` skips.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.tests = mark_tests(chain.rules)
        self.masquerading = tuple(rule for rule in chain.rules if rule.target == "MASQUERADE")
        self.conditional = tuple(rule for rule in chain.rules if _asks_for_more(rule))
        odd = set(self.conditional)
        self._steps = [_TestedRule(rule, mark_test(rule)) for rule in chain.rules if rule not in odd]

    @property
    def guarded(self) -> bool:
        """Whether it has the form of 1.19 and later: packets without the mark return first."""
        return any(test.negated and test.rule.target == "RETURN" for test in self.tests)

    @property
    def tested(self) -> int:
        """The bits that it tests; 0 if it tests none."""
        return self.tests[0].mark.value if self.tests else 0

    def path(self, mark: int) -> PostroutingPath:
        """What happens to a packet that enters with this mark."""
        for step in self._steps:
            if step.test is not None and not step.test.passes(mark):
                continue
            change = change_by(step.rule)
            if change is not None:
                mark = change.apply(mark)
            elif step.rule.target in FINAL_TARGETS:
                return PostroutingPath(step.rule, step.rule.target in ("MASQUERADE", "SNAT"), mark)
        return PostroutingPath(None, False, mark)


@fact
def postrouting(context: RulesetContext) -> Postrouting | None:
    """nat KUBE-POSTROUTING; None if the text lacks it."""
    chain = context.chain("nat", POSTROUTING)
    return None if chain is None else Postrouting(chain)


def _asks_for_more(rule: Rule) -> bool:
    shape = rule.shape
    return bool(shape.core) or any(match.module not in ("comment", "mark") for match in shape.matches)
