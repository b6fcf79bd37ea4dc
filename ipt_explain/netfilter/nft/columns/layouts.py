"""Chains that look alike: rule for rule the same statements, except for constants.

kube-proxy's chains for Services and endpoints have a handful of layouts, so packets of thousands of Services can pass
such chains together.
"""

from __future__ import annotations

from collections.abc import Hashable

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.ways import Leap
from ipt_explain.netfilter.targets import Flow, Verdict


class NftLayout:
    """The common layout of chains. Two chains are alike if their layouts are the same object."""

    __slots__ = ()


class Layouts:
    """The layouts of chains, each found once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Hashable, ...], NftLayout] = {}
        self._of: dict[nft.Chain, NftLayout | None] = {}

    def of(self, chain: nft.Chain) -> NftLayout | None:
        """A chain's layout; None if no other chain can be like it, because a rule has its own bucket or is
        unreadable."""
        if chain not in self._of:
            shapes = tuple([_shape_of_rule(rule) for rule in chain.rules])
            alike = shapes and None not in shapes
            self._of[chain] = self._known.setdefault(shapes, NftLayout()) if alike else None
        return self._of[chain]

    def course(self, table: nft.Table, then: Verdict | Flow | Leap) -> object:
        """Where packets go. Packets that go to chains of one layout have the same course."""
        if not isinstance(then, Leap):
            return then
        chain = table.chains.get(then.chain)
        layout = None if chain is None else self.of(chain)
        return (then.goto, then.chain) if layout is None else (then.goto, layout)


def _shape_of_rule(rule: nft.Rule) -> Hashable | None:
    shape = tuple([_shape(statement) for statement in rule.statements])
    return shape if shape and None not in shape else None


def _shape(statement: nft.Statement) -> Hashable | None:
    """A statement without its constants; None if it makes its rule unlike any other."""
    if isinstance(statement, nft.Match):
        return statement.left, statement.operator, type(statement.right)
    if isinstance(statement, nft.Verdict):
        return statement.kind
    if isinstance(statement, nft.VerdictMap):
        key: Hashable = nft.Numgen if isinstance(statement.key, nft.Numgen) else statement.key
        return nft.VerdictMap, key, type(statement.data)
    if isinstance(statement, nft.Nat):
        address = statement.address
        looked_up = type(address.key) if isinstance(address, nft.MapLookup) else None
        given = type(address), looked_up, type(statement.port)
        return statement.kind, statement.flags, statement.family, statement.prefix, given
    if isinstance(statement, nft.SetUpdate):
        return nft.SetUpdate, statement.operation, statement.key
    if isinstance(statement, (nft.Counter, nft.Log)):
        return type(statement).__name__
    return statement if isinstance(statement, (nft.Mangle, nft.Reject, nft.Notrack, nft.FlowOffload)) else None
