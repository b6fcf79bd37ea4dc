"""Several greps of one node, in any order: the Services that they show work as they do on the node."""

from __future__ import annotations

import re
from itertools import permutations

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.parsing import read_dump
from ipt_explain.services.ports import ServiceState
from tests.kube_corpus import scenario


def grep(text: str, word: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if word in line)


@pytest.mark.parametrize("order", list(permutations(("KUBE-SEP", "KUBE-SVC"))), ids=" ".join)
@pytest.mark.parametrize("version", ["1.14", "1.22", "1.30"])
def test_endpoints_get_their_shares_in_whatever_order_chains_come(version: str, order: tuple[str, ...]) -> None:
    """The greps hold chains for node ports and for local endpoints, too, but not what leads to them."""
    node = scenario(version, "nodeport").ipv4
    for service in explain(read_dump("".join(grep(node, word) for word in order))).services:
        count = len(service.endpoints)
        assert service.state is ServiceState.SERVING
        assert [each.probability for each in service.endpoints] == pytest.approx([1 / count] * count, abs=1e-4)


def test_what_filter_refuses_for_services_leaves_shares_known() -> None:
    """filter's KUBE-SERVICES is shown in part; its rules are for addresses of Services, which nat has translated."""
    node = scenario("1.30", "nodeport").ipv4
    text = "".join(grep(node, word) for word in ("KUBE-SERVICES", "KUBE-SVC", "KUBE-SEP"))
    services = [each for each in explain(read_dump(text)).services if each.endpoints]
    assert {service.state for service in services} == {ServiceState.SERVING}
    assert None not in {each.probability for service in services for each in service.endpoints}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"^-A KUBE-MARK-MASQ .*\n", ""),
        (r"^(?=-A KUBE-MARK-MASQ )", "-A KUBE-MARK-MASQ -j RETURN\n"),
        (r"^(-A KUBE-MARK-MASQ .*)0x4000/0x4000", r"\1 0x8000/0x8000"),
        (r"^-A POSTROUTING .*-j KUBE-POSTROUTING\n", ""),
    ],
)
def test_no_hairpin_where_marks_do_not_masquerade(old: str, new: str) -> None:
    node = scenario("1.30", "basic").ipv4
    assert _hairpins(node) == {True}
    assert _hairpins(re.sub(old, new, node, flags=re.MULTILINE)) == {False}


def _hairpins(text: str) -> set[bool | None]:
    return {each.hairpin for service in explain(read_dump(text)).services for each in service.endpoints}
