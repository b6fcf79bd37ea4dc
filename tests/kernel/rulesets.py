"""Random rulesets from a seed: every hook and table, jumps and gotos, marks, NAT, all matches that depend on the packet.

Rules use the addresses and ports of `packets`, so that most of them match something.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.kernel.laboratory import Shot

_HOOKS = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
}
_PORTS = (53, 80, 443, 8080, 30080)


@dataclass(frozen=True)
class Addresses:
    """The addresses in packets and rules."""

    pods: Sequence[str]
    outside: Sequence[str]
    services: Sequence[str]
    backends: Sequence[str]
    node: str
    also_local: str
    translated: str
    networks: Sequence[str]
    length: int


IPV4 = Addresses(
    pods=("10.244.1.5", "10.244.1.6"),
    outside=("198.51.100.7",),
    services=("10.96.0.10", "10.96.0.11", "203.0.113.9"),
    backends=("10.244.2.7", "10.244.2.8", "10.0.0.9", "10.244.1.5"),
    node="192.0.2.10",
    also_local="10.0.0.9",
    translated="192.0.2.77",
    networks=("10.244.0.0/16", "10.244.1.0/24", "198.51.100.0/24", "10.96.0.0/12", "10.0.0.0/255.0.255.0"),
    length=32,
)
IPV6 = Addresses(
    pods=("fd00:10:244:1::5", "fd00:10:244:1::6"),
    outside=("2001:db8::7",),
    services=("fd00:10:96::10", "fd00:10:96::11", "2001:db8:1::9"),
    backends=("fd00:10:244:2::7", "fd00:10:244:2::8", "fd00:a::9", "fd00:10:244:1::5"),
    node="fd00:ffff::a",
    also_local="fd00:a::9",
    translated="fd00:ffff::77",
    networks=("fd00:10:244::/48", "fd00:10:244:1::/64", "2001:db8::/64", "fd00:10:96::/112"),
    length=128,
)


def packets(addresses: Addresses, chance: random.Random, count: int) -> list[Shot]:
    """Packets from pods, outside and the node to services, backends and the node."""
    shots = []
    for _ in range(count):
        origin = chance.choice(("pod", "pod", "external", "host"))
        source = {"pod": addresses.pods, "external": addresses.outside, "host": (addresses.node,)}[origin]
        destination = chance.choice((*addresses.services, *addresses.services, *addresses.backends, addresses.node))
        shots.append(
            Shot(origin, chance.choice(source), destination, chance.choice(("tcp", "udp")), chance.choice(_PORTS))
        )
    return shots


def ruleset(addresses: Addresses, chance: random.Random) -> str:
    """Input for iptables-restore."""
    return "".join(_Table(name, addresses, chance).text() for name in _HOOKS)


@dataclass
class _Table:
    name: str
    addresses: Addresses
    chance: random.Random
    rules: list[str] = field(default_factory=list)

    def text(self) -> str:
        lines = [f"*{self.name}"]
        for hook in _HOOKS[self.name]:
            policy = "DROP" if self.name == "filter" and self.chance.random() < 0.2 else "ACCEPT"
            lines.append(f":{hook} {policy} [0:0]")
        users: list[str] = []
        for hook in _HOOKS[self.name]:
            users.extend(self._fill(hook))
        lines.extend(f":{user} - [0:0]" for user in users)
        return "\n".join([*lines, *self.rules, "COMMIT", ""])

    def _fill(self, hook: str) -> list[str]:
        """Fill a built-in chain, and chains of its own that jump only to later ones."""
        users = [f"{hook[:4]}-{number}" for number in range(self.chance.randint(0, 3))]
        for place, chain in enumerate((hook, *users)):
            for _ in range(self.chance.randint(1, 5)):
                self.rules.append(self._rule(chain, hook, users[place:]))
        return users

    def _rule(self, chain: str, hook: str, below: Sequence[str]) -> str:
        protocol = self.chance.choice(("", "", "tcp", "udp"))
        target = self._target(hook, below, protocol)
        if (
            ("--to" in target and ":" in target.replace("::", "") and not protocol)
            or "REDIRECT" in target
            or "tcp-reset" in target
        ):
            protocol = "tcp" if "tcp-reset" in target else protocol or self.chance.choice(("tcp", "udp"))
        parts = [f"-A {chain}", *self._core(hook, protocol)]
        matches = [self._match(hook, protocol) for _ in range(self.chance.choice((0, 0, 1, 1, 2)))]
        # iptables-nft-save omits a second `-m tcp`, which would change the rule.
        parts.extend({match.split()[1]: match for match in matches}.values())
        return " ".join(part for part in (*parts, target) if part)

    def _core(self, hook: str, protocol: str) -> list[str]:
        a, chance, parts = self.addresses, self.chance, []
        if chance.random() < 0.25:
            parts.append(self._maybe_not() + f"-s {chance.choice((*a.pods, *a.outside, a.node, *a.networks))}")
        if chance.random() < 0.3:
            parts.append(self._maybe_not() + f"-d {chance.choice((*a.services, *a.backends, *a.networks))}")
        if chance.random() < 0.15 and hook in ("PREROUTING", "INPUT", "FORWARD"):
            parts.append(self._maybe_not() + f"-i {chance.choice(('cni0', 'eth0', 'cni+', 'lo', 'e+'))}")
        if chance.random() < 0.15 and hook in ("FORWARD", "OUTPUT", "POSTROUTING"):
            parts.append(self._maybe_not() + f"-o {chance.choice(('snk0', 'snk+', 'lo', 'cni0'))}")
        if protocol:
            parts.append(f"-p {protocol}")
        return parts

    def _match(self, hook: str, protocol: str) -> str:
        chance, a = self.chance, self.addresses
        choices: list[Callable[[], str]] = [
            lambda: (
                f"-m statistic --mode random {self._maybe_not()}--probability {chance.choice(('0.5', '0.33333333349', '.25', '0.9'))}"
            ),
            lambda: f"-m mark {self._maybe_not()}--mark {self._mark()}",
            lambda: f"-m connmark {self._maybe_not()}--mark {self._mark()}",
            lambda: (
                f"-m conntrack {self._maybe_not()}--ctstate {chance.choice(('NEW', 'ESTABLISHED,RELATED', 'DNAT', 'INVALID', 'NEW,DNAT', 'UNTRACKED'))}"
            ),
            lambda: f"-m conntrack {self._maybe_not()}--ctorigdst {chance.choice(a.services)}",
            lambda: (
                f"-m addrtype {self._maybe_not()}--dst-type {chance.choice(('LOCAL', 'UNICAST', 'LOCAL,UNICAST', 'MULTICAST'))}"
            ),
            lambda: f"-m addrtype {self._maybe_not()}--src-type LOCAL",
            lambda: f"-m iprange {self._maybe_not()}--src-range {a.pods[0]}-{a.pods[1]}",
            lambda: '-m comment --comment "any words: here"',
        ]
        if protocol:
            choices += 2 * [
                lambda: (
                    f"-m {protocol} {self._maybe_not()}--dport {chance.choice(('80', '443', '1:100', '8080:', '30080'))}"
                ),
                lambda: f"-m multiport {self._maybe_not()}--dports {chance.choice(('80,443', '53,8000:9000'))}",
            ]
        if protocol == "tcp":
            choices.append(
                lambda: f"-m tcp {self._maybe_not()}--tcp-flags FIN,SYN,RST,ACK {chance.choice(('SYN', 'ACK'))}"
            )
        if hook in ("PREROUTING", "INPUT", "FORWARD"):
            choices.append(lambda: f"-m physdev {self._maybe_not()}--physdev-is-in")
        return chance.choice(choices)()

    def _target(self, hook: str, below: Sequence[str], protocol: str) -> str:
        chance = self.chance
        if below and chance.random() < 0.4:
            return f"-{chance.choice('jjg')} {chance.choice(below)}"
        general = [
            "-j RETURN",
            "-j ACCEPT",
            "",
            f"-j MARK {self._mark_change()}",
            f"-j CONNMARK {self._connmark_change()}",
        ]
        if self.name == "nat":
            return chance.choice(general + self._nat_targets(hook, protocol))
        if self.name == "raw":
            return chance.choice(
                ["-j RETURN", "-j ACCEPT", "-j MARK --set-xmark 0x1/0x1"] * 3 + ["-j NOTRACK", "-j CT --notrack"]
            )
        stops = ["-j DROP"]
        if self.name == "filter":
            stops += ["-j REJECT", "-j REJECT --reject-with tcp-reset"]
        return chance.choice(general * 2 + stops)

    def _nat_targets(self, hook: str, protocol: str) -> list[str]:
        a, chance = self.addresses, self.chance
        host = chance.choice(a.backends)
        if hook in ("PREROUTING", "OUTPUT"):
            with_port = f"[{host}]:{chance.choice(_PORTS)}" if a.length == 128 else f"{host}:{chance.choice(_PORTS)}"
            ports = with_port.rpartition(":")[0] + ":8000-8003"
            span = f"{a.backends[0]}-{a.backends[1]}"
            return [
                f"-j DNAT --to-destination {with_port}",
                f"-j DNAT --to-destination {with_port}",
                f"-j DNAT --to-destination {host}",
                f"-j DNAT --to-destination {ports}",
                f"-j DNAT --to-destination {ports} --random",
                f"-j DNAT --to-destination {span}",
                f"-j DNAT --to-destination {span} --persistent",
                f"-j REDIRECT --to-ports {chance.choice(_PORTS)}",
                f"-j NETMAP --to {a.backends[0]}/{a.length - 8}",
            ]
        to = f"-j SNAT --to-source {a.translated}"
        if hook == "INPUT":
            return [to]
        return [to, to, f"-j NETMAP --to {a.translated}/{a.length - 8}"]

    def _maybe_not(self) -> str:
        return "! " if self.chance.random() < 0.3 else ""

    def _mark(self) -> str:
        return self.chance.choice(("0x1/0x1", "0x2/0x2", "0x0/0x3", "0x3", "0x1/0xffff", "0x0"))

    def _mark_change(self) -> str:
        return self.chance.choice(
            ("--set-xmark 0x1/0x1", "--set-xmark 0x2/0x2", "--set-xmark 0x1/0x0", "--set-xmark 0x0/0xffffffff",
             "--or-mark 0x2", "--and-mark 0x1", "--xor-mark 0x3", "--set-mark 0x3/0x1")
        )  # fmt: skip

    def _connmark_change(self) -> str:
        return self.chance.choice(
            ("--save-mark", "--restore-mark", "--set-xmark 0x1/0x1", "--set-mark 0x2",
             "--save-mark --nfmask 0x1 --ctmask 0x3", "--restore-mark --nfmask 0x2 --ctmask 0x3")
        )  # fmt: skip
