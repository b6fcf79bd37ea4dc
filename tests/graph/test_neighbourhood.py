from __future__ import annotations

from ipt_explain.graph.neighbourhood import neighbourhood, whole
from tests.graph.tables import nat

TWO = nat(
    "-A PREROUTING -j KUBE-SERVICES",
    '-A KUBE-SERVICES ! -s 10.244.0.0/16 -d 10.96.0.1/32 -m comment --comment "a/a cluster IP" -j KUBE-MARK-MASQ',
    '-A KUBE-SERVICES -d 10.96.0.1/32 -m comment --comment "a/a cluster IP" -j KUBE-SVC-A',
    '-A KUBE-SERVICES ! -s 10.244.0.0/16 -d 10.96.0.2/32 -m comment --comment "b/b cluster IP" -j KUBE-MARK-MASQ',
    '-A KUBE-SERVICES -d 10.96.0.2/32 -m comment --comment "b/b cluster IP" -j KUBE-SVC-B',
    "-A KUBE-SVC-A -j KUBE-SEP-A",
    "-A KUBE-SVC-B -j KUBE-SEP-B",
    "-A KUBE-SEP-A -j KUBE-MARK-MASQ",
    "-A KUBE-SEP-B -j KUBE-MARK-MASQ",
    "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
)


def test_a_neighbourhood_has_callers_and_targets_but_no_bypasses() -> None:
    part = neighbourhood(TWO, ["KUBE-SVC-A"])
    assert set(part.chains) == {"PREROUTING", "KUBE-SERVICES", "KUBE-SVC-A", "KUBE-SEP-A", "KUBE-MARK-MASQ"}
    assert [jump.rule.line for jump in part.jumps] == [12, 13, 14, 17, 19]


def test_the_whole_has_every_jump_and_what_they_lead_to() -> None:
    everything = whole(nat("-A PREROUTING -j A", "-A A -j GONE"))
    assert everything.chains == ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING", "A", "GONE")
    assert len(everything.jumps) == 2
