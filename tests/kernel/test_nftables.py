"""The kernel is the judge of nftables rules, too: kube-proxy's as captured, and rules made at random."""

from __future__ import annotations

import random
import re

import pytest

from ipt_explain.model import nft
from ipt_explain.parsing import read_dump
from tests.archives import read_archive
from tests.kernel.judge import disagreement
from tests.kernel.laboratory import Shot
from tests.kernel.nft_laboratory import NftLaboratory, forecast, why_not
from tests.nft_corpus import listing

_WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(_WHY_NOT is not None, reason=f"no kernel to ask: {_WHY_NOT}")

PACKETS = 40
TIMES = 60
KUBE_NODE = "192.168.50.11"
_POD, _OUTSIDE = "10.244.1.199", "198.51.100.7"


@pytest.mark.parametrize("version", ["1.30", "1.33", "1.36"])
@pytest.mark.parametrize("scenario", ["loadbalancer", "externalips"])
def test_the_walker_predicts_what_the_kernel_does_with_kube_proxys_rules(version: str, scenario: str) -> None:
    captured = listing(f"{version}/{scenario}/nft-ruleset")
    with NftLaboratory(extra=(KUBE_NODE,)) as laboratory:
        assert laboratory.load(captured.text) == ""
        ruleset = read_dump(laboratory.saved()).nft
        assert ruleset is not None
        shots = _shots(captured.truth["families"]["IPv4"], laboratory.node_address)
        _compare(ruleset, random.Random(version).sample(shots, min(PACKETS, len(shots))), laboratory)


@pytest.mark.parametrize("place", ["ahead", "behind"])
@pytest.mark.parametrize("name", ["equal-priorities", "firewalld", "netavark", "nftables.conf", "policy-drop"])
def test_the_walker_predicts_what_the_kernel_does_beside_other_programs(name: str, place: str) -> None:
    text = read_archive("nft-neighbours")[f"{name}-{place}.txt"].decode()
    with NftLaboratory(extra=(KUBE_NODE,)) as laboratory:
        assert laboratory.load(text) == ""
        ruleset = read_dump(laboratory.saved()).nft
        assert ruleset is not None
        shots = _shots(listing("1.33/nodeport/nft-ruleset").truth["families"]["IPv4"], laboratory.node_address)
        _compare(ruleset, random.Random(name).sample(shots, 20), laboratory)


def _shots(services: list[dict[str, object]], node: str) -> list[Shot]:
    """Packets from a pod, from outside and from the node, to every address and node port of Services."""
    shots = []
    for service in services:
        protocol, port = str(service["protocol"]), service["port"]
        addresses = [service["cluster_ip"], *service["lb_ips"], *service["external_ips"]]  # type: ignore[misc]
        places = [(address, port) for address in addresses] + [(service["cluster_ip"], 999)]
        if service["node_port"]:
            places.append((KUBE_NODE, service["node_port"]))
        if service["affinity_seconds"] or protocol not in ("tcp", "udp"):
            continue
        for address, number in places:
            for origin, source in (("pod", _POD), ("external", _OUTSIDE), ("host", node)):
                shots.append(Shot(origin, source, str(address), protocol, int(number)))  # type: ignore[call-overload]
    return shots


def _compare(ruleset: nft.Ruleset, shots: list[Shot], laboratory: NftLaboratory) -> None:
    wrong = [
        f"{shot}: {said}"
        for shot, observed in zip(shots, laboratory.counts(shots, TIMES))
        if (said := disagreement(forecast(ruleset, shot, laboratory), observed, shot.origin != "host"))  # type: ignore[arg-type]
    ]
    assert not wrong, "\n".join(wrong[:8])


@pytest.mark.parametrize("seed", range(12))
def test_the_walker_predicts_what_the_kernel_does_with_random_rules(seed: int) -> None:
    luck = _Luck(seed)
    with NftLaboratory() as laboratory:
        _load_what_nft_takes(laboratory, luck.ruleset())
        ruleset = read_dump(laboratory.saved()).nft
        assert ruleset is not None
        _compare(ruleset, luck.shots(laboratory.node_address), laboratory)


def _load_what_nft_takes(laboratory: NftLaboratory, text: str) -> None:
    """Load rules without the lines that nft refuses: for protocols that exclude each other, for one."""
    lines = text.split("\n")
    for _ in lines:
        refused = laboratory.load("\n".join(lines))
        if not refused:
            return
        for number in {int(found) for found in re.findall(r"stdin:(\d+):", refused)}:
            lines[number - 2] = ""  # behind the line that flushes
    raise AssertionError(refused)


