from __future__ import annotations

from tests.graph.tables import nat

NODE = nat(
    "-A PREROUTING -j KUBE-SERVICES",
    "-A OUTPUT -j KUBE-SERVICES",
    "-A POSTROUTING -j KUBE-POSTROUTING",
    "-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-SVC-A",
    "-A KUBE-SVC-A -j KUBE-SEP-A",
    "-A KUBE-SEP-A -j RETURN",
    "-A KUBE-POSTROUTING -j RETURN",
    "-A KUBE-SVC-OLD -j KUBE-SEP-OLD",
    "-A KUBE-SEP-OLD -j RETURN",
)


def test_what_no_hook_leads_to_is_unreachable() -> None:
    assert NODE.hooks == ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING")
    assert NODE.unreachable == ("KUBE-SVC-OLD", "KUBE-SEP-OLD")
    assert "KUBE-SEP-A" in NODE.reachable


def test_ways_down_and_up_from_one_chain() -> None:
    assert NODE.reachable_from("KUBE-SVC-A") == {"KUBE-SVC-A", "KUBE-SEP-A"}
    assert NODE.leading_to("KUBE-SVC-A") == {"KUBE-SVC-A", "KUBE-SERVICES", "PREROUTING", "OUTPUT"}
    assert NODE.leading_to("nobody knows it") == {"nobody knows it"}


def test_neither_depth_nor_diamonds_cost_more_than_their_rules() -> None:
    deep = nat("-A PREROUTING -j C0", *(f"-A C{n} -j C{n + 1}" for n in range(3000)), "-A C3000 -j RETURN")
    assert len(deep.reachable_from("PREROUTING")) == 3002
    wide = nat(
        "-A PREROUTING -j L0",
        *(f"-A L{n} -j {side}{n}" for n in range(60) for side in "AB"),
        *(f"-A {side}{n} -j L{n + 1}" for n in range(60) for side in "AB"),
        "-A L60 -j RETURN",
    )
    assert len(wide.reachable_from("L0")) == 181
