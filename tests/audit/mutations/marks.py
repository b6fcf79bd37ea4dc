"""Faults in marks and masquerading."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from tests.audit.mutations.faults import Dump, Mutation, balancing_rules, change, delete, hook_of, mutator, pick


@mutator
def mark_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(dump, rng, "mark_deleted", lambda line: line.chain == "KUBE-MARK-MASQ")


@mutator
def mark_of_another_bit(dump: Dump, rng: random.Random) -> Mutation | None:
    wanted = lambda line: line.chain == "KUBE-MARK-MASQ"  # noqa: E731
    mutation = change(
        dump,
        rng,
        "mark_of_another_bit",
        wanted,
        lambda text: re.sub(r"--set-xmark \S+", "--set-xmark 0x100/0x100", text),
    )
    return mutation and replace(mutation, chains=mutation.chains | {"KUBE-POSTROUTING", "KUBE-FORWARD"})


@mutator
def mark_wiped(dump: Dump, rng: random.Random) -> Mutation | None:
    rules = balancing_rules(dump, rng, 1)
    if rules is None:
        return None
    line = dump.lines[rules[0]]
    wipe = f"-A {line.chain} -j MARK --set-xmark 0x0/0xffffffff"
    return dump.edited("mark_wiped", {rules[0]: [wipe, line.text]})


@mutator
def masquerade_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(
        dump, rng, "masquerade_deleted", lambda line: line.chain == "KUBE-POSTROUTING" and line.target == "MASQUERADE"
    )


@mutator
def postrouting_guard_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(
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
    place = pick(rng, dump.where(hook_of("nat", "POSTROUTING")))
    if place is None:
        return None
    return dump.edited("earlier_masquerade", {place: ["-A POSTROUTING -j MASQUERADE", dump.lines[place].text]})


@mutator
def external_masquerade_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(
        dump,
        rng,
        "external_masquerade_deleted",
        lambda line: line.chain.startswith("KUBE-EXT-") and line.target == "KUBE-MARK-MASQ",
    )
