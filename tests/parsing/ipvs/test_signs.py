"""Which tool printed a line."""

from __future__ import annotations

import pytest

from ipt_explain.parsing.ipvs.signs import Tool, tool_of

LONG = 100_000


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        ("add KUBE-CLUSTER-IP 10.96.0.1,tcp:443\n", Tool.IPSET),
        ("add KUBE-CLUSTER-IP 10.96.0.1 timeout 60\n", Tool.IPSET),
        ("add rule ip nat accept\n", None),
        ("TCP  10.96.0.1:443 rr\n", Tool.IPVSADM),
        ("TCP  [fd00::1]:https rr\n", Tool.IPVSADM),
        ("  -> [fd00::1]:6443            Masq    1\n", Tool.IPVSADM),
        ("eth0 UP 192.168.50.10/24 fe80::1/64 \n", Tool.IP_ADDR),
        ("eth0 UP 192.168.50.10/24 nonsense\n", None),
    ],
)
def test_a_line_shows_which_tool_printed_it(line: str, tool: Tool | None) -> None:
    assert tool_of(line, 0) is tool


@pytest.mark.parametrize(
    "line",
    [
        f"add KUBE-CLUSTER-IP {'1:' * LONG} x\n",
        f"add KUBE-CLUSTER-IP 1{' ' * LONG}x\n",
        f"TCP  {'1:' * LONG}\n",
        f"  -> {'1:' * LONG}\n",
        f"eth0 UP 1{'/111' * LONG}x\n",
        f"eth0 UP {'1/1 ' * LONG}x\n",
    ],
    ids=["element", "blanks", "server", "real server", "addresses in one word", "addresses"],
)
def test_a_long_line_of_no_tool_is_given_up_in_one_pass(line: str) -> None:
    """Any way of trying again from each of its characters would not come to an end here."""
    assert tool_of(line, 0) is None
