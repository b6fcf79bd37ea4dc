"""Faults in node ports and traffic from outside."""

from __future__ import annotations

import random
import re

from tests.audit.mutations.faults import Dump, Line, Mutation, change, delete, mutator, pick


def _tail(line: Line) -> bool:
    return line.table == "nat" and line.chain == "KUBE-SERVICES" and line.target == "KUBE-NODEPORTS"


@mutator
def node_ports_first(dump: Dump, rng: random.Random) -> Mutation | None:
    tail = pick(rng, dump.where(_tail))
    rules = dump.rules("nat", "KUBE-SERVICES")
    if tail is None or len(rules) < 3 or not dump.rules("nat", "KUBE-NODEPORTS"):
        return None
    first = rules[0]
    return dump.edited("node_ports_first", {first: [dump.lines[tail].text, dump.lines[first].text], tail: []})


@mutator
def node_ports_unguarded(dump: Dump, rng: random.Random) -> Mutation | None:
    if not dump.rules("nat", "KUBE-NODEPORTS"):
        return None
    return change(
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
    place = pick(rng, tails)
    return None if place is None else dump.edited("external_tail_deleted", {place: []})


@mutator
def source_ranges_open(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(
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
    return change(
        dump, rng, "pod_network_differs", wanted, lambda text: re.sub(r"! -s \S+", "! -s 10.250.0.0/16", text)
    )


@mutator
def pod_network_masquerade_missing(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = lambda line: line.target == "KUBE-MARK-MASQ" and "! -s " in line.text  # noqa: E731
    if len(dump.where(wanted)) < 3:
        return None
    return delete(dump, rng, "pod_network_masquerade_missing", wanted)
