"""Healthy dumps made unhealthy, one fault at a time, by someone who does not know what the audit looks for.

Each mutation changes what happens to traffic and names where that shows: the chain it touches, or the service it
hurts. They are drawn with a seed, so that a failure can be repeated.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

_RULE = re.compile(r"-A (\S+)")
_TARGET = re.compile(r" -[jg] (\S+)")
_PROBABILITY = re.compile(r"--probability (\S+)")
_SOURCE = re.compile(r"-s (\d+\.\d+\.\d+)\.(\d+)/32")
_DESTINATION = re.compile(r"--to-destination (\d+\.\d+\.\d+)\.(\d+):(\d+)")
_NAME = re.compile(r'--comment "([^"/ ]+/[^" ]+)')


@dataclass(frozen=True)
class Line:
    """A line of a dump, and the table that it stands in."""

    table: str
    text: str

    @property
    def chain(self) -> str:
        """The chain of a rule; "" for other lines."""
        found = _RULE.match(self.text)
        return found[1] if found else ""

    @property
    def target(self) -> str:
        """Where a rule leads; "" where it has no target."""
        found = _TARGET.search(self.text)
        return found[1] if found else ""

    @property
    def service(self) -> str:
        """The service port that the comment names."""
        found = _NAME.search(self.text)
        return found[1].rstrip(":") if found else ""


@dataclass(frozen=True)
class Mutation:
    """A dump with one fault. A finding about one of `chains` or `services` is a hit."""

    name: str
    text: str
    chains: frozenset[str]
    services: frozenset[str]
    what: str


class Dump:
    """The lines of a dump, to be cut and bent."""

    def __init__(self, lines: list[Line]) -> None:
        self.lines = lines

    @classmethod
    def of(cls, text: str) -> Dump:
        table = ""
        lines = []
        for line in text.splitlines():
            if line.startswith("*"):
                table = line[1:]
            lines.append(Line(table, line))
        return cls(lines)

    def where(self, wanted: Callable[[Line], bool]) -> list[int]:
        """The places of the rules that are wanted."""
        return [place for place, line in enumerate(self.lines) if line.chain and wanted(line)]

    def rules(self, table: str, chain: str) -> list[int]:
        return self.where(lambda line: line.table == table and line.chain == chain)

    def chains(self, prefix: str) -> list[str]:
        return sorted({line.chain for line in self.lines if line.chain.startswith(prefix)})

    def edited(self, name: str, places: dict[int, list[str]], *touched: int) -> Mutation:
        """The mutation that puts other lines in some places (none: deletes them)."""
        text: list[str] = []
        for place, line in enumerate(self.lines):
            text += places.get(place, [line.text])
        involved = [self.lines[place] for place in (*places, *touched)]
        chains = {line.chain for line in involved} | {
            line.target for line in involved if line.target.startswith(("KUBE-S", "KUBE-E", "KUBE-F", "KUBE-X"))
        }
        services = {line.service for line in involved if line.service}
        what = " | ".join(line.text for line in involved[:2])
        return Mutation(name, "\n".join(text) + "\n", frozenset(chains - {""}), frozenset(services), what)


Mutator = Callable[[Dump, random.Random], Mutation | None]
MUTATORS: dict[str, Mutator] = {}


def mutator(function: Mutator) -> Mutator:
    MUTATORS[function.__name__] = function
    return function


def _pick(rng: random.Random, places: list[int]) -> int | None:
    return rng.choice(places) if places else None


def _delete(dump: Dump, rng: random.Random, name: str, wanted: Callable[[Line], bool]) -> Mutation | None:
    place = _pick(rng, dump.where(wanted))
    return None if place is None else dump.edited(name, {place: []})


def _change(
    dump: Dump, rng: random.Random, name: str, wanted: Callable[[Line], bool], change: Callable[[str], str]
) -> Mutation | None:
    place = _pick(
        rng, [place for place in dump.where(wanted) if change(dump.lines[place].text) != dump.lines[place].text]
    )
    return None if place is None else dump.edited(name, {place: [change(dump.lines[place].text)]})


def _balancing(dump: Dump, rng: random.Random, at_least: int) -> list[int] | None:
    """The rules of one balancing chain that pick among several endpoints, in order."""
    chains = dump.chains("KUBE-SVC-") + dump.chains("KUBE-SVL-")
    rng.shuffle(chains)
    for chain in chains:
        rules = [
            place
            for place in dump.rules("nat", chain)
            if dump.lines[place].target.startswith("KUBE-SEP-") and "--rcheck" not in dump.lines[place].text
        ]
        if len(rules) >= at_least:
            return rules
    return None


def _hook(table: str, *chains: str) -> Callable[[Line], bool]:
    return lambda line: line.table == table and line.chain in chains and line.target.startswith("KUBE-")


# --- hooks ------------------------------------------------------------------------------------------------------------


@mutator
def nat_hook_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(dump, rng, "nat_hook_deleted", _hook("nat", "PREROUTING", "OUTPUT", "POSTROUTING"))


@mutator
def nat_hook_goto(dump: Dump, rng: random.Random) -> Mutation | None:
    return _change(
        dump, rng, "nat_hook_goto", _hook("nat", "PREROUTING", "OUTPUT"), lambda text: text.replace(" -j ", " -g ")
    )


@mutator
def nat_hook_narrowed(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = _hook("nat", "PREROUTING", "OUTPUT")
    return _change(
        dump, rng, "nat_hook_narrowed", wanted, lambda text: re.sub(r"^(-A \S+)", r"\1 -s 10.99.0.0/16", text)
    )


@mutator
def nat_hook_preceded(dump: Dump, rng: random.Random) -> Mutation | None:
    place = _pick(rng, dump.where(_hook("nat", "PREROUTING", "OUTPUT")))
    if place is None:
        return None
    line = dump.lines[place]
    target = rng.choice(["ACCEPT", "RETURN"])
    return dump.edited("nat_hook_preceded", {place: [f"-A {line.chain} -p tcp -j {target}", line.text]})


@mutator
def filter_hook_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = _hook("filter", "INPUT", "FORWARD", "OUTPUT")
    return _delete(dump, rng, "filter_hook_deleted", lambda line: wanted(line) and line.target != "KUBE-FIREWALL")


# --- balancing --------------------------------------------------------------------------------------------------------


@mutator
def last_endpoint_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 2)
    return None if rules is None else dump.edited("last_endpoint_deleted", {rules[-1]: []}, rules[0])


@mutator
def middle_endpoint_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 3)
    return None if rules is None else dump.edited("middle_endpoint_deleted", {rules[1]: []}, rules[0])


@mutator
def probability_changed(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 2)
    if rules is None:
        return None
    place = rng.choice(rules[:-1])
    value = rng.choice(["0.90000000000", "0.05000000000", "0.61803398886"])
    return dump.edited(
        "probability_changed", {place: [_PROBABILITY.sub(f"--probability {value}", dump.lines[place].text)]}
    )


@mutator
def probability_zero_or_one(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 2)
    if rules is None:
        return None
    place = rng.choice(rules[:-1])
    value = rng.choice(["0.00000000000", "1.00000000000"])
    text = _PROBABILITY.sub(f"--probability {value}", dump.lines[place].text)
    return dump.edited("probability_zero_or_one", {place: [text]})


@mutator
def last_endpoint_made_random(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 1)
    if rules is None:
        return None
    text = dump.lines[rules[-1]].text.replace(" -j ", " -m statistic --mode random --probability 0.50000000000 -j ")
    return dump.edited("last_endpoint_made_random", {rules[-1]: [text]})


@mutator
def probability_removed(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 2)
    if rules is None:
        return None
    place = rng.choice(rules[:-1])
    text = re.sub(r" -m statistic --mode random --probability \S+", "", dump.lines[place].text)
    return dump.edited("probability_removed", {place: [text]})


@mutator
def endpoints_swapped(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 3)
    if rules is None:
        return None
    first, second = rules[:2]
    return dump.edited("endpoints_swapped", {first: [dump.lines[second].text], second: [dump.lines[first].text]})


@mutator
def endpoint_repeated(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 3)
    if rules is None:
        return None
    text = dump.lines[rules[1]].text.replace(dump.lines[rules[1]].target, dump.lines[rules[0]].target)
    return dump.edited("endpoint_repeated", {rules[1]: [text]})


@mutator
def endpoint_of_another_service(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 1)
    if rules is None:
        return None
    place = rng.choice(rules)
    strangers = [
        line.target
        for line in dump.lines
        if line.target.startswith("KUBE-SEP-") and line.chain[-16:] != dump.lines[place].chain[-16:]
    ]
    own = {dump.lines[rule].target for rule in rules}
    strangers = [chain for chain in strangers if chain not in own]
    if not strangers:
        return None
    text = dump.lines[place].text.replace(dump.lines[place].target, rng.choice(strangers))
    return dump.edited("endpoint_of_another_service", {place: [text]})


@mutator
def chain_returns_early(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 1)
    if rules is None:
        return None
    line = dump.lines[rules[0]]
    return dump.edited(
        "chain_returns_early", {rules[0]: [f"-A {line.chain} -p {_protocol(line)} -j RETURN", line.text]}
    )


def _protocol(line: Line) -> str:
    found = re.search(r"-p (\S+)", line.text)
    return found[1] if found else "tcp"


# --- endpoints --------------------------------------------------------------------------------------------------------


def _of_endpoint(line: Line) -> bool:
    return line.table == "nat" and line.chain.startswith("KUBE-SEP-")


@mutator
def hairpin_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(dump, rng, "hairpin_deleted", lambda line: _of_endpoint(line) and line.target == "KUBE-MARK-MASQ")


@mutator
def hairpin_of_another_address(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return _SOURCE.sub(lambda found: f"-s {found[1]}.{(int(found[2]) + 77) % 250 + 1}/32", text)

    wanted = lambda line: _of_endpoint(line) and line.target == "KUBE-MARK-MASQ"  # noqa: E731
    return _change(dump, rng, "hairpin_of_another_address", wanted, other)


@mutator
def hairpin_behind_dnat(dump: Dump, rng: random.Random) -> Mutation | None:
    chains = dump.chains("KUBE-SEP-")
    if not chains:
        return None
    rules = dump.rules("nat", rng.choice(chains))
    if len(rules) != 2:
        return None
    mark, dnat = rules
    return dump.edited("hairpin_behind_dnat", {mark: [dump.lines[dnat].text], dnat: [dump.lines[mark].text]})


@mutator
def endpoint_address_changed(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return _DESTINATION.sub(
            lambda found: f"--to-destination {found[1]}.{(int(found[2]) + 77) % 250 + 1}:{found[3]}", text
        )

    return _change(dump, rng, "endpoint_address_changed", _of_endpoint, other)


@mutator
def endpoint_port_zero(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return _DESTINATION.sub(r"--to-destination \1.\2:0", text)

    return _change(dump, rng, "endpoint_port_zero", _of_endpoint, other)


@mutator
def dnat_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(dump, rng, "dnat_deleted", lambda line: _of_endpoint(line) and line.target == "DNAT")


@mutator
def dnat_of_another_protocol(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return text.replace("-p tcp", "-p udp").replace("-m tcp", "-m udp")

    return _change(
        dump, rng, "dnat_of_another_protocol", lambda line: _of_endpoint(line) and line.target == "DNAT", other
    )


# --- affinity ---------------------------------------------------------------------------------------------------------


@mutator
def affinity_set_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return re.sub(r" -m recent --set --name \S+ --mask \S+ --rsource", "", text)

    return _change(dump, rng, "affinity_set_deleted", _of_endpoint, other)


@mutator
def affinity_check_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(dump, rng, "affinity_check_deleted", lambda line: "--rcheck" in line.text)


@mutator
def affinity_name_crossed(dump: Dump, rng: random.Random) -> Mutation | None:
    checks = dump.where(lambda line: "--rcheck" in line.text)
    names = sorted({dump.lines[place].target for place in checks})
    if len(names) < 2:
        return None
    place = rng.choice(checks)
    target = dump.lines[place].target
    other = rng.choice([name for name in names if name != target])
    return dump.edited(
        "affinity_name_crossed", {place: [dump.lines[place].text.replace(f"--name {target}", f"--name {other}")]}
    )


@mutator
def affinity_behind_balancing(dump: Dump, rng: random.Random) -> Mutation | None:
    checks = dump.where(lambda line: "--rcheck" in line.text)
    place = _pick(rng, checks)
    if place is None:
        return None
    last = dump.rules("nat", dump.lines[place].chain)[-1]
    return dump.edited("affinity_behind_balancing", {place: [], last: [dump.lines[last].text, dump.lines[place].text]})


@mutator
def affinity_timeout_differs(dump: Dump, rng: random.Random) -> Mutation | None:
    chains = [line.chain for line in dump.lines if "--rcheck" in line.text]
    several = [
        place for place in dump.where(lambda line: "--rcheck" in line.text) if chains.count(dump.lines[place].chain) > 1
    ]
    place = _pick(rng, several)
    if place is None:
        return None
    return dump.edited(
        "affinity_timeout_differs", {place: [re.sub(r"--seconds \d+", "--seconds 7", dump.lines[place].text)]}
    )


# --- marks ------------------------------------------------------------------------------------------------------------


@mutator
def mark_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(dump, rng, "mark_deleted", lambda line: line.chain == "KUBE-MARK-MASQ")


@mutator
def mark_of_another_bit(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = lambda line: line.chain == "KUBE-MARK-MASQ"  # noqa: E731
    mutation = _change(
        dump,
        rng,
        "mark_of_another_bit",
        wanted,
        lambda text: re.sub(r"--set-xmark \S+", "--set-xmark 0x100/0x100", text),
    )
    return mutation and replace(mutation, chains=mutation.chains | {"KUBE-POSTROUTING", "KUBE-FORWARD"})


@mutator
def mark_wiped(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = _balancing(dump, rng, 1)
    if rules is None:
        return None
    line = dump.lines[rules[0]]
    wipe = f"-A {line.chain} -j MARK --set-xmark 0x0/0xffffffff"
    return dump.edited("mark_wiped", {rules[0]: [wipe, line.text]})


@mutator
def masquerade_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(
        dump, rng, "masquerade_deleted", lambda line: line.chain == "KUBE-POSTROUTING" and line.target == "MASQUERADE"
    )


@mutator
def postrouting_guard_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(
        dump,
        rng,
        "postrouting_guard_deleted",
        lambda line: line.chain == "KUBE-POSTROUTING" and line.target == "RETURN",
    )


@mutator
def postrouting_reordered(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = dump.rules("nat", "KUBE-POSTROUTING")
    if len(rules) != 3:
        return None
    guard, _, masquerade = rules
    return dump.edited(
        "postrouting_reordered", {guard: [dump.lines[masquerade].text], masquerade: [dump.lines[guard].text]}
    )


@mutator
def earlier_masquerade(dump: Dump, rng: random.Random) -> Mutation | None:
    place = _pick(rng, dump.where(_hook("nat", "POSTROUTING")))
    if place is None:
        return None
    return dump.edited("earlier_masquerade", {place: ["-A POSTROUTING -j MASQUERADE", dump.lines[place].text]})


@mutator
def external_masquerade_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(
        dump,
        rng,
        "external_masquerade_deleted",
        lambda line: line.chain.startswith("KUBE-EXT-") and line.target == "KUBE-MARK-MASQ",
    )


# --- services ---------------------------------------------------------------------------------------------------------


def _of_services(line: Line) -> bool:
    return (
        line.table == "nat" and line.chain == "KUBE-SERVICES" and "-d " in line.text and "-m addrtype" not in line.text
    )


@mutator
def vip_claimed_twice(dump: Dump, rng: random.Random) -> Mutation | None:
    places = dump.where(lambda line: _of_services(line) and line.target.startswith("KUBE-S"))
    place = _pick(rng, places)
    others = sorted(
        {dump.lines[other].target for other in places} - {dump.lines[place].target if place is not None else ""}
    )
    if place is None or not others:
        return None
    line = dump.lines[place]
    twin = line.text.replace(line.target, rng.choice(others))
    return dump.edited("vip_claimed_twice", {place: [twin, line.text]})


@mutator
def vip_widened(dump: Dump, rng: random.Random) -> Mutation | None:
    return _change(dump, rng, "vip_widened", _of_services, lambda text: re.sub(r"-d (\S+)/32", r"-d \1/24", text))


@mutator
def vip_leads_elsewhere(dump: Dump, rng: random.Random) -> Mutation | None:
    places = dump.where(lambda line: _of_services(line) and line.target.startswith("KUBE-SVC-"))
    place = _pick(rng, places)
    others = sorted(
        {dump.lines[other].target for other in places} - {dump.lines[place].target if place is not None else ""}
    )
    if place is None or not others:
        return None
    line = dump.lines[place]
    return dump.edited("vip_leads_elsewhere", {place: [line.text.replace(line.target, rng.choice(others))]})


@mutator
def service_rule_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(
        dump, rng, "service_rule_deleted", lambda line: _of_services(line) and line.target.startswith("KUBE-SVC-")
    )


@mutator
def services_end_early(dump: Dump, rng: random.Random) -> Mutation | None:
    places = dump.rules("nat", "KUBE-SERVICES")
    if len(places) < 3:
        return None
    place = places[len(places) // 2]
    target = rng.choice(["ACCEPT", "RETURN"])
    return dump.edited("services_end_early", {place: [f"-A KUBE-SERVICES -j {target}", dump.lines[place].text]})


@mutator
def chain_lost(dump: Dump, rng: random.Random) -> Mutation | None:
    chains = dump.chains("KUBE-SVC-") + dump.chains("KUBE-SEP-")
    if not chains:
        return None
    chain = rng.choice(chains)
    callers = dump.where(lambda line: line.target == chain)
    places: dict[int, list[str]] = {
        place: [] for place, line in enumerate(dump.lines) if line.chain == chain or line.text.startswith(f":{chain} ")
    }
    return dump.edited("chain_lost", places, *callers) if callers else None


@mutator
def chain_emptied(dump: Dump, rng: random.Random) -> Mutation | None:
    chains = dump.chains("KUBE-SVC-")
    if not chains:
        return None
    chain = rng.choice(chains)
    callers = dump.where(lambda line: line.target == chain)
    return (
        dump.edited("chain_emptied", {place: [] for place in dump.rules("nat", chain)}, *callers) if callers else None
    )


# --- node ports and external traffic ----------------------------------------------------------------------------------


def _tail(line: Line) -> bool:
    return line.table == "nat" and line.chain == "KUBE-SERVICES" and line.target == "KUBE-NODEPORTS"


@mutator
def node_ports_first(dump: Dump, rng: random.Random) -> Mutation | None:
    tail = _pick(rng, dump.where(_tail))
    rules = dump.rules("nat", "KUBE-SERVICES")
    if tail is None or len(rules) < 3 or not dump.rules("nat", "KUBE-NODEPORTS"):
        return None
    first = rules[0]
    return dump.edited("node_ports_first", {first: [dump.lines[tail].text, dump.lines[first].text], tail: []})


@mutator
def node_ports_unguarded(dump: Dump, rng: random.Random) -> Mutation | None:
    if not dump.rules("nat", "KUBE-NODEPORTS"):
        return None
    return _change(
        dump,
        rng,
        "node_ports_unguarded",
        lambda line: _tail(line) and "-m addrtype" in line.text,
        lambda text: re.sub(r"(! )?-d \S+ | -m addrtype --dst-type LOCAL", "", text),
    )


@mutator
def node_ports_cut_off(dump: Dump, rng: random.Random) -> Mutation | None:
    tails = dump.where(_tail)
    if len(tails) != 1 or not dump.rules("nat", "KUBE-NODEPORTS"):
        return None
    return dump.edited("node_ports_cut_off", {tails[0]: []})


@mutator
def external_tail_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    tails = [dump.rules("nat", chain)[-1] for chain in dump.chains("KUBE-EXT-")]
    tails = [place for place in tails if dump.lines[place].target.startswith(("KUBE-SVC-", "KUBE-SVL-"))]
    tails = [place for place in tails if " -m " not in dump.lines[place].text]
    place = _pick(rng, tails)
    return None if place is None else dump.edited("external_tail_deleted", {place: []})


@mutator
def source_ranges_open(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(
        dump,
        rng,
        "source_ranges_open",
        lambda line: (
            (line.chain == "KUBE-PROXY-FIREWALL" and line.target == "DROP")
            or (line.chain.startswith("KUBE-FW-") and line.target == "KUBE-MARK-DROP" and "-s " not in line.text)
        ),
    )


@mutator
def pod_network_differs(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = lambda line: line.target == "KUBE-MARK-MASQ" and "! -s " in line.text  # noqa: E731
    if len(dump.where(wanted)) < 3:
        return None
    return _change(
        dump, rng, "pod_network_differs", wanted, lambda text: re.sub(r"! -s \S+", "! -s 10.250.0.0/16", text)
    )


@mutator
def pod_network_masquerade_missing(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = lambda line: line.target == "KUBE-MARK-MASQ" and "! -s " in line.text  # noqa: E731
    if len(dump.where(wanted)) < 3:
        return None
    return _delete(dump, rng, "pod_network_masquerade_missing", wanted)


# --- filter -----------------------------------------------------------------------------------------------------------


@mutator
def forward_drops(dump: Dump, rng: random.Random) -> Mutation | None:
    for place, line in enumerate(dump.lines):
        if line.table == "filter" and line.text.startswith(":FORWARD ACCEPT"):
            mutation = dump.edited("forward_drops", {place: [line.text.replace("ACCEPT", "DROP")]})
            return replace(mutation, chains=frozenset({"FORWARD"}))
    return None


@mutator
def forward_accept_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return _delete(
        dump, rng, "forward_accept_deleted", lambda line: line.chain == "KUBE-FORWARD" and "-m mark" in line.text
    )


@mutator
def firewall_lost_its_match(dump: Dump, rng: random.Random) -> Mutation | None:
    return _change(
        dump,
        rng,
        "firewall_lost_its_match",
        lambda line: line.chain in ("KUBE-FIREWALL", "KUBE-PROXY-FIREWALL") and line.target == "DROP",
        lambda text: re.sub(r"^(-A \S+) .* -j DROP$", r"\1 -j DROP", text),
    )


def mutations(text: str, seed: int) -> Iterator[Mutation]:
    """One mutation of each kind that a dump allows."""
    dump = Dump.of(text)
    for name, function in MUTATORS.items():
        mutation = function(dump, random.Random(f"{seed} {name}"))
        if mutation is not None:
            yield mutation
