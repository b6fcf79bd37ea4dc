"""A trace shows every endpoint of a virtual server, or of one nftables rule, with its own share."""

from __future__ import annotations

from tests.cli.program import run
from tests.ipvs_corpus import ipvs_nodes

_NFT = """table ip lb {
\tchain prerouting {
\t\ttype nat hook prerouting priority dstnat; policy accept;
\t\tip daddr 10.96.0.10 udp dport 53 dnat to numgen random mod 2 map { 0 : 10.244.1.2, 1 : 10.244.1.3 }
\t}
}
"""


def test_real_servers() -> None:
    (node,) = [each for each in ipvs_nodes() if each.id.endswith("/basic")]
    text = run("trace", "--from", "10.244.1.77", "--to", "10.96.0.10:53/udp", "-", stdin=node.text()).out
    for address in ("10.244.1.2", "10.244.1.3"):
        assert f"50.00 %  udp 10.96.0.10:53 rr: IPVS sends it to {address}:53" in text


def test_endpoints_of_one_rule() -> None:
    text = run("trace", "--from", "10.244.1.77", "--to", "10.96.0.10:53/udp", "-", stdin=_NFT).out
    for address in ("10.244.1.2", "10.244.1.3"):
        assert f"DNAT to {address}:53" in " ".join(text.split())
