"""Which packets a rule ahead of a hook takes: exactly, in part, or not to be told."""

from __future__ import annotations

import pytest

from ipt_explain.analyzers.ahead import Ahead, Probe, Taken
from ipt_explain.netfilter.addresses import network_bits, parse_address
from ipt_explain.parsing import read_dump

STOPS = frozenset({"ACCEPT", "DNAT", "DROP"})
VIP = Probe(parse_address("10.96.0.10"), "udp", 53, local=False)
NODE_PORT = Probe(None, "tcp", 30080, local=True)


def taken(rules: str, probe: Probe, chains: str = "") -> Taken | None:
    """What takes the probe ahead of the jump to KUBE-SERVICES."""
    text = f"*nat\n:PREROUTING ACCEPT [0:0]\n{chains}{rules}\n-A PREROUTING -j KUBE-SERVICES\nCOMMIT\n"
    table = read_dump(text).rulesets[0].tables["nat"]
    chain = table.chains["PREROUTING"]
    return Ahead(table, chain, chain.rules[-1], STOPS).takes(probe)


@pytest.mark.parametrize(
    ("rule", "partly"),
    [
        ("-j ACCEPT", False),
        ("-j RETURN", False),
        ("-d 10.96.0.0/12 -j ACCEPT", False),
        ("! -d 10.244.0.0/16 -p udp -m udp --dport 53 -j DROP", False),
        ("-p udp -m multiport --dports 52:54 -j DROP", False),
        ("-m addrtype ! --dst-type LOCAL -j ACCEPT", False),
        ("-m conntrack --ctstate NEW -j ACCEPT", False),
        ("-m mark ! --mark 0x1/0x1 -j ACCEPT", False),
        ("-s 10.244.1.0/24 -j ACCEPT", True),
        ("-i eth0 -j ACCEPT", True),
    ],
)
def test_rules_that_take_a_service_address(rule: str, partly: bool) -> None:
    found = taken(f"-A PREROUTING {rule}", VIP)
    assert found is not None
    assert found.partly is partly


@pytest.mark.parametrize(
    "rule",
    [
        "-d 10.244.0.0/16 -j ACCEPT",
        "-p tcp -j ACCEPT",
        "-p udp -m udp ! --dport 53 -j ACCEPT",
        "-m addrtype --dst-type LOCAL -j ACCEPT",
        "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-m mark --mark 0x1/0x1 -j ACCEPT",
        "-m set --match-set denied dst -j DROP",
        "-o eth0 -j ACCEPT",
        "-j MARK --set-xmark 0x1/0x1",
    ],
)
def test_rules_that_do_not_or_may_not(rule: str) -> None:
    assert taken(f"-A PREROUTING {rule}", VIP) is None


def test_node_ports_are_on_the_node_whatever_its_addresses() -> None:
    assert taken("-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 30080 -j DROP", NODE_PORT)
    assert taken("-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 30080 -j DROP", NODE_PORT) is None


def test_marks_set_on_the_way_are_seen() -> None:
    rules = "-A PREROUTING -j MARK --set-xmark 0x4/0x4\n-A PREROUTING -m mark --mark 0x4/0x4 -j ACCEPT"
    assert taken(rules, VIP)


def test_sources_decide_where_they_are_known() -> None:
    pods = Probe(VIP.destination, "udp", 53, sources=(network_bits("10.244.1.7/32"), network_bits("10.244.2.9/32")))
    assert taken("-A PREROUTING -s 172.17.0.0/16 -j ACCEPT", pods) is None
    some, every = "-A PREROUTING -s 10.244.1.0/24 -j ACCEPT", "-A PREROUTING -s 10.244.0.0/16 -j ACCEPT"
    assert [found.partly for rule in (some, every) if (found := taken(rule, pods))] == [True, False]


def test_chains_are_followed_and_come_back() -> None:
    chains = ":MINE - [0:0]\n"
    jump = "-A PREROUTING -p udp -j MINE\n"
    assert taken(jump + "-A MINE -d 10.96.0.10/32 -j DROP", VIP, chains)
    assert taken(jump + "-A MINE -d 10.96.0.10/32 -j RETURN\n-A MINE -j DROP", VIP, chains) is None
    assert taken(jump.replace("-j", "-g") + "-A PREROUTING -j DROP\n-A MINE -p tcp -j DROP", VIP, chains) is None


def test_jumps_in_circles_and_diamonds_come_to_an_end() -> None:
    chains = "".join(f":C{number} - [0:0]\n" for number in range(40))
    rules = (
        "".join(f"-A C{number} -j C{number + 1}\n" * 2 for number in range(39)) + "-A C39 -j C0\n-A PREROUTING -j C0"
    )
    assert taken(rules, VIP, chains) is None
