"""Who decides first where several could: rules of nat, two backends, the node's own addresses."""

from __future__ import annotations

import ipt_explain
from ipt_explain.model import Dump
from ipt_explain.trace import Packet
from tests.trace.helpers import NODE, POD, go, only, save_text, shares


def _both(legacy: str, nft: str) -> Dump:
    """Rules of both backends at once."""
    return ipt_explain.parse(save_text(legacy) + save_text(nft).replace("v1.8.9", "v1.8.9 (nf_tables)"))


LEGACY_FIRST = "nat {0} of iptables-legacy is asked before nat {0} of iptables-nft={1}"


def test_nat_decides_a_destination_once_and_the_first_backend_is_open() -> None:
    first, second = (f"nat -A PREROUTING -j DNAT --to-destination 10.0.0.{n}" for n in (1, 2))
    told = {outcome.assumptions: outcome.dnat for outcome in go(_both(first, second)).outcomes}
    assert told == {
        (LEGACY_FIRST.format("PREROUTING", "yes"),): "10.0.0.1:80",
        (LEGACY_FIRST.format("PREROUTING", "no"),): "10.0.0.2:80",
    }
    assert set(shares(go(_both(first, second))).values()) == {0.5}
    assumed = ipt_explain.trace(_both(first, second), POD, assume=["nat PREROUTING of iptables-legacy=no"])
    assert [outcome.dnat for outcome in assumed.outcomes] == ["10.0.0.2:80"]


def test_the_order_does_not_matter_if_one_backend_leaves_the_packet_alone() -> None:
    kept, second = "nat -A PREROUTING -j ACCEPT", "nat -A PREROUTING -j DNAT --to-destination 10.0.0.2"
    assert only(go(_both(kept, second))) == ("ACCEPT", "10.0.0.2:80", False)
    other = "nat -A PREROUTING -d 10.96.0.11 -j DNAT --to-destination 10.0.0.1"
    assert only(go(_both(other, second))) == ("ACCEPT", "10.0.0.2:80", False)


def test_nat_decides_a_source_once() -> None:
    dump = _both(
        "nat -A POSTROUTING -j SNAT --to-source 192.0.2.98", "nat -A POSTROUTING -j SNAT --to-source 192.0.2.99"
    )
    (outcome,) = go(dump).outcomes
    paths = {tuple(step.text for step in ending.steps) for ending in outcome.endings}
    assert paths == {(f"-A POSTROUTING -j SNAT --to-source 192.0.2.{each}",) for each in (98, 99)}


def test_chains_of_nftables_run_in_either_order_too() -> None:
    def with_chain(priority: int) -> Dump:
        chain = f"type nat hook prerouting priority {priority}; policy accept;\n\t\tip daddr 10.96.0.10 dnat to 10.0.0.2"
        rules = save_text("nat -A PREROUTING -j DNAT --to-destination 10.0.0.1")
        return ipt_explain.parse(f"{rules}table ip other {{\n\tchain pre {{\n\t\t{chain}\n\t}}\n}}\n")

    told = {outcome.dnat: outcome.assumptions for outcome in go(with_chain(-100)).outcomes}
    assert sorted(filter(None, told)) == ["10.0.0.1:80", "10.0.0.2:80"]
    assert all("is asked before chain pre of table ip other" in text for (text,) in told.values())
    assert [only(go(with_chain(each)))[1] for each in (-101, -99)] == ["10.0.0.2:80", "10.0.0.1:80"]


def test_what_the_node_sends_to_itself_is_delivered_whatever_is_known_of_its_addresses() -> None:
    rules = f"nat -A OUTPUT -j DNAT --to-destination {NODE}:81"
    (outcome,) = go(rules, Packet(NODE, "10.96.0.10", "tcp", 80, entry="output"), local=()).outcomes
    assert (outcome.dnat, outcome.delivered) == (f"{NODE}:81", True)
    (hairpin,) = go("nat -A PREROUTING -j DNAT --to-destination 10.244.1.5:81", POD, local=()).outcomes
    assert (hairpin.dnat, hairpin.delivered) == ("10.244.1.5:81", False)
