"""Joining the outputs of one node's tools, given as several dumps."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ipt_explain.model.dump import Dump
from ipt_explain.model.node import NodeFacts, NodeSet, VirtualServers
from ipt_explain.records import replace

if TYPE_CHECKING:
    from ipt_explain.model.node.interfaces import NodeAddresses


def with_shared_facts(dumps: Sequence[Dump]) -> tuple[Dump, ...]:
    """The same dumps, where all dumps of one node share one object with the facts that any of them shows.

    Dumps are of one node unless two of them hold rules of the same family and backend. If so, the same test is applied
    to the dumps of each folder, and a dump that belongs to no group stands alone.
    """
    if len(dumps) < 2 or not any(dump.node for dump in dumps):
        return tuple(dumps)
    groups = [list(dumps)] if _may_be_one_node(dumps) else _by_folder(dumps)
    shared: dict[int, Dump] = {}
    for group in groups:
        if len(group) > 1 and _may_be_one_node(group):
            facts = joined_facts(dump.node for dump in group)
            shared |= {id(dump): replace(dump, node=facts) for dump in group}
    return tuple(shared.get(id(dump), dump) for dump in dumps)


def as_nodes(dumps: Sequence[Dump]) -> tuple[Dump, ...]:
    """The same dumps, where those of one node become one dump if they show more than iptables rules."""
    return tuple(map(as_node, by_node(dumps)))


def as_node(dumps: Sequence[Dump]) -> Dump:
    """The dumps of one node as one dump. Rulesets keep their source."""
    if len(dumps) == 1:
        return dumps[0]
    return replace(
        dumps[0],
        source=", ".join(dump.source for dump in dumps),
        rulesets=tuple(dict.fromkeys(ruleset for dump in dumps for ruleset in dump.rulesets)),
        warnings=tuple(warning for dump in dumps for warning in dump.warnings),
        node=joined_facts(dump.node for dump in dumps),
        nft=next((dump.nft for dump in dumps if dump.nft is not None), None),
        failed=tuple(dict.fromkeys(each for dump in dumps for each in dump.failed)),
    )


def by_node(dumps: Sequence[Dump]) -> list[list[Dump]]:
    """The same dumps in groups: those of one node together if they show more than iptables rules, all others alone."""
    if len(dumps) < 2 or not any(dump.node or dump.nft is not None for dump in dumps):
        return [[dump] for dump in dumps]
    nodes: list[list[Dump]] = []
    for group in [list(dumps)] if _may_be_one_node(dumps) else _by_folder(dumps):
        nodes += [group] if _may_be_one_node(group) else [[dump] for dump in group]
    return nodes


def joined_facts(facts: Iterable[NodeFacts]) -> NodeFacts:
    """Facts of one node from several texts. If two texts show the same thing, the fuller one counts."""
    known = [each for each in dict.fromkeys(facts) if each]
    if len(known) == 1:
        return known[0]
    sets: dict[str, NodeSet] = {}
    for each in known:
        for name, found in each.sets.items():
            if name not in sets or (found.set.complete and not sets[name].set.complete):
                sets[name] = found
    servers = [each.virtual_servers for each in known if each.virtual_servers is not None]
    addresses = [each.addresses for each in known if each.addresses is not None]
    return NodeFacts(max(servers, key=_fullness, default=None), sets, _all_addresses(addresses))


def _may_be_one_node(dumps: Sequence[Dump]) -> bool:
    kinds = [(ruleset.family, ruleset.backend) for dump in dumps for ruleset in dump.rulesets]
    return len(kinds) == len(set(kinds)) and sum(dump.nft is not None for dump in dumps) < 2


def _by_folder(dumps: Iterable[Dump]) -> list[list[Dump]]:
    folders: dict[str, list[Dump]] = {}
    for dump in dumps:
        folders.setdefault(os.path.dirname(os.path.normpath(dump.source)), []).append(dump)
    return list(folders.values())


def _fullness(found: VirtualServers) -> tuple[bool, bool]:
    return found.complete, all(server.scheduler is not None for server in found.servers)


def _all_addresses(found: Sequence[NodeAddresses]) -> NodeAddresses | None:
    if len(found) < 2:
        return found[0] if found else None
    from ipt_explain.model.node.interfaces import NodeAddresses

    return NodeAddresses(
        ", ".join(dict.fromkeys(each.source for each in found)),
        tuple(dict.fromkeys(name for each in found for name in each.interfaces)),
        tuple({(one.interface, one.address): one for each in found for one in each.addresses}.values()),
        all(each.cut for each in found),
    )
