"""Who decides first where several could: rules of nat, two backends, the node's own addresses."""

from __future__ import annotations

import ipt_explain
from ipt_explain.model import Dump
from ipt_explain.trace import Packet
from tests.trace.helpers import NODE, POD, go, only, save_text


def _both(legacy: str, nft: str) -> Dump:
    """Rules of both backends at once."""
    return ipt_explain.parse(save_text(legacy) + save_text(nft).replace("v1.8.9", "v1.8.9 (nf_tables)"))


def test_nat_decides_a_destination_once() -> None:
    first, second = (f"nat -A PREROUTING -j DNAT --to-destination 10.0.0.{n}" for n in (1, 2))
    assert only(go(_both(first, second))) == ("ACCEPT", "10.0.0.1:80", False)
    kept = "nat -A PREROUTING -j ACCEPT"
    assert only(go(_both(kept, second))) == ("ACCEPT", "10.0.0.2:80", False)


def test_nat_decides_a_source_once() -> None:
    dump = _both(
        "nat -A POSTROUTING -j SNAT --to-source 192.0.2.98", "nat -A POSTROUTING -j SNAT --to-source 192.0.2.99"
    )
    (outcome,) = go(dump).outcomes
    assert [step.text for step in outcome.path] == ["-A POSTROUTING -j SNAT --to-source 192.0.2.98"]


def test_what_the_node_sends_to_itself_is_delivered_whatever_is_known_of_its_addresses() -> None:
    rules = f"nat -A OUTPUT -j DNAT --to-destination {NODE}:81"
    (outcome,) = go(rules, Packet(NODE, "10.96.0.10", "tcp", 80, entry="output"), local=()).outcomes
    assert (outcome.dnat, outcome.delivered) == (f"{NODE}:81", True)
    (hairpin,) = go("nat -A PREROUTING -j DNAT --to-destination 10.244.1.5:81", POD, local=()).outcomes
    assert (hairpin.dnat, hairpin.delivered) == ("10.244.1.5:81", False)
