"""Faults in how a chain spreads connections over endpoints."""

from __future__ import annotations

import random
import re

from tests.audit.mutations.faults import PROBABILITY, Dump, Line, Mutation, balancing_rules, mutator


@mutator
def last_endpoint_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 2)
    return None if rules is None else dump.edited("last_endpoint_deleted", {rules[-1]: []}, rules[0])


@mutator
def middle_endpoint_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 3)
    return None if rules is None else dump.edited("middle_endpoint_deleted", {rules[1]: []}, rules[0])


@mutator
def probability_changed(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 2)
    if rules is None:
        return None
    place = rng.choice(rules[:-1])
    value = rng.choice(["0.90000000000", "0.05000000000", "0.61803398886"])
    return dump.edited(
        "probability_changed", {place: [PROBABILITY.sub(f"--probability {value}", dump.lines[place].text)]}
    )


@mutator
def probability_zero_or_one(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 2)
    if rules is None:
        return None
    place = rng.choice(rules[:-1])
    value = rng.choice(["0.00000000000", "1.00000000000"])
    text = PROBABILITY.sub(f"--probability {value}", dump.lines[place].text)
    return dump.edited("probability_zero_or_one", {place: [text]})


@mutator
def last_endpoint_made_random(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 1)
    if rules is None:
        return None
    text = dump.lines[rules[-1]].text.replace(" -j ", " -m statistic --mode random --probability 0.50000000000 -j ")
    return dump.edited("last_endpoint_made_random", {rules[-1]: [text]})


@mutator
def probability_removed(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 2)
    if rules is None:
        return None
    place = rng.choice(rules[:-1])
    text = re.sub(r" -m statistic --mode random --probability \S+", "", dump.lines[place].text)
    return dump.edited("probability_removed", {place: [text]})


@mutator
def endpoints_swapped(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 3)
    if rules is None:
        return None
    first, second = rules[:2]
    return dump.edited("endpoints_swapped", {first: [dump.lines[second].text], second: [dump.lines[first].text]})


@mutator
def endpoint_repeated(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 3)
    if rules is None:
        return None
    text = dump.lines[rules[1]].text.replace(dump.lines[rules[1]].target, dump.lines[rules[0]].target)
    return dump.edited("endpoint_repeated", {rules[1]: [text]})


@mutator
def endpoint_of_another_service(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 1)
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
    rules = balancing_rules(dump, rng, 1)
    if rules is None:
        return None
    line = dump.lines[rules[0]]
    return dump.edited(
        "chain_returns_early", {rules[0]: [f"-A {line.chain} -p {_protocol(line)} -j RETURN", line.text]}
    )


def _protocol(line: Line) -> str:
    found = re.search(r"-p (\S+)", line.text)
    return found[1] if found else "tcp"
