"""Faults in the jumps from built-in chains."""

from __future__ import annotations

import random
import re

from tests.audit.mutations.faults import Dump, Mutation, change, delete, hook_of, mutator, pick


@mutator
def nat_hook_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(dump, rng, "nat_hook_deleted", hook_of("nat", "PREROUTING", "OUTPUT", "POSTROUTING"))


@mutator
def nat_hook_goto(dump: Dump, rng: random.Random) -> Mutation | None:
    return change(
        dump, rng, "nat_hook_goto", hook_of("nat", "PREROUTING", "OUTPUT"), lambda text: text.replace(" -j ", " -g ")
    )


@mutator
def nat_hook_narrowed(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = hook_of("nat", "PREROUTING", "OUTPUT")
    return change(
        dump, rng, "nat_hook_narrowed", wanted, lambda text: re.sub(r"^(-A \S+)", r"\1 -s 10.99.0.0/16", text)
    )


@mutator
def nat_hook_preceded(dump: Dump, rng: random.Random) -> Mutation | None:
    place = pick(rng, dump.where(hook_of("nat", "PREROUTING", "OUTPUT")))
    if place is None:
        return None
    line = dump.lines[place]
    target = rng.choice(["ACCEPT", "RETURN"])
    return dump.edited("nat_hook_preceded", {place: [f"-A {line.chain} -p tcp -j {target}", line.text]})


@mutator
def filter_hook_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = hook_of("filter", "INPUT", "FORWARD", "OUTPUT")
    return delete(dump, rng, "filter_hook_deleted", lambda line: wanted(line) and line.target != "KUBE-FIREWALL")