class _Luck(random.Random):
    """Rulesets and packets that are likely to meet."""

    addresses = ("10.96.0.1", "10.96.0.2", "10.97.0.1", "10.244.2.2")
    sources = (_POD, "10.244.1.198", _OUTSIDE)

    def shots(self, node: str) -> list[Shot]:
        """Packets from everywhere to what the rules are about."""
        return [
            Shot(origin, source, address, self.choice(("tcp", "udp")), self.choice((80, 81)))
            for address in self.addresses
            for origin, source in (("pod", _POD), ("external", _OUTSIDE), ("host", node))
        ]

    def ruleset(self) -> str:
        """A table of sets, maps, helpers and base chains, and another one beside it."""
        tables = {"ip a": ("filter", "nat"), "inet b": ("filter",)}
        text = ""
        for name, kinds in tables.items():
            bases = "".join(map(self._bases, kinds))
            text += f"table {name} {{\n{self._sets()}{self._helpers()}{bases}}}\n"
        return text

    def _sets(self) -> str:
        hosts = ", ".join(self.sample(self.addresses, 2))
        keys = [f"{address} . tcp . 80 : {self._verdict()}" for address in self.sample(self.addresses, 2)]
        return (
            f"set hosts {{ type ipv4_addr; elements = {{ {hosts} }}\n}}\n"
            "set nets { type ipv4_addr; flags interval; elements = { 10.96.0.0/16, 198.51.100.0-198.51.100.9 }\n}\n"
            f"map places {{ type ipv4_addr . inet_proto . inet_service : verdict; elements = {{ {', '.join(keys)} }}\n}}\n"
        )

    def _helpers(self) -> str:
        """Chains that come in order, each leading to later ones only."""
        return "".join(f"chain h{number} {{\n{self._rules(number)}}}\n" for number in (2, 1, 0))

    def _bases(self, kind: str) -> str:
        hooks = (
            ("prerouting", "output", "postrouting") if kind == "nat" else ("prerouting", "input", "forward", "output")
        )
        text = ""
        for hook in self.sample(hooks, 2):
            priority = self.choice((-150, -100, 0, 100)) if kind == "filter" else {"postrouting": 100}.get(hook, -100)
            rules = self._rules(-1) + (self._nat(hook) if kind == "nat" else "")
            text += f"chain {kind}-{hook} {{ type {kind} hook {hook} priority {priority}; policy accept;\n{rules}}}\n"
        return text

    def _nat(self, hook: str) -> str:
        if hook == "postrouting":
            return f"{self._match()} masquerade fully-random\n"
        two = self.choice(("10.244.3.1 . 8080, 1 : 10.244.3.2 . 8081", "10.244.3.1 . 80, 1 : 10.244.3.3 . 81"))
        return (
            f"{self._match()} meta l4proto tcp dnat to numgen random mod 2 map {{ 0 : {two} }}\n"
            f"{self._match()} meta l4proto udp dnat to 10.244.3.9:{self.choice((80, 53))}\n"
        )

    def _rules(self, number: int) -> str:
        return "".join(f"{self._rule(number)}\n" for _ in range(self.randint(1, 4)))

    def _rule(self, number: int) -> str:
        words = [self._match() for _ in range(self.randint(0, 2))]
        if self.random() < 0.4:
            words.insert(self.randint(0, len(words)), self.choice(("meta mark set 0x1", "meta mark set meta mark | 0x4000",
                                                                  "meta mark set meta mark ^ 0x1", "counter")))  # fmt: skip
        return " ".join((*words, self._verdict(number)))

    def _match(self) -> str:
        address, network = self.choice(self.addresses), self.choice(("10.96.0.0/16", "10.244.0.0/16"))
        return self.choice((
            f"ip daddr {address}", f"ip daddr != {address}", f"ip saddr {network}", f"ip saddr != {network}",
            f"ip saddr {{ {self.choice(self.sources)}, 10.0.0.1 }}", "ip daddr @hosts", "ip daddr != @hosts",
            "ip saddr @nets", "ip daddr . tcp dport { 10.96.0.1 . 80, 10.96.0.0/24 . 81 }", "tcp dport 80", "udp dport != 80",
            "th dport { 79-80 }", "meta l4proto { tcp, udp }", 'iifname "cni0"', 'iifname != "cni0"', 'oifname "snk*"',
            "ct state new", "ct state established,related", "ct direction original", "ct status dnat",
            "ct status != dnat", "ct status ! dnat", "ct status & (snat | dnat) == 0", "tcp flags ! fin,rst",
            "meta mark & 0x4000 == 0x4000", "meta mark != 0x1", "meta mark 0x0-0x3fff", "meta mark & 0x80000000 == 0",
            "fib saddr type local", "fib daddr type != local", "numgen random mod 4 < 3", "tcp flags syn",
            "ip protocol tcp", "meta nfproto ipv4", "ip6 daddr fd00::1", "meta pkttype host", "ct original ip daddr 10.96.0.1",
        ))  # fmt: skip

    def _verdict(self, number: int = 2) -> str:
        leaps = [f"{word} h{later}" for later in range(number + 1, 3) for word in ("jump", "goto")]
        plain = ["accept", "return", "continue", "drop", "accept"]
        if number < 2 and self.random() < 0.15:
            return "ip daddr . meta l4proto . th dport vmap @places"
        if leaps and self.random() < 0.15:
            return f"numgen random mod 2 vmap {{ 0 : {self.choice(leaps)}, 1 : {self.choice(plain)} }}"
        return self.choice(leaps * 2 + plain) if self.random() < 0.9 else "counter"
