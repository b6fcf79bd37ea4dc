"""The bit that KUBE-MARK-MASQ sets is not the bit that KUBE-POSTROUTING or KUBE-FORWARD tests.

What it checks:
    The bit that KUBE-MARK-MASQ (nat) sets is the bit that KUBE-POSTROUTING (nat) and KUBE-FORWARD (filter) test, and
    they test no other bit. If two of the three agree, the third is reported.

Why it matters:
    If KUBE-POSTROUTING tests another bit, marked packets are not masqueraded, and packets with that other bit are. If
    KUBE-FORWARD tests another bit, it does not accept Service traffic, which then meets the rest of FORWARD, often a
    DROP policy. A test with a wide mask fails as soon as another program marks the packet.

Example:
    -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
    -A KUBE-POSTROUTING -m mark ! --mark 0x8000/0x8000 -j RETURN
    -A KUBE-POSTROUTING -j MARK --set-xmark 0x8000/0x0
    -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully

How to fix:
    Give kube-proxy and, up to 1.26, kubelet the same --iptables-masquerade-bit, and restart both.
"""

from __future__ import annotations

from collections.abc import Sequence

from ipt_explain.analyzers.names import FORWARD
from ipt_explain.audit.authoring import Fault, Faults, RulesetContext, Severity, at_rule, rule
from ipt_explain.audit.evidence.marks.marking import Marking, masquerade_marking
from ipt_explain.audit.evidence.marks.postrouting import postrouting
from ipt_explain.model import Rule
from ipt_explain.netfilter.marks import MarkTest, mark_tests, single_bit

_FIX = (
    "Restart kube-proxy, and kubelet up to 1.26, with the same --iptables-masquerade-bit (14 by default, mark 0x4000)."
)
_NOT_MASQUERADED = "marked packets are not masqueraded, and replies bypass this node"
_NOT_ACCEPTED = "marked Service traffic is not accepted there and meets the rest of FORWARD and its policy"


@rule("IPT405", "mark-mismatch", Severity.ERROR, about=("KUBE-MARK-MASQ", "KUBE-POSTROUTING", "KUBE-FORWARD"), since=2)
def mark_mismatch(context: RulesetContext) -> Faults:
    """One fault for each chain that disagrees, and one for each test under too wide a mask."""
    marking, snat = masquerade_marking(context), postrouting(context)
    in_snat = () if snat is None else snat.tests
    in_forward = mark_tests(context.ruleset.rules("filter", FORWARD))
    yield from _too_wide(in_snat, _NOT_MASQUERADED)
    yield from _too_wide(in_forward, _NOT_ACCEPTED)
    if marking is None or not single_bit(marking.result):
        return
    wrong_snat = [test for test in in_snat if not test.mark.fits(marking.result)]
    wrong_forward = [test for test in in_forward if not test.mark.fits(marking.result)]
    tests_agree = {test.mark.value for test in (*in_snat, *in_forward)}
    if wrong_snat and len(wrong_forward) == len(in_forward) and len(tests_agree) == 1:
        yield _wrong_setting(marking, (*in_snat, *in_forward))
        return
    if wrong_snat and snat is not None and snat.path(marking.result).masqueraded and not snat.conditional:
        yield _one_more(marking, wrong_snat)
    elif wrong_snat:
        toggles = [] if snat is None else [each for each in snat.chain.rules if each.target == "MARK"]
        yield _wrong_tests(marking, wrong_snat, "KUBE-POSTROUTING", _NOT_MASQUERADED, toggles)
    if wrong_forward:
        yield _wrong_tests(marking, wrong_forward, FORWARD, _NOT_ACCEPTED)


def _wrong_setting(marking: Marking, tests: tuple[MarkTest, ...]) -> Fault:
    setting = marking.settings[-1].rule
    return Fault(
        f"KUBE-MARK-MASQ sets mark 0x{marking.result:x}, but all rules test for {tests[0].mark}: {_NOT_MASQUERADED}",
        _FIX,
        at_rule(setting),
        related=tuple(test.rule.line for test in tests),
    )


def _one_more(marking: Marking, tests: list[MarkTest]) -> Fault:
    """Of tests for another bit where marked packets are masqueraded all the same."""
    first = tests[0]
    return Fault(
        f"KUBE-POSTROUTING masquerades packets with mark 0x{marking.result:x}, which KUBE-MARK-MASQ sets, but also "
        f"tests for mark {first.mark}: if another program sets that bit, its packets are masqueraded too",
        _FIX,
        at_rule(first.rule, focus=_written(first)),
        related=(marking.settings[-1].rule.line, *(test.rule.line for test in tests[1:])),
        severity=Severity.WARNING,
        key="one more",
    )


def _wrong_tests(
    marking: Marking, tests: list[MarkTest], chain: str, effect: str, others: Sequence[Rule] = ()
) -> Fault:
    first = tests[0]
    return Fault(
        f"{chain} tests for mark {first.mark}, but KUBE-MARK-MASQ sets 0x{marking.result:x}: {effect}",
        _FIX,
        at_rule(first.rule, focus=_written(first)),
        related=(
            marking.settings[-1].rule.line,
            *(each.line for each in (*(test.rule for test in tests[1:]), *others)),
        ),
    )


def _too_wide(tests: tuple[MarkTest, ...], effect: str) -> Faults:
    for test in tests:
        others = test.mark.mask & ~test.mark.value
        if others:
            yield Fault(
                f"the test for mark {test.mark} also looks at bits 0x{others:x}: if another program sets one of "
                f"them, {effect}",
                f"Test only that bit: --mark 0x{test.mark.value:x}/0x{test.mark.value:x}.",
                at_rule(test.rule, focus=_written(test)),
                severity=Severity.WARNING,
                key="mask",
            )


def _written(test: MarkTest) -> str:
    return f"--mark {test.rule.match('mark', '--mark')}"
