"""What the targets of a batch of rules do with matching packets; packets with the same result stay together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import ne

from ipt_explain.model import Hidden
from ipt_explain.netfilter.cached import cached
from ipt_explain.netfilter.packet import Heading, PacketState, addresses_of
from ipt_explain.netfilter.probability import ALWAYS, Probability
from ipt_explain.netfilter.targets import Effect, Flow, Verdict, effect_of, rewrites_destination
from ipt_explain.netfilter.walk.chains.chain_index import Destinations
from ipt_explain.netfilter.walk.chains.evaluator import Crowd, Rows
from ipt_explain.netfilter.walk.chains.visit import Portion, Visit
from ipt_explain.netfilter.walk.columns import Batch
from ipt_explain.netfilter.whereabouts import Address
from ipt_explain.records import Record


class TableEffect(Record):
    """What a target does, except for new destinations."""

    then: Verdict | Flow
    states: tuple[tuple[Probability, PacketState], ...]
    reason: str = ""


class Effects:
    """What targets do in one table to packets that enter it with the destinations `to`.

    `destinations` parses those of DNAT. A target that is neither known nor a chain of the table is a missing chain in a
    `fragment`, otherwise an unknown target.
    """

    def __init__(self, table: str, fragment: bool, destinations: Destinations, to: Sequence[Heading]) -> None:
        self._table = table
        self._fragment = fragment
        self._destinations = destinations
        self._to = to
        self._before: frozenset[Address | None] | None = None

    def of(
        self, visit: Visit, portion: Portion, batch: Batch
    ) -> Iterable[tuple[TableEffect, Rows, Sequence[Heading] | None]]:
        """What the target does, each effect with the rows that it applies to and their new destinations."""
        target = batch.shape.target
        crowd = visit.crowd_of(portion.rows)
        if target is not None and rewrites_destination(target.name) and Hidden.TARGET not in batch.shape.hidden:
            yield from self._rewritten(batch, portion.state, crowd)
            return
        slots = [] if target is None else [slot for option in target.options for slot in option.slots]
        if target is not None and target.slot is not None:
            slots.append(target.slot)
        lists = [column for column in map(batch.column, slots) if not isinstance(column, str)]
        if not lists:
            yield _without(self._effect(batch, portion.state, crowd, 0)), None, None
            return
        groups: dict[tuple[str, ...], list[int]] = {}
        for row, words in enumerate(zip(*lists)):
            groups.setdefault(words, []).append(row)
        for rows in groups.values():
            yield _without(self._effect(batch, portion.state, crowd, rows[0])), tuple(rows), None

    def _rewritten(
        self, batch: Batch, state: PacketState, crowd: Crowd
    ) -> Iterable[tuple[TableEffect, Rows, Sequence[Heading] | None]]:
        """New destinations, one or more per row; rows with the same effect are grouped."""
        plain = self._plain_destinations(batch)
        if plain is not None and (self._all_new(plain) or all(map(ne, plain, crowd.to))):
            after = state._replace(destination_decided=True, dnat=True)
            yield TableEffect(Verdict.ACCEPT, ((ALWAYS, after),)), None, plain
            return
        groups: dict[TableEffect, tuple[list[int], list[Heading]]] = {}
        for row in range(len(crowd)):
            effect = self._effect(batch, state, crowd, row)
            for share, after, to in effect.states:
                alike = TableEffect(effect.then, ((share, after),), effect.reason)
                if alike not in groups:
                    groups[alike] = ([], [])
                rows, headings = groups[alike]
                if rows and rows[-1] == row:  # one of several random ports: each is kept separate
                    yield alike, (row,), (to or crowd.to[row],)
                    continue
                rows.append(row)
                headings.append(to or crowd.to[row])
        for alike, (rows, headings) in groups.items():
            yield alike, None if len(rows) == len(crowd) else tuple(rows), headings

    def _all_new(self, destinations: Sequence[Heading]) -> bool:
        """Whether no packet entered the table with any of these addresses as its destination."""
        if self._before is None:
            self._before = addresses_of(self._to)
        return self._before.isdisjoint(addresses_of(destinations))

    def _plain_destinations(self, batch: Batch) -> Sequence[Heading] | None:
        """Where DNAT sends each row, if each is sent to one address and port."""
        target = batch.shape.target
        if target is None or target.name != "DNAT" or len(target.options) > 1:
            return None
        texts = batch.column(target.options[0].slots[0])
        if isinstance(texts, str):
            return None
        return cached(texts, self._destinations.all_of)

    def _effect(self, batch: Batch, state: PacketState, crowd: Crowd, row: int) -> Effect:
        rule = batch.rule(row)
        if Hidden.TARGET in batch.shape.hidden:
            reason = f"what the target of line {rule.line} does, which this input does not show"
            return Effect(Verdict.UNKNOWN, ((ALWAYS, state, None),), reason)
        try:
            effect = None if rule.is_goto else effect_of(rule, state, crowd.to[row])
        except (ValueError, IndexError):
            reason = f"what the unreadable target of line {rule.line} does"
            return Effect(Verdict.UNKNOWN, ((ALWAYS, state, None),), reason)
        if effect is None:
            return Effect(Verdict.UNKNOWN, ((ALWAYS, state, None),), self._unknown_target(rule.target or ""))
        return effect

    def _unknown_target(self, name: str) -> str:
        if self._fragment:
            return f"chain {name} of table {self._table}, which this input does not show"
        return f"what target {name} does"


def _without(effect: Effect) -> TableEffect:
    return TableEffect(effect.then, tuple((share, state) for share, state, _ in effect.states), effect.reason)
