"""Comparing two dumps and comparing many nodes say the same of a fault, in the same words."""

from __future__ import annotations

import functools

import pytest

from ipt_explain.compare.differences import Difference, DifferenceKind
from ipt_explain.compare.dumps import NodeView, compare_nodes, node_view
from ipt_explain.compare.fleet.comparison import compare_fleet
from ipt_explain.compare.fleet.folding import Fleet
from ipt_explain.compare.fleet.records.digest import digest_of
from ipt_explain.parsing import read_dump
from ipt_explain.records import replace
from tests.fleets.planting import FAULTS, Fault, Files, healthy

# In a fleet, a node without any Service is one difference.
SHARED = [fault for fault in FAULTS if not fault.not_compared and fault.name != "no-kube-proxy"]
AGAINST = "a and b against c: "
# Sentences about many nodes name the nodes where those about two dumps say "added", "removed" or "->".
OF_NODES = {
    DifferenceKind.ENDPOINT_ADDED, DifferenceKind.ENDPOINT_REMOVED, DifferenceKind.SERVICE_ADDED,
    DifferenceKind.SERVICE_REMOVED, DifferenceKind.CHAIN_POLICY,
}  # fmt: skip


def view_of(name: str, files: Files) -> NodeView:
    return node_view(name, [read_dump(text, source=f"{name}{suffix}") for suffix, text in files.items()])


@functools.cache
def healthy_view() -> NodeView:
    return view_of("a", healthy(3))


def told(difference: Difference) -> tuple[str | None, ...]:
    words = None if difference.kind in OF_NODES else difference.message.removeprefix(AGAINST)
    if difference.subject == "marks" and words is not None:
        # A fleet does not compare what depends on a node's own endpoints: Services of internal policy Local.
        words = words.replace("20 service ports", "19 service ports").replace("and 17 more", "and 16 more")
    return difference.kind.value, difference.family.value, difference.service, difference.subject, words


def of_fleet(most: NodeView, other: NodeView) -> list[tuple[str | None, ...]]:
    fleet = Fleet()
    for name, view in (("a", most), ("b", most), ("c", other)):
        fleet.add(replace(digest_of(view), node=name))
    return sorted(map(told, compare_fleet(fleet).differences), key=str)


@pytest.mark.parametrize("fault", SHARED, ids=lambda fault: fault.name)
def test_a_fault_that_comes_and_one_that_goes(fault: Fault) -> None:
    faulty = view_of("c", fault.plant(healthy(3)))
    for before, after in ((healthy_view(), faulty), (faulty, healthy_view())):
        two = compare_nodes(before, after).differences
        assert two
        assert sorted(map(told, two), key=str) == of_fleet(before, after)


def test_a_service_that_loses_its_endpoints_is_not_masqueraded_again() -> None:
    by_name = {fault.name: fault for fault in FAULTS}
    broken = by_name["no-masquerade"].plant(healthy(3))
    before, after = view_of("a", broken), view_of("c", by_name["refused"].plant(broken))
    found = compare_nodes(before, after).differences
    assert found
    assert [each.message for each in found if each.subject == "marks"] == []
    assert sorted(map(told, found), key=str) == of_fleet(before, after)
