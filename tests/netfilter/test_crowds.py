"""A crowd of packets fares as each of its packets does alone, whatever rules send them apart and together again."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from fractions import Fraction

import pytest

from ipt_explain.model import Dump, Family
from ipt_explain.netfilter.hooks import Hook
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.netfilter.truth import Truth
from ipt_explain.netfilter.walk.journey import Journey
from ipt_explain.netfilter.walk.stages import NodeRules
from ipt_explain.netfilter.whereabouts import Whereabouts
from ipt_explain.trace.packet import Packet, node_around
from tests.trace.helpers import save

_VIPS = [f"10.96.0.{number}" for number in range(1, 41)]
_PODS = [f"10.244.1.{number}" for number in range(1, 9)]
_NODE_PORT = Heading(Whereabouts("the node", Family.IPV4, within=((0xC0000200, 0xFFFFFF00),), owned=Truth.YES), 80)
_OWN = Heading(0xC000020A, 80)
_CHANCES = ("0.50000000000", "0.33333333349", "0.25000000000")
_QUESTIONS = (
    "-m set --match-set a src", "-m time --weekdays Sat", "-m limit --limit 5/sec", "! -i eth7", "-m set --match-set b dst"
)  # fmt: skip
_MASQ, _HTTP = "-j MARK --set-xmark 0x1/0x1", "-p tcp -m tcp --dport"


class _Rules:
    """Random rules in the manner of kube-proxy, with what others may add."""

    def __init__(self, seed: int, questions: bool, services: int) -> None:
        self._random = random.Random(seed)
        self._questions = _QUESTIONS if questions else ()
        self.sent = [
            Heading(0x0A600000 + number, self._random.choice((53, 80, 80, 443))) for number in range(1, services + 1)
        ]
        self.lines: list[str] = []
        self._nat()
        for table, chain in (
            ("mangle", "PREROUTING"), ("filter", "FORWARD"), ("filter", "INPUT"), ("mangle", "POSTROUTING")
        ):  # fmt: skip
            self._others(table, chain, _VIPS[:services] if chain == "PREROUTING" else _PODS)

    @property
    def dump(self) -> Dump:
        return save("\n".join(self.lines))

    def _of(self, *texts: str) -> str:
        return self._random.choice(texts)

    def _conditions(self, addresses: Sequence[str]) -> str:
        """What looks at the destination, or at what all packets have in common."""
        host, port, chance = f"-d {self._of(*addresses)}/32", self._of("53", "80", "443"), self._of(*_CHANCES)
        return self._of(
            "", host, f"! {host}", "-d 10.96.0.0/30", "-p udp", "-s 10.244.9.9/32", f"{_HTTP} {port}", f"{host} {_HTTP} {port}",
            f"-p tcp -m multiport --dports {port},9153", f"-m mark --mark 0x{self._of('1', '2')}/0x{self._of('1', '2', '3')}",
            "-m mark ! --mark 0x1/0x1", f"-p tcp -m conntrack --ctorigdst {self._of(*_VIPS)} --ctorigdstport {port}",
            "-m conntrack --ctstate DNAT", f"-m statistic --mode random --probability {chance}",
            f"{host} -m statistic --mode random --probability {chance}", "-m addrtype --dst-type LOCAL",
            "-m addrtype ! --dst-type UNICAST", "-m addrtype --src-type LOCAL --dst-type UNICAST", *self._questions,
        )  # fmt: skip

    def _mark(self) -> str:
        return self._of(_MASQ, "-j MARK --or-mark 0x2", "-j MARK --xor-mark 0x3", "-j CONNMARK --save-mark")

    def _marks(self, chain: str, addresses: Sequence[str], most: int) -> None:
        for _ in range(self._random.randint(0, most)):
            self.lines.append(f"{chain} {self._conditions(addresses)} {self._mark()}")

    def _nat(self) -> None:
        """Services of a few layouts: their packets are in different chains of one layout at a time."""
        self._marks("nat -A PREROUTING", _VIPS, 2)
        self.lines.append("nat -A PREROUTING -j SERVICES")
        layouts = [(self._random.randint(1, 3), self._random.random() < 0.5, self._of("", "", "-s 10.244.0.0/16 ")) for _ in range(3)]
        for number, heading in enumerate(self.sent):
            kind = self._random.randrange(3)
            endpoints, marked, among = layouts[kind]
            front, chain = f"-d {_VIPS[number]}/32 {_HTTP} {heading.port}", f"nat -A SVC-{number}"
            self.lines.append(f"nat -A SERVICES {front} -j SVC-{number}")
            if self._random.random() < 0.15:
                self._marks("nat -A SERVICES", _VIPS, 1)
            if marked:
                self.lines.append(f"{chain} ! -s 10.244.0.0/16 {front} -j MASQ")
            if kind == 2:
                self.lines.append(f"{chain} -m statistic --mode random --probability {self._of(*_CHANCES)} -j COMMON")
            for place in range(endpoints):
                self._endpoint(number, place, endpoints, among, kind == 1)
        self.lines.append(f"nat -A MASQ {_MASQ}")
        self._marks("nat -A COMMON", _VIPS, 3)
        among = self._of("", "-s 10.244.0.0/16 ", f"-d {self._of(*_VIPS)}/32 ")
        for number, chance in enumerate(_CHANCES):
            self.lines.append(f"nat -A COMMON {among}-m statistic --mode random --probability {chance} -j PART-{number}")
            self.lines.append(f"nat -A PART-{number} {self._conditions(_VIPS)} {self._mark()}")
        self.lines.append(f"nat -A COMMON {self._conditions(_VIPS)} -j {self._of('RETURN', 'ACCEPT', 'MASQ')}")
        self.lines.append(f"nat -A POSTROUTING {self._conditions(_PODS)} -m mark --mark 0x1/0x1 -j MASQUERADE")

    def _endpoint(self, number: int, place: int, endpoints: int, among: str, common: bool) -> None:
        """A rule of a balancer, and the chain that it leads to, from which some packets may come back."""
        chance = f"-m statistic --mode random --probability {1 / (endpoints - place):.11f} "
        last, own = place + 1 == endpoints, f"nat -A SEP-{number}-{place}"
        how, pod = self._of("-j", "-j", "-j", "-g"), self._of(*_PODS)
        self.lines.append(f"nat -A SVC-{number} {'' if last else among + chance}{how} SEP-{number}-{place}")
        self.lines.append(f"{own} -s {pod}/32 -j MASQ")
        if common:
            self.lines.append(f"{own} -j COMMON")
        some = self._of("", "", "", "-m statistic --mode random --probability 0.50000000000 ", f"-d {self._of(*_VIPS)}/32 ")
        target = self._of(f"{pod}:8080", f"{pod}:8080", pod, f"{pod}-{pod[:-1]}9")
        self.lines.append(f"{own} {some}-p tcp -m tcp -j DNAT --to-destination {target}")

    def _others(self, table: str, chain: str, addresses: Sequence[str]) -> None:
        self._marks(f"{table} -A {chain}", addresses, 2)
        self.lines.append(f"{table} -A {chain} {self._conditions(addresses)} {self._of('-j', '-g')} {chain}-1")
        for own, onward in ((f"{chain}-1", [f"-j {chain}-2"] * 3), (f"{chain}-2", [])):
            for _ in range(self._random.randint(1, 4)):
                ending = self._of("-j DROP", "-j RETURN", "-j ACCEPT", self._mark(), *onward)
                self.lines.append(f"{table} -A {own} {self._conditions(addresses)} {ending}")
            self.lines += [f"{table} -A {own} {each}" for each in onward[:1]]
        for _ in range(self._random.choice((0, 0, 50))):  # long chains are asked by address and port
            host = f"-d {self._of(*addresses)}/32 {_HTTP} {self._of('8080', '80', '443')}"
            some = self._of("", "", "", "-m statistic --mode random --probability 0.50000000000 ", "-m mark --mark 0x1/0x1 ")
            ending = self._of(self._mark(), self._mark(), "-j DROP", f"-j {chain}-2")
            self.lines.append(f"{table} -A {chain} {host} {some}{ending}")
        self._marks(f"{table} -A {chain}", addresses, 1)


def _start() -> PacketState:
    connection = Packet("10.244.9.9", "10.96.0.1", "tcp", 80, in_interface="cni0").connection()
    node = node_around(Family.IPV4, ["192.0.2.10"], "eth0", ())
    return PacketState(connection, node, Hook.PREROUTING, connection.source, connection.source_port, "cni0")


def _fates(dump: Dump, sent: Sequence[Heading]) -> Iterator[dict[Hashable, Fraction]]:
    """How each packet ends: the share of each verdict, destination, mark and so on, and of the rule that stops it."""
    journey = Journey(NodeRules(dump.rulesets, Family.IPV4), sent)
    journey.begin(_start())
    found: list[dict[Hashable, Fraction]] = [defaultdict(Fraction) for _ in sent]
    for finish, packets in journey.ends():
        state = finish.state
        for row, (who, to, share) in enumerate(zip(packets.who, packets.to, packets.shares)):
            path = packets.path(row)
            last = path.last() if path is not None and finish.verdict is not Verdict.ACCEPT else None
            stopped = None if last is None else (last.table, last.chain.name, last.line)
            key = finish.verdict, to, state.mark, state.connmark, state.source_decided, state.dnat, stopped
            found[who][key] += Fraction(share)
    yield from found


@pytest.mark.parametrize("seed", range(40))
def test_each_of_a_crowd_fares_as_if_alone(seed: int) -> None:
    rules = _Rules(seed, questions=seed % 4 == 3, services=8 if seed % 2 else 40)
    dump, sent = rules.dump, [*rules.sent, _OWN if seed % 3 else _NODE_PORT]
    for heading, together in list(zip(sent, _fates(dump, sent)))[:: 1 if seed % 2 else 4]:
        (alone,) = _fates(dump, [heading])
        assert sum(together.values()) == pytest.approx(1)
        assert {key: float(share) for key, share in together.items()} == pytest.approx(
            {key: float(share) for key, share in alone.items()}, abs=1e-9
        )


@pytest.mark.parametrize("seed", range(6))
def test_a_way_leads_into_the_chains_that_its_steps_jump_to(seed: int) -> None:
    rules = _Rules(seed, questions=False, services=8)
    journey = Journey(NodeRules(rules.dump.rulesets, Family.IPV4), rules.sent)
    journey.begin(_start())
    paths = [packets.path(row) for _, packets in journey.ends() for row in range(0, len(packets), 3)]
    names = {chain.name for table in rules.dump.rulesets[0].tables.values() for chain in table.chains.values()}
    for path in filter(None, paths):
        entered = {step.into.name for step in path.steps() if step.into is not None}
        assert {name for name in names if path.enters(name)} == entered
    assert len(names) > 20


def test_each_rule_with_a_limit_counts_packets_of_its_own() -> None:
    """Forty chains of one layout are asked together, but no limit of one of them is another's."""
    limit, lines = "-m limit --limit 5/sec", []
    for number, vip in enumerate(_VIPS):
        lines += [
            f"nat -A PREROUTING -d {vip}/32 {_HTTP} 80 -j SVC-{number}",
            f"nat -A SVC-{number} {limit} -j RETURN",
            f"nat -A SVC-{number} -p tcp -j DNAT --to-destination 10.244.1.1:80",
        ]
    dump, sent = save("\n".join(lines)), [Heading(0x0A600000 + number, 80) for number in range(1, 41)]
    journey = Journey(NodeRules(dump.rulesets, Family.IPV4), sent)
    journey.begin(_start())
    asked: dict[int, set[str]] = defaultdict(set)
    for finish, packets in journey.ends():
        for who in packets.who:
            asked[who].update(each.question for each in finish.state.answers)
    nat = dump.rulesets[0].tables["nat"]
    own = [nat.chains[f"SVC-{number}"].rules[0].line for number in range(len(sent))]
    assert asked == {number: {f"{limit} (line {line})"} for number, line in enumerate(own)}


@pytest.mark.parametrize("jumps", [{0: "SVC-1"}, {0: "SVC-1", 1: "SVC-2"}, {0: "SVC-1", 1: "SVC-0", 2: "SVC-0"}])
def test_chains_of_one_layout_that_jump_to_each_other_are_a_loop_only_to_packets_that_come_back(
    jumps: dict[int, str],
) -> None:
    lines = []
    for number, vip in enumerate(_VIPS):
        lines += [
            f"nat -A PREROUTING -d {vip}/32 {_HTTP} 80 -j SVC-{number}",
            f"nat -A SVC-{number} -j {jumps.get(number, f'SEP-{number}')}",
            f"nat -A SEP-{number} -p tcp -j DNAT --to-destination 10.244.1.{number}:80",
        ]
    dump, sent = save("\n".join(lines)), [Heading(0x0A600000 + number, 80) for number in range(1, 41)]
    together = list(_fates(dump, sent))
    assert together == [fates for heading in sent for fates in _fates(dump, [heading])]
    looping = {number for number, fates in enumerate(together) if any(key[0] is Verdict.UNKNOWN for key in fates)}
    assert looping == ({0, 1, 2} if jumps.get(1) == "SVC-0" else set())
