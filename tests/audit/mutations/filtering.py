"""Faults in table filter."""

from __future__ import annotations

import random
import re
from dataclasses import replace

from tests.audit.mutations.faults import Dump, Mutation, change, delete, mutator


@mutator
def forward_drops(dump: Dump, rng: random.Random) -> Mutation | None:
    for place, line in enumerate(dump.lines):
        if line.table == "filter" and line.text.startswith(":FORWARD ACCEPT"):
            mutation = dump.edited("forward_drops", {place: [line.text.replace("ACCEPT", "DROP")]})
            return replace(mutation, chains=frozenset({"FORWARD"}))
    return None


@mutator
def forward_accept_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(
        dump, rng, "forward_accept_deleted", lambda line: line.chain == "KUBE-FORWARD" and "-m mark" in line.text
    )


@mutator
def firewall_lost_its_match(dump: Dump, rng: random.Random) -> Mutation | None:
    return change(
        dump,
        rng,
        "firewall_lost_its_match",
        lambda line: line.chain in ("KUBE-FIREWALL", "KUBE-PROXY-FIREWALL") and line.target == "DROP",
        lambda text: re.sub(r"^(-A \S+) .* -j DROP$", r"\1 -j DROP", text),
    )
