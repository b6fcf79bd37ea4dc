"""Sets that rules add clients to, which kube-proxy uses for session affinity.

A packet's state records the sets that it was added to, now or earlier, as `visits`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ipt_explain.model import nft
from ipt_explain.netfilter.hooks import DESTINATION_NAT
from ipt_explain.netfilter.nft.jumps import jumps
from ipt_explain.netfilter.nft.stages import Stage
from ipt_explain.netfilter.nft.values.constants import Datatype, canonical
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.whereabouts import Address

Visits = frozenset[tuple[str, Address, int]]


def _list_name(table: nft.Table, name: str) -> str:
    """A set's name among a state's visits."""
    return f"{table.family.value} {table.name} {name}"


def remembers(
    table: nft.Table, reference: nft.SetReference, key: nft.Expression, state: PacketState, to: Heading
) -> bool:
    """Whether a set has the packet's address because a rule added it."""
    address = _address(key, state, to)
    name = _list_name(table, reference.name)
    return address is not None and any(seen[:2] == (name, address) for seen in state.visits)


def entered(table: nft.Table, update: nft.SetUpdate, state: PacketState, to: Heading) -> PacketState:
    """The packet after a statement that adds its address to a set, or removes it. Other keys are not remembered."""
    address = _address(update.key, state, to)
    if address is None:
        return state
    name = _list_name(table, update.target.name)
    others = frozenset(seen for seen in state.visits if seen[:2] != (name, address))
    return state._replace(visits=others if update.operation == "delete" else others | {(name, address, 1)})


def asked_outside_nat(stages: Sequence[Stage]) -> frozenset[str]:
    """The lists that rules add clients to and that rules outside destination NAT test."""
    names: set[str] = set()
    for stage in stages:
        if not (stage.is_nat and stage.hook in DESTINATION_NAT):
            for chain in _reached(stage.table, stage.chain):
                for right in (match.right for rule in chain.rules for match in rule.of(nft.Match)):
                    if isinstance(right, nft.SetReference):
                        names.add(_list_name(stage.table, right.name))
    return frozenset(name for table in {stage.table for stage in stages} for name in _lists(table) if name in names)


def _lists(table: nft.Table) -> Iterator[str]:
    """The lists that a table's rules add clients to."""
    for _, rule in table.each_rule():
        for update in rule.of(nft.SetUpdate):
            yield _list_name(table, update.target.name)


def asks_from(chain: nft.Chain, place: int) -> bool:
    """Whether rules of a chain, from a place on, test a set or lead to rules that may."""
    return any(
        isinstance(statement.right, nft.SetReference) if isinstance(statement, nft.Match) else _leads(statement)
        for rule in chain.rules[place:]
        for statement in rule.statements
    )


def _leads(statement: nft.Statement) -> bool:
    return isinstance(statement, nft.VerdictMap) or (isinstance(statement, nft.Verdict) and statement.chain is not None)


def forgetting(state: PacketState, asked: frozenset[str]) -> PacketState:
    """A packet whose destination is decided, without its entries in lists that no later rule tests: clients of
    thousands of Services are alike again."""
    if not state.visits or not state.destination_decided:
        return state
    return state._replace(visits=frozenset(seen for seen in state.visits if seen[0] in asked))


def _reached(table: nft.Table, base: nft.Chain) -> Iterable[nft.Chain]:
    """A base chain and the chains that it leads to."""
    found = {base.name: base}
    waiting = [base]
    while waiting:
        for jump in jumps(table, waiting.pop()):
            chain = table.chains.get(jump.target)
            if chain is not None and chain.name not in found:
                found[chain.name] = chain
                waiting.append(chain)
    return found.values()


def earlier_visits(table: nft.Table, endpoint: Heading, client: Address) -> Visits:
    """The entries of a client that a table sent to an endpoint before: in the sets updated by chains that DNAT to
    it."""
    return frozenset(
        (_list_name(table, update.target.name), client, 1)
        for chain in table.chains.values()
        if _sends_to(chain, endpoint)
        for rule in chain.rules
        for update in rule.of(nft.SetUpdate)
        if update.operation != "delete"
    )


def _sends_to(chain: nft.Chain, endpoint: Heading) -> bool:
    return any(
        nat.kind is nft.NatKind.DNAT
        and nat.address is not None
        and (canonical(nat.address, Datatype.ADDRESS), nat.port) == (endpoint.address, endpoint.port)
        for rule in chain.rules
        for nat in rule.of(nft.Nat)
    )


def _address(key: nft.Expression, state: PacketState, to: Heading) -> Address | None:
    if isinstance(key, nft.Payload) and key.protocol in ("ip", "ip6"):
        if key.field == "saddr":
            return state.source
        if key.field == "daddr":
            return to.address
    return None
