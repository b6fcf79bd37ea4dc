"""Where packets are among the chains of nftables: before a rule of one chain, or of many chains that look alike, each
packet in its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ipt_explain.model import nft
from ipt_explain.netfilter.nft.memory import asks_from
from ipt_explain.netfilter.packet import Heading, PacketState
from ipt_explain.netfilter.probability import Probability
from ipt_explain.netfilter.walk.backends.nft_path import Chains, Link
from ipt_explain.netfilter.walk.chains.portions import Portions
from ipt_explain.records import NamedTuple

Rows = tuple[int, ...]
_LAST = 1 << 62


class Portion(NamedTuple):
    """A share of some packets in one state, and what they met last."""

    state: PacketState
    rows: Rows
    to: tuple[Heading, ...]
    share: Probability
    via: Link | None


class Frame:
    """A place in a chain, or in chains of one layout, one per row. `order` sorts places in the order in which packets
    meet them; `back` is where a return leads."""

    __slots__ = ("back", "chains", "depth", "order", "place", "rules")

    def __init__(
        self, chains: Chains, rules: int, place: int, back: Frame | None, order: tuple[int | str, ...], depth: int
    ) -> None:
        self.chains = chains
        self.rules = rules
        self.place = place
        self.back = back
        self.order = order
        self.depth = depth

    def behind(self) -> Frame:
        """The next rule of the chain."""
        order = (*self.order[:-1], self.place + 1)
        return Frame(self.chains, self.rules, self.place + 1, self.back, order, self.depth)

    def comes_back(self) -> bool:
        """Whether packets that leave this chain by a goto may still meet rules of its callers."""
        back = self.back
        while back is not None and back.place == back.rules:
            back = back.back
        return back is not None

    def asks_later(self) -> bool:
        """Whether a later rule may look up what packets were added to a set."""
        place, frame = self.place + 1, self
        while not asks_from(_one_of(frame.chains), place):
            if frame.back is None:
                return False
            frame = frame.back
            place = frame.place
        return True

    def into(self, chain: nft.Chain, goto: bool) -> Frame:
        """The first rule of a chain that the current rule leads to."""
        return self._entering(chain, len(chain.rules), goto, chain.name)

    def into_each(self, chains: Mapping[int, nft.Chain], goto: bool, number: int) -> Frame:
        """The first rules of the chains of one layout that the current rules lead to, by row. `number` identifies the
        packets that enter them together."""
        first = _one_of(chains)
        return self._entering(chains, len(first.rules), goto, f"{first.name} {number}")

    def _entering(self, chains: Chains, rules: int, goto: bool, name: str) -> Frame:
        back = self.back if goto else self.behind()
        return Frame(chains, rules, 0, back, (*self.order, name, 0), self.depth + 1)


def place_of_policy(chain: nft.Chain) -> Frame:
    """The place after all rules of a base chain."""
    return Frame(chain, 0, 0, None, (_LAST,), 0)


def joined(portions: Collection[Portion]) -> Collection[Portion]:
    """Portions at one place; those that differ only in an answer that made no difference are joined."""
    if len(portions) < 2 or not any(each.state.answers for each in portions):
        return portions
    parts: Portions[tuple[PacketState, int], Link | None] = Portions()
    crowds: list[tuple[Rows, tuple[Heading, ...]]] = []
    for each in portions:
        crowd = each.rows, each.to
        if crowd not in crowds:
            crowds.append(crowd)
        parts.gather((each.state, crowds.index(crowd)), each.share, each.via)
    parts.forget_idle_answers(
        lambda key: key[0].answers, lambda key, answers: (key[0].with_answers(answers), key[1])
    )  # fmt: skip
    return [Portion(state, *crowds[number], part.share, part.via) for (state, number), part in parts.items()]


def _one_of(chains: Chains) -> nft.Chain:
    """The chain, or any one of the chains of a layout: their rules ask the same."""
    return next(iter(chains.values())) if isinstance(chains, Mapping) else chains
