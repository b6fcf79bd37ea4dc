"""Faults in session affinity."""

from __future__ import annotations

import random
import re

from tests.audit.mutations.endpoints import of_endpoint
from tests.audit.mutations.faults import Dump, Mutation, change, delete, mutator, pick


@mutator
def affinity_set_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return re.sub(r" -m recent --set --name \S+ --mask \S+ --rsource", "", text)

    return change(dump, rng, "affinity_set_deleted", of_endpoint, other)


@mutator
def affinity_check_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(dump, rng, "affinity_check_deleted", lambda line: "--rcheck" in line.text)


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
    place = pick(rng, checks)
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
    place = pick(rng, several)
    if place is None:
        return None
    return dump.edited(
        "affinity_timeout_differs", {place: [re.sub(r"--seconds \d+", "--seconds 7", dump.lines[place].text)]}
    )
