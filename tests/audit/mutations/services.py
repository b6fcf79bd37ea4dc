"""Faults in the rules that lead to Services."""

from __future__ import annotations

import random
import re

from tests.audit.mutations.faults import Dump, Line, Mutation, change, delete, mutator, pick


def _of_services(line: Line) -> bool:
    return (
        line.table == "nat" and line.chain == "KUBE-SERVICES" and "-d " in line.text and "-m addrtype" not in line.text
    )


def _elsewhere(dump: Dump, rng: random.Random, targets: str) -> tuple[int, str] | None:
    """The place of a Service's rule whose target begins so, and its text with the target of another such rule."""
    places = dump.where(lambda line: _of_services(line) and line.target.startswith(targets))
    place = pick(rng, places)
    if place is None:
        return None
    line = dump.lines[place]
    others = sorted({dump.lines[other].target for other in places} - {line.target})
    return (place, line.text.replace(line.target, rng.choice(others))) if others else None


@mutator
def vip_claimed_twice(dump: Dump, rng: random.Random) -> Mutation | None:
    found = _elsewhere(dump, rng, "KUBE-S")
    if found is None:
        return None
    place, twin = found
    return dump.edited("vip_claimed_twice", {place: [twin, dump.lines[place].text]})


@mutator
def vip_widened(dump: Dump, rng: random.Random) -> Mutation | None:
    return change(dump, rng, "vip_widened", _of_services, lambda text: re.sub(r"-d (\S+)/32", r"-d \1/24", text))


@mutator
def vip_leads_elsewhere(dump: Dump, rng: random.Random) -> Mutation | None:
    found = _elsewhere(dump, rng, "KUBE-SVC-")
    return None if found is None else dump.edited("vip_leads_elsewhere", {found[0]: [found[1]]})


@mutator
def service_rule_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(
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
