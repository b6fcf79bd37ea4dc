"""What a live node is told to run."""

from __future__ import annotations

import pytest

from ipt_explain.analyzers.found_mode import found_mode
from ipt_explain.parsing import read_dump
from tests.ipvs_corpus import ipvs_nodes


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\nCOMMIT\n", "kube-proxy in iptables mode: KUBE-SVC chains"),
        ("*nat\nCOMMIT\n", "no mode of kube-proxy shows: none of its rules and no virtual server of IPVS is here"),
        ("*nat\n:KUBE-IPVS-FILTER - [0:0]\nCOMMIT\n", "kube-proxy in ipvs mode: KUBE-IPVS-FILTER, and no chain per service"),
        ("TCP  10.96.0.1:443 rr\n", "kube-proxy in ipvs mode: 1 virtual server of IPVS"),
    ],
)
def test_each_mode(text: str, said: str) -> None:
    assert found_mode([read_dump(text)]) == said


def test_a_whole_node() -> None:
    node = next(each for each in ipvs_nodes() if each.id.endswith("/basic"))
    assert found_mode([read_dump(node.text())]) == (
        "kube-proxy in ipvs mode: KUBE-NODE-PORT, and no chain per service; 4 virtual servers of IPVS and 34 IP sets"
    )
