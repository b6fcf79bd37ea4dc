"""The nftables rules that a packet met: stored as shared links during the walk, and listed only for packets that a
caller asks about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Union

from ipt_explain.model import Backend
from ipt_explain.netfilter.packet import Bound, Heading, PacketState
from ipt_explain.netfilter.targets import Verdict
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.model import nft


class NftStep(Record):
    """One rule of nftables on a packet's path, or the policy that decided (`rule` is None).

    `table` is its family and name; `verdict` is the rule's, if it gave one; the other fields are those of a `Step` of
    iptables.
    """

    backend = Backend.NFTABLES

    table: str
    chain: nft.Chain
    rule: nft.Rule | None
    depth: int
    before: PacketState
    after: PacketState | None
    into: nft.Chain | None
    to_after: Heading
    verdict: Verdict | None = None

    @property
    def line(self) -> int | None:
        """The line of the rule, or of the chain's declaration; None in JSON, which has no lines."""
        if self.rule is None:
            return self.chain.line or None
        return None if self.rule.source_text is None else self.rule.line

    @property
    def text(self) -> str:
        """The rule as nft prints it; `policy drop` for a policy."""
        if self.rule is not None:
            return self.rule.text
        return f"policy {self.chain.base.policy if self.chain.base is not None else 'accept'}"


Chains = Union["nft.Chain", "Mapping[int, nft.Chain]"]
"""One chain for all packets, or for each, by its row, one of its own."""


class Link(Record, eq=False):
    """The latest rule that packets met in a base chain or the chains that it leads to, linked to those before it.

    `place` is the rule's number in its chain, None for the policy; `depth` counts jumps; `into` is the chain jumped to.
    """

    earlier: Link | None
    depth: int
    chains: Chains
    place: int | None
    before: PacketState
    after: PacketState
    into: Chains | None = None
    verdict: Verdict | None = None


class NftLeg(Record, eq=False):
    """A packet's path through one base chain: its rows there, latest first, what it met last, and its destination
    before and after."""

    table: nft.Table
    rows: tuple[int, ...]
    via: Link | None
    bound: Bound
    to_after: Heading
    fell_through: bool

    def steps(self) -> list[NftStep]:
        """The steps, in order."""
        links: list[Link] = []
        link = self.via
        while link is not None:
            links.append(link)
            link = link.earlier
        links.reverse()
        return [self._step(links, place) for place in range(len(links))]

    def last(self) -> NftStep | None:
        """The step that ended the path."""
        return None if self.via is None else self.steps()[-1]

    def _step(self, links: list[Link], place: int) -> NftStep:
        link = links[place]
        after: PacketState | None = link.after
        if link.into is not None:
            back = next((later for later in links[place + 1 :] if later.depth <= link.depth), None)
            if back is not None:
                after = back.before
            elif not self.fell_through:
                after = None
        to_after = self.to_after if link is self.via else self.bound.to
        name = f"{self.table.family.value} {self.table.name}"
        chain = chain_of(link.chains, self.rows)
        rule = None if link.place is None else chain.rules[link.place]
        into = None if link.into is None else chain_of(link.into, self.rows)
        return NftStep(
            name, chain, rule, link.depth, link.before, after, into, to_after, link.verdict
        )  # fmt: skip


def chain_of(chains: Chains, rows: Sequence[int]) -> nft.Chain:
    """The chain that a packet is in, given its rows: that of the first row that has one."""
    return next(chains[row] for row in rows if row in chains) if isinstance(chains, Mapping) else chains
