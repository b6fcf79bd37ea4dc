from __future__ import annotations

from tests.graph.tables import nat


def test_a_healthy_table_has_no_cycle() -> None:
    assert nat("-A PREROUTING -j A", "-A PREROUTING -j B", "-A A -j B", "-A B -j RETURN").cycles == ()


def test_a_cycle_has_a_path_and_says_whether_a_hook_leads_there() -> None:
    table = nat("-A PREROUTING -j A", "-A A -j B", "-A B -j C", "-A C -j A", "-A X -j X", "-A Y -j X")
    reached, idle = table.cycles
    assert reached.path == ("A", "B", "C") and reached.reachable
    assert idle.path == ("X",) and not idle.reachable


def test_chains_that_only_lead_into_a_cycle_are_not_in_it() -> None:
    (cycle,) = nat("-A PREROUTING -j A", "-A A -j B", "-A B -j C", "-A C -j B").cycles
    assert cycle.path == cycle.chains == ("B", "C")


def test_knotted_cycles_are_one_group_with_one_walk() -> None:
    (cycle,) = nat("-A A -j B", "-A B -j A", "-A B -j C", "-A C -j B").cycles
    assert set(cycle.chains) == {"A", "B", "C"}
    table = nat("-A A -j B", "-A B -j A")
    assert all(target in table.targets[name] for name, target in zip(("A", "B"), ("B", "A")))


def test_a_ring_of_ten_thousand_chains_is_one_cycle() -> None:
    (cycle,) = nat(*(f"-A C{n} -j C{(n + 1) % 10000}" for n in range(10000))).cycles
    assert len(cycle.path) == 10000
