"""A chain: its layout, the words of its rules in one tuple, and rule objects made on demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from ipt_explain.enums import Enum
from ipt_explain.model.rule import Counters, Rule, unquote
from ipt_explain.model.shape import EMPTY, Layout
from ipt_explain.records import Record


class Extent(Enum):
    """How much of a chain's rules, or of a table's chains, a text shows.

    What is absent from a whole text is absent from the kernel; what is absent from any other is unknown.
    """

    WHOLE = "whole"  # all
    START = "start"  # the first ones, without a gap; the text is cut: more may follow
    END = "end"  # the last ones; the text begins in the middle: more come before
    SOME = "some"  # output of grep, or appended rules: others may come before, between and after
    HOLED = "holed"  # a part, from which lines are missing here and there
    NONE = "none"  # none: the chain or table is not in the text


class Chain(Record, eq=False):
    """A chain and its rules in order. Chains compare by identity.

    `values` are the chain's name and the words of all its rules as written; `layout` says which is which. `policy` is
    that of a built-in chain (`ACCEPT`, `DROP`), None for a user's. `line` is where it was declared, None if it was not:
    the kernel makes built-in chains by itself, and fragments declare nothing. `counters` are the chain's own.

    `extent` says how much of the chain the text shows: only a WHOLE chain is known to return after its last rule.
    `ordered` is False if its rules come from several outputs, none of which shows the order of all.
    """

    values: tuple[str, ...]
    layout: Layout = EMPTY
    _lines: int | tuple[int, ...] = ()
    """The first rule's line if the others follow line by line, else every rule's."""
    _counts: tuple[str, ...] = ()
    """Packets and bytes of each rule as written, "" for a rule without; empty if no rule has any."""
    policy: str | None = None
    line: int | None = None
    counters: Counters | None = None
    extent: Extent = Extent.WHOLE
    ordered: bool = True
    _made: tuple[Rule, ...] | dict[int, Rule] | None = None

    @classmethod
    def of(
        cls,
        name: str,
        rules: Sequence[Rule],
        policy: str | None = None,
        line: int | None = None,
        counters: Counters | None = None,
        extent: Extent = Extent.WHOLE,
        ordered: bool = True,
    ) -> Chain:
        """A chain of existing rules, which it keeps."""
        layout = Layout.of(tuple([rule.shape for rule in rules]))
        values = (name, *[value for rule in rules for value in rule.values[1:]])
        lines = tuple([rule.line for rule in rules])
        return cls(values, layout, lines, (), policy, line, counters, extent, ordered, tuple(rules))

    def declared_at(self, line: int | None, policy: str | None = None, counters: Counters | None = None) -> Chain:
        """The same chain, declared at `line`."""
        return Chain(
            self.values, self.layout, self._lines, self._counts, policy, line, counters,
            self.extent, self.ordered, self._made,
        )  # fmt: skip

    def shown(self, extent: Extent) -> Chain:
        """The same chain with another extent."""
        return Chain(
            self.values, self.layout, self._lines, self._counts, self.policy, self.line, self.counters,
            extent, self.ordered, self._made,
        )  # fmt: skip

    @property
    def name(self) -> str:
        """The chain's name."""
        return self.values[0]

    @property
    def declared(self) -> bool:
        """Whether the input declares the chain (`:NAME …` or `-N NAME`)."""
        return self.line is not None

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Its rules, in order, made on first use and kept. The layout answers many questions without them."""
        made = self._made
        if not isinstance(made, tuple):
            made = tuple(map(self.rule, range(len(self.layout.shapes))))
            object.__setattr__(self, "_made", made)
        return made

    def rule(self, number: int) -> Rule:
        """Rule `number` (from 0), without making the others."""
        made = self._made
        if isinstance(made, tuple):
            return made[number]
        if made is None:
            made = {}
            object.__setattr__(self, "_made", made)
        rule = made.get(number)
        if rule is None:
            layout, values = self.layout, self.values
            first, last = layout.offsets[number] + 1, layout.offsets[number + 1] + 1
            own = (values[0], *values[first:last])
            rule = made[number] = Rule(layout.shapes[number], own, self.line_of(number), self.counters_of(number))
        return rule

    def first_rules(self, most: int) -> Iterator[Rule]:
        """Its first rules, at most so many, without making the others. They are kept, as rules compare by identity."""
        return map(self.rule, range(min(most, len(self.layout))))

    def rule_on(self, line: int) -> Rule | None:
        """The rule that begins on a line, if one does."""
        lines = self._lines
        if isinstance(lines, int):
            number = line - lines
            return self.rule(number) if 0 <= number < len(self.layout) else None
        return self.rule(lines.index(line)) if line in lines else None

    def each_rule(self) -> Iterator[Rule]:
        """Its rules, in order, each made on demand and not kept."""
        if isinstance(self._made, tuple):
            yield from self._made
            return
        values, layout, start = self.values, self.layout, 1
        lines = count(self._lines) if isinstance(self._lines, int) else self._lines
        for number, (shape, offset, line) in enumerate(zip(layout.shapes, layout.offsets[1:], lines)):
            end = offset + 1
            counters = self.counters_of(number) if self._counts else None
            yield Rule(shape, (values[0], *values[start:end]), line, counters)
            start = end

    def line_of(self, number: int) -> int:
        """The line on which rule `number` begins."""
        lines = self._lines
        return lines + number if isinstance(lines, int) else lines[number]

    def counters_of(self, number: int) -> Counters | None:
        """The counters of rule `number`, if the text shows them."""
        if isinstance(self._made, tuple):
            return self._made[number].counters
        packets, size = self._counts[2 * number : 2 * number + 2] or ("", "")
        return Counters(int(packets), int(size)) if packets else None

    def packets_of(self, number: int) -> int | None:
        """How many packets rule `number` has counted, if the text shows it."""
        if self._counts:
            text = self._counts[2 * number]
            return int(text) if text else None
        counters = self.counters_of(number)
        return None if counters is None else counters.packets

    def at(self, place: int) -> str:
        """A word of its rules as written, by its place in the layout."""
        return self.values[place]

    def at_all(self, places: Sequence[int]) -> tuple[str, ...]:
        """Some words of its rules as written, by their places in the layout."""
        values = self.values
        return tuple([values[place] for place in places])

    def word(self, place: int | None) -> str | None:
        """A word of its rules, decoded, by its place in the layout; None for no place."""
        return None if place is None else unquote(self.values[place])

    def target_of(self, number: int) -> str | None:
        """Where rule `number` sends the packet: a verdict, an extension or a chain; None if it only counts."""
        target = self.layout.shapes[number].target
        if target is None or target.slot is None:
            return None if target is None else target.name
        return self.values[self.layout.offsets[number] + target.slot]


def column(chains: Iterable[Chain], place: int) -> list[str]:
    """The words at one place in chains of one layout, as written."""
    return [chain.values[place] for chain in chains]


def packets(chains: Sequence[Chain], number: int) -> Sequence[int | None]:
    """How many packets rule `number` of each of these chains has counted, if the text shows it."""
    counted = [chain._counts or chain._made for chain in chains]
    if not any(counted):
        return (None,) * len(chains)
    return [chain.packets_of(number) for chain in chains]


def lines(chains: Iterable[Chain], number: int) -> list[int]:
    """The line on which rule `number` begins in each of these chains."""
    return [each + number if isinstance(each := chain._lines, int) else each[number] for chain in chains]
