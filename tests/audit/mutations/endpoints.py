"""Faults in endpoint chains."""

from __future__ import annotations

import random

from tests.audit.mutations.faults import DESTINATION, SOURCE, Dump, Line, Mutation, change, delete, mutator


def of_endpoint(line: Line) -> bool:
    return line.table == "nat" and line.chain.startswith("KUBE-SEP-")


@mutator
def hairpin_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(dump, rng, "hairpin_deleted", lambda line: of_endpoint(line) and line.target == "KUBE-MARK-MASQ")


@mutator
def hairpin_of_another_address(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return SOURCE.sub(lambda found: f"-s {found[1]}.{(int(found[2]) + 77) % 250 + 1}/32", text)

    wanted = lambda line: of_endpoint(line) and line.target == "KUBE-MARK-MASQ"  # noqa: E731
    return change(dump, rng, "hairpin_of_another_address", wanted, other)


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
        return DESTINATION.sub(
            lambda found: f"--to-destination {found[1]}.{(int(found[2]) + 77) % 250 + 1}:{found[3]}", text
        )

    return change(dump, rng, "endpoint_address_changed", of_endpoint, other)


@mutator
def endpoint_port_zero(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return DESTINATION.sub(r"--to-destination \1.\2:0", text)

    return change(dump, rng, "endpoint_port_zero", of_endpoint, other)


@mutator
def dnat_deleted(dump: Dump, rng: random.Random) -> Mutation | None:
    return delete(dump, rng, "dnat_deleted", lambda line: of_endpoint(line) and line.target == "DNAT")


@mutator
def dnat_of_another_protocol(dump: Dump, rng: random.Random) -> Mutation | None:
    def other(text: str) -> str:
        return text.replace("-p tcp", "-p udp").replace("-m tcp", "-m udp")

    return change(
        dump, rng, "dnat_of_another_protocol", lambda line: of_endpoint(line) and line.target == "DNAT", other
    )
